/** Sentences as the tagger's training sees them: numbers end to end, with gold labels or a teacher's beliefs. */

import { spansOf } from '../model/bio.ts';
import type { Crf } from '../model/crf.ts';
import type { WordLookup } from '../model/word-features.ts';
import { expectedCounts, goldCounts, type Target } from './crf.ts';

/** What sentences should be tagged as. */
export type Labelling =
  /** A label index per token. */
  | { kind: 'gold'; labels: Uint8Array }
  /** Another tagger's log scores [tokens × L], to be read through its transitions. */
  | { kind: 'beliefs'; emissions: Float32Array; crf: Crf };

/** n sentences. */
export interface EncodedSentences {
  n: number;
  /** Int32Array [n], tokens per sentence. */
  lengths: Int32Array;
  /** Int32Array [n], first token of each sentence. */
  firsts: Int32Array;
  /** Int32Array [tokens], rows of word vectors. */
  words: Int32Array;
  /** Int32Array [tokens × marksPerWord], rows of the table of marks. */
  marks: Int32Array;
  /** One labelling per range of sentences, ascending; `from` is the range's first sentence. */
  labellings: { from: number; labelling: Labelling }[];
}

/** Looks all words up. Empty sentences must have been left out. */
export function encodeSentences(
  lookup: WordLookup,
  sentences: readonly (readonly string[])[],
  labelling: Labelling,
): EncodedSentences {
  const lengths = Int32Array.from(sentences, (sentence) => sentence.length);
  const { words, marks } = lookup.rows(sentences);
  return {
    n: sentences.length,
    lengths,
    firsts: firstsOf(lengths),
    words,
    marks,
    labellings: [{ from: 0, labelling }],
  };
}

/** Indices of the gold labels. */
export function labelIndices(labels: readonly string[], gold: readonly (readonly string[])[]): Uint8Array {
  const index = new Map(labels.map((label, i) => [label, i]));
  return Uint8Array.from(gold.flat(), (label) => {
    const found = index.get(label);
    if (found === undefined) throw new Error(`tagger data: "${label}" is none of ${labels.join(', ')}.`);
    return found;
  });
}

/** Sets of sentences one after another, each with its own labelling. */
export function joinSentences(parts: readonly EncodedSentences[]): EncodedSentences {
  const join = (key: 'lengths' | 'words' | 'marks'): Int32Array => {
    const whole = new Int32Array(parts.reduce((sum, part) => sum + part[key].length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part[key], at);
      at += part[key].length;
    }
    return whole;
  };
  const lengths = join('lengths');
  let first = 0;
  const labellings = parts.flatMap((part) => {
    const moved = part.labellings.map(({ from, labelling }) => ({ from: from + first, labelling }));
    first += part.n;
    return moved;
  });
  return {
    n: lengths.length,
    lengths,
    firsts: firstsOf(lengths),
    words: join('words'),
    marks: join('marks'),
    labellings,
  };
}

/** What a batch should have been. */
export function targetOf(data: EncodedSentences, chosen: Int32Array, labelCount: number): Target {
  const { lengths, firsts, labellings } = data;
  const rows = chosen.reduce((sum, s) => sum + lengths[s], 0);
  const target: Target = {
    labels: new Float64Array(rows * labelCount),
    transitions: new Float64Array(labelCount * labelCount + 2 * labelCount),
  };
  let at = 0;
  for (const s of chosen) {
    const { from, labelling } = labellings.findLast((part) => part.from <= s) ?? labellings[0];
    // Tokens of a labelling count from its own first sentence.
    const first = firsts[s] - firsts[from];
    const end = first + lengths[s];
    const counts =
      labelling.kind === 'gold'
        ? goldCounts(labelCount, labelling.labels.subarray(first, end), [lengths[s]])
        : expectedCounts(labelling.crf, labelling.emissions.subarray(first * labelCount, end * labelCount), [
            lengths[s],
          ]);
    target.labels.set(counts.labels, at * labelCount);
    for (let k = 0; k < target.transitions.length; k++) target.transitions[k] += counts.transitions[k];
    at += lengths[s];
  }
  return target;
}

export interface SpanScores {
  precision: number;
  recall: number;
  f1: number;
}

/** Micro-averaged scores over exact spans with equal type. */
export function scoreSpans(data: EncodedSentences, found: Uint8Array, labels: readonly string[]): SpanScores {
  const { labelling } = data.labellings[0];
  if (labelling.kind !== 'gold' || data.labellings.length !== 1) {
    throw new Error('tagger data: scores need gold labels.');
  }
  let [right, predicted, wanted] = [0, 0, 0];
  const keysOf = (from: Uint8Array, first: number, end: number): string[] =>
    spansOf(Array.from(from.subarray(first, end), (label) => labels[label])).map(
      ({ start, end: stop, type }) => `${start} ${stop} ${type}`,
    );
  for (let s = 0; s < data.n; s++) {
    const first = data.firsts[s];
    const end = first + data.lengths[s];
    const gold = new Set(keysOf(labelling.labels, first, end));
    const guesses = keysOf(found, first, end);
    wanted += gold.size;
    predicted += guesses.length;
    for (const guess of guesses) if (gold.has(guess)) right++;
  }
  const precision = predicted === 0 ? 0 : right / predicted;
  const recall = wanted === 0 ? 0 : right / wanted;
  return { precision, recall, f1: right === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

function firstsOf(lengths: Int32Array): Int32Array {
  const firsts = new Int32Array(lengths.length);
  for (let s = 1; s < lengths.length; s++) firsts[s] = firsts[s - 1] + lengths[s - 1];
  return firsts;
}
