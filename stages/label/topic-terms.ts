/** How strongly each term marks each topic: c-TF-IDF over topics, times what the term's occurrences count. */

import { classTfIdf } from '../../pipeline/math/class-tf-idf.ts';
import type { CandidateTerms } from './candidate-terms.ts';

/** The best terms of one topic, strongest first. */
export interface RankedTerm {
  /** Index into the candidate terms. */
  term: number;
  /** `tfIdf` times the mean weight of the term's occurrences in the topic. */
  weight: number;
  /** c-TF-IDF by itself. */
  tfIdf: number;
  /** Documents of the topic that hold the term; ascending places among the topic's documents. */
  documents: Int32Array;
  /** How many of them hold it in their title. */
  titles: number;
}

/**
 * The `size` best terms of each topic.
 *
 * Outliers stand as one more class: what is common among them is common, but they get no terms. Each
 * document counts a term once, damped for repetition, so that a term's share of a topic is near its share
 * of the topic's documents; types and confidence enter afterwards as the mean weight of the occurrences,
 * since inside the counts they would cancel against the term's own frequency.
 *
 * @param classOf Int32Array [n], 0 to c − 1, or c for outliers.
 * @returns c lists; a term is listed only where at least `minimumSupport(documents in topic)` of the
 *   topic's documents hold it.
 */
export function rankTerms(
  candidates: CandidateTerms,
  classOf: Int32Array,
  c: number,
  size: number,
): RankedTerm[][] {
  const { offsets, terms, counts, weights } = candidates;
  const v = candidates.text.length;
  const rows = rowsByClass(classOf, c + 1);

  // One class after the other: dense sums over the vocabulary, then the terms touched.
  const countSums = new Float64Array(v);
  const weightedSums = new Float64Array(v);
  const support = new Int32Array(v);
  const touched = new Int32Array(v);
  const classOffsets = new Float64Array(c + 2);
  const classTerms: Int32Array[] = [];
  const classCounts: Float64Array[] = [];
  const classWeights: Float64Array[] = [];
  const classSupport: Int32Array[] = [];
  for (let i = 0; i <= c; i++) {
    let used = 0;
    for (const row of rows[i]) {
      for (let at = offsets[row]; at < offsets[row + 1]; at++) {
        const term = terms[at];
        if (support[term] === 0) touched[used++] = term;
        support[term]++;
        countSums[term] += counts[at];
        weightedSums[term] += counts[at] * weights[at];
      }
    }
    const found = touched.slice(0, used).sort();
    classTerms.push(found);
    classCounts.push(Float64Array.from(found, (term) => countSums[term]));
    classWeights.push(Float64Array.from(found, (term) => weightedSums[term] / countSums[term]));
    classSupport.push(Int32Array.from(found, (term) => support[term]));
    classOffsets[i + 1] = classOffsets[i] + used;
    for (const term of found) {
      countSums[term] = 0;
      weightedSums[term] = 0;
      support[term] = 0;
    }
  }

  const scores = classTfIdf(
    { offsets: classOffsets, terms: joinedInts(classTerms), values: joinedFloats(classCounts) },
    { c: c + 1, v },
  );

  const ranked: RankedTerm[][] = [];
  for (let i = 0; i < c; i++) {
    const least = minimumSupport(rows[i].length);
    const own = scores.subarray(classOffsets[i], classOffsets[i + 1]);
    const weighted = Float64Array.from(own, (score, at) =>
      classSupport[i][at] < least ? 0 : score * classWeights[i][at],
    );
    ranked.push(
      withDocuments(
        largest(weighted, size).map((at) => ({
          term: classTerms[i][at],
          weight: weighted[at],
          tfIdf: own[at],
        })),
        rows[i],
        candidates,
      ),
    );
  }
  return ranked;
}

/** A term of a single document, or of less than 3% of a topic's, names the document and not the topic. */
export function minimumSupport(size: number): number {
  return size < 4 ? 1 : Math.max(2, Math.ceil(0.03 * size));
}

/** Ascending document rows of each class. */
export function rowsByClass(classOf: Int32Array, c: number): Int32Array[] {
  const sizes = new Int32Array(c);
  for (const i of classOf) sizes[i]++;
  const rows = Array.from(sizes, (size) => new Int32Array(size));
  const used = new Int32Array(c);
  for (let row = 0; row < classOf.length; row++) {
    const i = classOf[row];
    rows[i][used[i]++] = row;
  }
  return rows;
}

/** Members common to two ascending lists. */
export function sharedCount(a: Int32Array, b: Int32Array): number {
  let shared = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) {
      shared++;
      i++;
      j++;
    } else if (a[i] < b[j]) i++;
    else j++;
  }
  return shared;
}

/**
 * Places of the `size` largest values above 0, largest first; ties go to the lower place.
 * Terms are in code-point order, so the lower place is the first text.
 */
function largest(values: Float64Array, size: number): number[] {
  // A heap with the weakest of the best on top.
  const heap: number[] = [];
  const isWeaker = (a: number, b: number): boolean =>
    values[a] < values[b] || (values[a] === values[b] && a > b);
  const sink = (): void => {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) return;
      if (child + 1 < heap.length && isWeaker(heap[child + 1], heap[child])) child++;
      if (!isWeaker(heap[child], heap[at])) return;
      [heap[at], heap[child]] = [heap[child], heap[at]];
      at = child;
    }
  };
  for (let place = 0; place < values.length; place++) {
    if (!(values[place] > 0)) continue;
    if (heap.length < size) {
      heap.push(place);
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1;
        if (!isWeaker(heap[at], heap[parent])) break;
        [heap[at], heap[parent]] = [heap[parent], heap[at]];
        at = parent;
      }
    } else if (isWeaker(heap[0], place)) {
      heap[0] = place;
      sink();
    }
  }
  return heap.sort((a, b) => values[b] - values[a] || a - b);
}

/** Adds to each term which of the topic's documents hold it. */
function withDocuments(
  terms: Pick<RankedTerm, 'term' | 'weight' | 'tfIdf'>[],
  rows: Int32Array,
  candidates: CandidateTerms,
): RankedTerm[] {
  const placeOf = new Map(terms.map(({ term }, place) => [term, place]));
  const documents: number[][] = terms.map(() => []);
  const titles = new Int32Array(terms.length);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at];
    for (let o = candidates.offsets[row]; o < candidates.offsets[row + 1]; o++) {
      const place = placeOf.get(candidates.terms[o]);
      if (place === undefined) continue;
      documents[place].push(at);
      titles[place] += candidates.inTitle[o];
    }
  }
  return terms.map((term, place) => ({
    ...term,
    documents: Int32Array.from(documents[place]),
    titles: titles[place],
  }));
}

function joinedInts(parts: Int32Array[]): Int32Array {
  const joined = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function joinedFloats(parts: Float64Array[]): Float64Array {
  const joined = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
