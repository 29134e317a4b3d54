/** Which documents a layout is fitted on when it is not to be fitted on all. */

import { createRandom } from '../../pipeline/math/random.ts';

export interface Split {
  /** Int32Array: documents that the layout is fitted on, ascending. */
  fitted: Int32Array;
  /** Int32Array: all others, ascending. */
  placed: Int32Array;
}

/**
 * An even sample of the documents: those whose ids draw the lowest numbers. A document's draw depends on its id and
 * the seed alone, so from night to night the sample changes by as little as the corpus does.
 *
 * @param size From 1 to the number of documents.
 */
export function splitDocuments(documentIds: readonly string[], size: number, seed: number): Split {
  const draws = Uint32Array.from(documentIds, (id) =>
    createRandom(seed, hashOf(id), 0x73616d70).nextUint32(),
  );
  const order = Int32Array.from({ length: documentIds.length }, (_, i) => i);
  order.sort((i, j) => draws[i] - draws[j] || i - j);
  return { fitted: order.slice(0, size).sort(), placed: order.slice(size).sort() };
}

/** FNV-1a over UTF-16 code units. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let x = 0; x < text.length; x++) hash = Math.imul(hash ^ text.charCodeAt(x), 0x01000193);
  return hash;
}
