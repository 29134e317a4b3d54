/**
 * From a token classifier's numbers to entities: probabilities of each piece, one label for each word, words
 * joined to entities.
 *
 * Source: TokenClassificationPipeline of transformers (pipelines/token_classification.py). Agrees with 5.18
 * (test/oracle/token-classification.py) for labels in BIO and IO.
 */

import type { ScoredSpan } from './bio.ts';
import type { TagScheme } from './tag-scheme.ts';

export const aggregations = ['simple', 'first', 'average', 'max'] as const;

/**
 * How the pieces of a word come to one label.
 *
 * simple: they do not; each piece counts as a word. first: the word takes its first piece's label. average:
 * the label whose probability, averaged over the pieces, is largest. max: the label of the piece that is
 * surest. Where the words are given, as in labelled data, simple is first.
 */
export type Aggregation = (typeof aggregations)[number];

/** What the original system used. */
export const defaultAggregation: Aggregation = 'average';

/**
 * Probabilities from logits, in single precision as the source has them: a piece that is sure is sure to
 * exactly 1 there, and which of two such pieces wins under `max` hangs on it.
 *
 * @param logits Float32Array [n × labels].
 * @returns Float32Array [n × labels]; every row sums to 1.
 */
export function probabilitiesOf(logits: Float32Array, labels: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let row = 0; row < logits.length; row += labels) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let at = row; at < row + labels; at++) largest = Math.max(largest, logits[at]);
    let sum = 0;
    for (let at = row; at < row + labels; at++) {
      probabilities[at] = Math.exp(Math.fround(logits[at] - largest));
      sum = Math.fround(sum + probabilities[at]);
    }
    for (let at = row; at < row + labels; at++) probabilities[at] /= sum;
  }
  return probabilities;
}

/** w words with one label each. */
export interface LabelledWords {
  /** Int32Array [w], indices of labels. */
  labels: Int32Array;
  /** Float32Array [w], probability of the label in 0–1. */
  scores: Float32Array;
}

/**
 * One label for each word; of equal ones the first.
 *
 * @param probabilities Float32Array [pieces × labels].
 * @param firsts Int32Array [w + 1]: word i holds pieces firsts[i] to firsts[i + 1], at least one.
 */
export function labelWords(
  probabilities: Float32Array,
  labels: number,
  firsts: Int32Array,
  aggregation: Aggregation,
): LabelledWords {
  const w = firsts.length - 1;
  const words = { labels: new Int32Array(w), scores: new Float32Array(w) };
  const mean = new Float32Array(labels);
  for (let i = 0; i < w; i++) {
    const [first, end] = [firsts[i], firsts[i + 1]];
    let row = probabilities.subarray(first * labels, (first + 1) * labels);
    if (aggregation === 'average') {
      mean.set(row);
      for (let at = labels * (first + 1); at < labels * end; at++) mean[at % labels] += probabilities[at];
      for (let label = 0; label < labels; label++) mean[label] /= end - first;
      row = mean;
    } else if (aggregation === 'max') {
      for (let piece = first + 1; piece < end; piece++) {
        const other = probabilities.subarray(piece * labels, (piece + 1) * labels);
        if (other[largestOf(other)] > row[largestOf(row)]) row = other;
      }
    }
    words.labels[i] = largestOf(row);
    words.scores[i] = row[words.labels[i]];
  }
  return words;
}

/** Index of the largest; of equal ones the first. */
function largestOf(row: Float32Array): number {
  let best = 0;
  for (let at = 1; at < row.length; at++) if (row[at] > row[best]) best = at;
  return best;
}

/**
 * Entities over words. A word goes on with the entity before it when it has that type, its label does not
 * begin one, and the entity has not been ended; a label that goes on with nothing begins an entity.
 *
 * @returns Spans of words, ascending, with the mean of their words' scores.
 */
export function groupWords({ labels, scores }: LabelledWords, scheme: TagScheme): ScoredSpan[] {
  const spans: ScoredSpan[] = [];
  let open: ScoredSpan | undefined;
  for (let i = 0; i < labels.length; i++) {
    const { role, type } = scheme.tags[labels[i]];
    const begins = role === 'begin' || role === 'single';
    if (type === null) open = undefined;
    else if (open !== undefined && !begins && open.type === type) {
      open.end = i + 1;
      open.score += scores[i];
    } else {
      open = { start: i, end: i + 1, type, score: scores[i] };
      spans.push(open);
    }
    if (role === 'end' || role === 'single') open = undefined;
  }
  for (const span of spans) span.score /= span.end - span.start;
  return spans;
}
