/** c-TF-IDF for programs: from texts to counts, and from counts to weights. */

import { type CountedClassTerms, countClassTerms as createCounter } from '../math/class-terms.ts';
import { type ClassTermCounts, classTfIdf as weigh } from '../math/class-tf-idf.ts';
import { pause } from '../math/pause.ts';
import {
  abortSignal,
  checkOptions,
  isObject,
  kindRule,
  type OptionRules,
  required,
  shown,
  trueOrFalse,
  wholeNumber,
} from './check-arguments.ts';
import { stopIfAborted } from './neighbors.ts';

export interface ClassTfIdfOptions {
  /** Number of classes. */
  c: number;
  /** Number of terms. */
  v: number;
  /** Damps terms of many classes harder, as in BM25; default false. */
  bm25Weighting?: boolean | undefined;
  /** Takes the square root of the normalised frequencies; default false. */
  reduceFrequentWords?: boolean | undefined;
}

export interface ClassText {
  text: string;
  /** 0 to c − 1; −1 for a text of no class, which is left out. */
  class: number;
}

export interface CountClassTermsOptions {
  /** Number of classes. */
  c: number;
  /** Fewest and most words of a term; default [1, 1]. At most 5. */
  ngrams?: readonly [least: number, most: number] | undefined;
  /** Words that are taken out before terms are formed, in lower case; default none. */
  stopWords?: Iterable<string> | undefined;
  /** Rejects with Interrupted when aborted; the signal's reason is its cause. */
  signal?: AbortSignal | undefined;
}

const MOST_WORDS = 5;

const weightRules: OptionRules<ClassTfIdfOptions> = {
  c: required(wholeNumber(0)),
  v: required(wholeNumber(0)),
  bm25Weighting: trueOrFalse,
  reduceFrequentWords: trueOrFalse,
};

const countRules: OptionRules<CountClassTermsOptions> = {
  c: required(wholeNumber(0)),
  ngrams: {
    ...kindRule(`two whole numbers from 1 to ${MOST_WORDS}, the lower first`, Array.isArray),
    isInRange: (value: unknown[]) =>
      value.length === 2 &&
      value.every((words) => Number.isInteger(words) && Number(words) >= 1 && Number(words) <= MOST_WORDS) &&
      Number(value[0]) <= Number(value[1]),
  },
  stopWords: kindRule(
    'words that can be iterated over',
    (value) => isObject(value) && Symbol.iterator in value,
  ),
  signal: abortSignal,
};

const isList = (value: unknown): boolean =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/**
 * How strongly each term marks each class: `tf · ln(1 + A / f)`, where tf is the term's share of its class, f its sum
 * over all classes and A the mean number of terms in a class, cut to a whole number. With `bm25Weighting` the second
 * factor is `ln(1 + (A − f + 0.5) / (f + 0.5))`, which is below 0 for terms commoner than A + 0.5.
 *
 * Time c + v + m for m entries; memory 8 · m + 24 · v bytes.
 *
 * @param counts Sparse c × v matrix, rows one after the other; see `ClassTermCounts`.
 * @returns Float64Array [m], aligned with counts.terms. A class whose values sum to 0 has weights of 0.
 * @throws TypeError, RangeError for arguments that are not as said, naming the entry.
 *
 * Source: Grootendorst 2022, "BERTopic: Neural topic modeling with a class-based TF-IDF procedure". Agrees with
 * ClassTfidfTransformer of BERTopic 0.16; no seed words.
 */
export function classTfIdf(counts: ClassTermCounts, options: ClassTfIdfOptions): Float64Array {
  checkOptions('classTfIdf', options, weightRules);
  if (!isObject(counts) || ![counts.offsets, counts.terms, counts.values].every(isList)) {
    throw new TypeError(
      `classTfIdf: expected counts as { offsets, terms, values }, arrays of numbers, got ${shown(counts)}.`,
    );
  }
  const { c, v, bm25Weighting = false, reduceFrequentWords = false } = options;
  return weigh(counts, { c, v, bm25Weighting, reduceFrequentWords });
}

/**
 * Counts how often each class of texts uses each term: what `classTfIdf` weighs. Words are runs of two or more
 * letters, digits and underscores in lower case, as scikit-learn's CountVectorizer cuts them.
 *
 * Texts are taken one at a time and not kept: memory is about 40 bytes for every distinct (class, term), and the
 * vocabulary. Time is linear in the length of the texts, and v · log v. The result does not depend on their order.
 *
 * @param texts Each with its class; a generator over a database's rows, for example, or an asynchronous one.
 * @returns `offsets`, `terms`, `values` as `classTfIdf` takes them (v is `vocabulary.length`), and `vocabulary`: terms by
 *   fewest words, then by their words in code-unit order.
 * @throws TypeError, RangeError for arguments that are not as said, naming the text; Interrupted when `signal` is
 *   aborted.
 */
export async function countClassTerms(
  texts: Iterable<ClassText> | AsyncIterable<ClassText>,
  options: CountClassTermsOptions,
): Promise<CountedClassTerms> {
  checkOptions('countClassTerms', options, countRules);
  const { c, ngrams = [1, 1], stopWords = [], signal } = options;
  if (!isObject(texts) || !(Symbol.iterator in texts || Symbol.asyncIterator in texts)) {
    throw new TypeError(
      `countClassTerms: expected texts that can be iterated over, each { text, class }, got ${shown(texts)}.`,
    );
  }
  stopIfAborted(signal);
  const counter = createCounter({ c, ngrams, stopWords: new Set(stopWords) });
  let began = performance.now();
  let at = 0;
  for await (const given of texts) {
    checkText(given, at++, c);
    if (given.class >= 0) counter.add(given.text, given.class);
    if (performance.now() - began < MILLISECONDS_BETWEEN_PAUSES) continue;
    await pause(signal);
    began = performance.now();
  }
  return counter.finish();
}

const MILLISECONDS_BETWEEN_PAUSES = 50;

function checkText(given: ClassText, at: number, c: number): void {
  if (!isObject(given) || typeof given.text !== 'string') {
    throw new TypeError(
      `countClassTerms: expected text ${at} as { text, class } with a text, got ${shown(isObject(given) ? given.text : given)}.`,
    );
  }
  if (!(Number.isInteger(given.class) && given.class >= -1 && given.class < c)) {
    throw new RangeError(
      `countClassTerms: expected the class of text ${at} to be a whole number from -1 to ${c - 1}, got ${shown(given.class)}.`,
    );
  }
}
