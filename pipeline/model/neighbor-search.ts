/**
 * Which search finds the neighbours: all pairs by matrix products while that is cheap, cells and rounds beyond it,
 * and all pairs again where the vectors have no neighbourhoods that cells could follow.
 */

import { approximateNeighbors, type Outlook } from '../math/approximate-neighbors.ts';
import type { NeighborOptions, NeighborSearch, Neighbors } from '../math/nearest-neighbors.ts';
import { nearestNeighbors as findExactly } from './exact-neighbors.ts';

export type SearchChoice = 'auto' | 'exact' | 'approximate';

export interface SearchOptions extends NeighborOptions {
  /** `exact`, `approximate`, or `auto`, which takes what fits the vectors and their number. Default auto. */
  search?: SearchChoice;
  /** Of the approximate search; a whole number. Default 42. */
  seed?: number;
}

/**
 * Up to here all pairs cost little more than the approximate search: 1.4 against 0.9 CPU s at 12,000 × 512, 0.7
 * each at 8,000; at 20,000 it is 3.0 against 1.1.
 */
const MOST_EXACT_ROWS = 12_000;
/** Comparing a row with more than this share of the others costs more one by one than all pairs by matrix products. */
const MOST_COMPARED_SHARE = 1 / 6;
/** Multiply-adds of all pairs that are still worth it where cells do not serve: about five minutes of one core. */
const MOST_EXACT_WORK = 2e13;

/**
 * The k nearest other rows of each row.
 *
 * Exact: n² · d / 2 multiply-adds in onnxruntime, candidates measured again in float64. Approximate: about 98 of 100
 * neighbours (cells and NN-descent, math/approximate-neighbors.ts) in n · log n · d. Either gives equal bytes for
 * equal arguments, whatever the threads; with vectors in a SharedArrayBuffer more of the work is shared among them.
 *
 * @param vectors Float32Array [n × d], row-major, finite; no zero rows for cosine.
 * @returns `indices`, Int32Array [n × k], nearest first, ties to the lower index, never the row itself; `distances`,
 * Float32Array [n × k].
 * @throws RangeError when an option is out of range or a vector is not what it should be; Interrupted when
 * `signal` is aborted.
 *
 * @example
 * const { indices, distances } = await nearestNeighbors(vectors, { n, d: 256, k: 15, metric: 'cosine' });
 * const nearestToTheFirst = indices[0];
 */
export async function nearestNeighbors(vectors: Float32Array, options: SearchOptions): Promise<Neighbors> {
  const { search = 'auto', seed, ...rest } = options;
  if (search !== 'auto' && search !== 'exact' && search !== 'approximate') {
    throw new RangeError(
      `Expected search to be "auto", "exact" or "approximate", got ${JSON.stringify(search)}.`,
    );
  }
  return chooseNeighborSearch(search, seed === undefined ? {} : { seed })(vectors, rest);
}

/**
 * @param options.seed Of the approximate search.
 * @param options.onChoice Told how the neighbours were found, where that was not by comparing all pairs as a matter
 * of course.
 */
export function chooseNeighborSearch(
  choice: SearchChoice,
  { seed = 42, onChoice }: { seed?: number; onChoice?: (how: string) => void } = {},
): NeighborSearch {
  return async (vectors, options) => {
    const { n, d } = options;
    if (choice === 'exact' || (choice === 'auto' && n <= MOST_EXACT_ROWS))
      return findExactly(vectors, options);
    const isWorthwhile = ({ isReachable, comparedRows }: Outlook): boolean =>
      choice === 'approximate' ||
      (isReachable && comparedRows <= n * MOST_COMPARED_SHARE) ||
      (n * n * d) / 2 > MOST_EXACT_WORK;
    const found = await approximateNeighbors(vectors, { ...options, seed, onOutlook: isWorthwhile });
    if (found === null) {
      onChoice?.(
        'all pairs of vectors were compared: these vectors lie too evenly for an approximate search to save work',
      );
      return findExactly(vectors, options);
    }
    onChoice?.(
      `neighbours were found by approximate search, ${(100 * found.recall).toFixed(1)}% of the true ones by a sample`,
    );
    return { indices: found.indices, distances: found.distances };
  };
}
