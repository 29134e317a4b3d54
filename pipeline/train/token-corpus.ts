/** Documents as vocabulary ids in two flat arrays: what embedder training and the corpus part read. */

import type { WordPiece } from '../model/word-piece.ts';

/** n documents as columns. */
export interface TextColumns {
  title: readonly string[];
  abstract: readonly string[];
}

export interface TokenCorpus {
  n: number;
  /** Ids of all titles and abstracts, document by document. */
  ids: Int32Array;
  /** Int32Array [2n + 1]: the title of document i starts at entry 2i, its abstract at 2i + 1. */
  starts: Int32Array;
}

/** @param maxTokens Of a document; what is beyond is cut, as the encoder cuts it. */
export function tokenizeCorpus(documents: TextColumns, wordPiece: WordPiece, maxTokens: number): TokenCorpus {
  const n = documents.title.length;
  const starts = new Int32Array(2 * n + 1);
  let ids = new Int32Array(Math.max(1024, n * 256));
  const buffer = new Int32Array(maxTokens);
  let total = 0;
  for (let i = 0; i < n; i++) {
    const titleEnd = wordPiece.encodeInto(documents.title[i], buffer, 0);
    const end = wordPiece.encodeInto(documents.abstract[i], buffer, titleEnd);
    if (total + end > ids.length) {
      const larger = new Int32Array(2 * (total + end));
      larger.set(ids);
      ids = larger;
    }
    ids.set(buffer.subarray(0, end), total);
    starts[2 * i] = total;
    starts[2 * i + 1] = total + titleEnd;
    total += end;
    starts[2 * i + 2] = total;
  }
  return { n, ids: ids.slice(0, total), starts };
}
