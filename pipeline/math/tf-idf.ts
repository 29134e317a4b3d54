/** TF-IDF over token ids: sublinear term frequency, logarithmic inverse document frequency, rows of length 1. */

import type { SparseRows } from './sparse.ts';

/**
 * Counts the ids of each document.
 *
 * @param ids All documents' ids.
 * @param starts Int32Array [n + 1]: document i holds ids `starts[i]` to `starts[i + 1]`.
 * @param v Ids are below this.
 * @returns One entry per distinct id of a document, in order of first occurrence; the value is the count.
 */
export function countTerms(ids: Int32Array, starts: Int32Array, v: number): SparseRows {
  const n = starts.length - 1;
  const offsets = new Int32Array(n + 1);
  const columns = new Int32Array(ids.length);
  const values = new Float32Array(ids.length);
  const entryOf = new Int32Array(v).fill(-1);
  let size = 0;
  for (let i = 0; i < n; i++) {
    for (let at = starts[i]; at < starts[i + 1]; at++) {
      const entry = entryOf[ids[at]];
      if (entry >= offsets[i]) values[entry]++;
      else {
        entryOf[ids[at]] = size;
        columns[size] = ids[at];
        values[size++] = 1;
      }
    }
    offsets[i + 1] = size;
  }
  return { n, offsets, columns: columns.slice(0, size), values: values.slice(0, size) };
}

/** What a term counts when a document has it `count` times. */
export const sublinear = (count: number): number => 1 + Math.log(count);

/**
 * Inverse document frequency, ln(n / documents with the term): 0 for a term of every document. Terms of
 * fewer documents than `minDocuments` get 0 as well: they say nothing about which documents are alike.
 *
 * @returns Float32Array [v].
 */
export function inverseDocumentFrequency(counts: SparseRows, v: number, minDocuments: number): Float32Array {
  const documents = new Int32Array(v);
  for (let k = 0; k < counts.offsets[counts.n]; k++) documents[counts.columns[k]]++;
  return Float32Array.from(documents, (df) => (df < minDocuments ? 0 : Math.log(counts.n / df)));
}

/** Replaces counts by TF-IDF, each row scaled to length 1. */
export function weightTerms(counts: SparseRows, idf: Float32Array): SparseRows {
  const { n, offsets, columns } = counts;
  const values = new Float32Array(counts.values.length);
  for (let i = 0; i < n; i++) {
    let square = 0;
    for (let k = offsets[i]; k < offsets[i + 1]; k++) {
      values[k] = sublinear(counts.values[k]) * idf[columns[k]];
      square += values[k] * values[k];
    }
    const length = Math.sqrt(square) || 1;
    for (let k = offsets[i]; k < offsets[i + 1]; k++) values[k] /= length;
  }
  return { n, offsets, columns, values };
}
