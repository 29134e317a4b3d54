/**
 * Counts how often each class of texts uses each term, text by text, so that no text is kept: memory grows with the
 * distinct terms of the classes. What it gives is what class-tf-idf.ts weighs.
 */

import type { ClassTermCounts } from './class-tf-idf.ts';
import { createPairTable, type PairTable } from './pair-table.ts';
import { ascendingOrder } from './radix-sort.ts';
import { createWordTable, type WordTable } from './word-table.ts';

export interface CountedClassTerms extends ClassTermCounts {
  /** Int32Array [c + 1] */
  offsets: Int32Array;
  /** Int32Array [m], ascending in each class. */
  terms: Int32Array;
  /** Int32Array [m] */
  values: Int32Array;
  /** [v] Terms by fewest words, then by their words in code-unit order. */
  vocabulary: string[];
}

export interface ClassTermsOptions {
  /** Number of classes. */
  c: number;
  /** Fewest and most words of a term. */
  ngrams: readonly [least: number, most: number];
  /** Words that are taken out before terms are formed, in lower case. */
  stopWords: ReadonlySet<string>;
}

export interface ClassTermCounter {
  /** @param of Class of the text, 0 to c − 1. */
  add(text: string, of: number): void;
  finish(): CountedClassTerms;
}

// Words and phrases share one numbering of terms: twice a word's number, and twice a phrase's and one.
const ofWord = (word: number): number => 2 * word;
const ofPhrase = (phrase: number): number => 2 * phrase + 1;
const isWord = (term: number): boolean => term % 2 === 0;

export function countClassTerms({
  c,
  ngrams: [least, most],
  stopWords,
}: ClassTermsOptions): ClassTermCounter {
  const words = createWordTable();
  // A phrase is a term of one word fewer and the word after it; they are numbered from 1.
  const phrases = createPairTable();
  const counts = createPairTable();
  // Terms that end at the word read last, by length.
  const ending = new Int32Array(most);
  // Per word, once it was met: 1 for a stop word, 2 for another.
  let judged = new Uint8Array(1 << 10);

  const isStopWord = (word: number): boolean => {
    if (stopWords.size === 0) return false;
    if (word >= judged.length) judged = enlarged(judged);
    if (judged[word] === 0) judged[word] = stopWords.has(words.textOf(word)) ? 1 : 2;
    return judged[word] === 1;
  };

  return {
    add(text, of) {
      let run = 0;
      words.read(text, (word) => {
        if (isStopWord(word)) return;
        run = Math.min(run + 1, most);
        // Longest first: each grows out of the next shorter one that ended a word before.
        for (let length = run; length >= 2; length--) {
          ending[length - 1] = ofPhrase(phrases.numberOf(ending[length - 2], word) - 1);
          if (length >= least) counts.increment(of, ending[length - 1]);
        }
        ending[0] = ofWord(word);
        if (least === 1) counts.increment(of, ending[0]);
      });
    },
    finish() {
      const kept = Array.from({ length: words.size() }, (_, word) => word).filter(
        (word) => !isStopWord(word),
      );
      const ordered = orderTerms(words, kept, phrases, least, most);
      return { ...toRows(counts, ordered, c), vocabulary: ordered.vocabulary };
    },
  };
}

interface OrderedTerms {
  vocabulary: string[];
  /** Place of a term in the vocabulary. */
  placeOf(term: number): number;
}

function orderTerms(
  words: WordTable,
  kept: number[],
  phrases: PairTable,
  least: number,
  most: number,
): OrderedTerms {
  const texts = Array.from({ length: words.size() }, (_, word) => words.textOf(word));
  const byText = kept.sort((a, b) => (texts[a] < texts[b] ? -1 : 1));
  const rankOfWord = new Int32Array(texts.length);
  byText.forEach((word, rank) => {
    rankOfWord[word] = rank;
  });
  const vocabulary = least === 1 ? byText.map((word) => texts[word]) : [];

  // Phrases of one length after the other: by the phrase that they go on from, then by their last word.
  const shorter = new Int32Array(phrases.size());
  const lastWords = new Int32Array(phrases.size());
  phrases.each((term, word, number) => {
    shorter[number - 1] = term;
    lastWords[number - 1] = word;
  });
  const lengths = new Uint8Array(phrases.size());
  const rankOfPhrase = new Int32Array(phrases.size());
  const placeOfPhrase = new Int32Array(phrases.size());
  for (let phrase = 0; phrase < lengths.length; phrase++) {
    lengths[phrase] = isWord(shorter[phrase]) ? 2 : lengths[shorter[phrase] >> 1] + 1;
  }
  const textOf = (phrase: number): string => {
    const before = shorter[phrase] >> 1;
    return `${lengths[phrase] === 2 ? texts[before] : textOf(before)} ${texts[lastWords[phrase]]}`;
  };
  for (let length = 2; length <= most; length++) {
    const some = Int32Array.from(lengths.keys()).filter((phrase) => lengths[phrase] === length);
    const ranks = length === 2 ? rankOfWord : rankOfPhrase;
    const order = ascendingOrder(
      Float64Array.from(
        some,
        (phrase) => ranks[shorter[phrase] >> 1] * texts.length + rankOfWord[lastWords[phrase]],
      ),
    );
    for (let rank = 0; rank < order.length; rank++) {
      const phrase = some[order[rank]];
      rankOfPhrase[phrase] = rank;
      if (length < least) continue;
      placeOfPhrase[phrase] = vocabulary.length;
      vocabulary.push(textOf(phrase));
    }
  }
  return { vocabulary, placeOf: (term) => (isWord(term) ? rankOfWord : placeOfPhrase)[term >> 1] };
}

/** Counts as compressed rows, by class, then by place in the vocabulary: sorted by counting, the latter first. */
function toRows(
  counts: PairTable,
  { vocabulary, placeOf }: OrderedTerms,
  c: number,
): { offsets: Int32Array; terms: Int32Array; values: Int32Array } {
  const m = counts.size();
  const ofTerm = new Int32Array(vocabulary.length + 1);
  const offsets = new Int32Array(c + 1);
  counts.each((of, term) => {
    ofTerm[placeOf(term) + 1]++;
    offsets[of + 1]++;
  });
  for (let place = 0; place < vocabulary.length; place++) ofTerm[place + 1] += ofTerm[place];
  for (let i = 0; i < c; i++) offsets[i + 1] += offsets[i];

  const classes = new Int32Array(m);
  const valuesByTerm = new Int32Array(m);
  const fill = ofTerm.slice();
  counts.each((of, term, value) => {
    const at = fill[placeOf(term)]++;
    classes[at] = of;
    valuesByTerm[at] = value;
  });
  const terms = new Int32Array(m);
  const values = new Int32Array(m);
  const next = offsets.slice();
  for (let place = 0; place < vocabulary.length; place++) {
    for (let from = ofTerm[place]; from < ofTerm[place + 1]; from++) {
      const at = next[classes[from]]++;
      terms[at] = place;
      values[at] = valuesByTerm[from];
    }
  }
  return { offsets, terms, values };
}

function enlarged(numbers: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}
