/** Nearest neighbours for programs: checks, progress, and the search of the job itself. */

import { Interrupted } from '../errors.ts';
import type { Metric } from '../math/distance.ts';
import type { Neighbors } from '../math/nearest-neighbors.ts';
import { chooseNeighborSearch, type SearchChoice } from '../model/neighbor-search.ts';
import {
  abortSignal,
  checkMatrix,
  checkOptions,
  listener,
  type OptionRules,
  oneOf,
  required,
  seedRule,
  wholeNumber,
} from './check-arguments.ts';
import { given, type ProgressListener, partOf } from './progress.ts';

export interface NearestNeighborsOptions {
  /** Rows, from 2 up. */
  n: number;
  /** Numbers per row. */
  d: number;
  /** Neighbours per row, the row itself excluded; from 1 to n − 1. */
  k: number;
  /** Default `euclidean`. For `cosine` no row may be zero. */
  metric?: Metric | undefined;
  /**
   * `exact`: all pairs, by matrix products. `approximate`: about 98 of 100 neighbours, by cells and NN-descent.
   * `auto`, the default, compares all pairs up to 12,000 rows and where cells do not serve the vectors.
   */
  search?: SearchChoice | undefined;
  /** Of the approximate search; a whole number. Default 42. */
  seed?: number | undefined;
  /** Default 1. The result is the same for any number. */
  threads?: number | undefined;
  /** Rejects with Interrupted when aborted; the signal's reason is its cause. */
  signal?: AbortSignal | undefined;
  onProgress?: ProgressListener<'neighbors'> | undefined;
}

const rules: OptionRules<NearestNeighborsOptions> = {
  n: required(wholeNumber(2)),
  d: required(wholeNumber(1)),
  k: required(wholeNumber(1)),
  metric: oneOf('cosine', 'euclidean'),
  search: oneOf('auto', 'exact', 'approximate'),
  seed: seedRule,
  threads: wholeNumber(1, 1024),
  signal: abortSignal,
  onProgress: listener,
};

/**
 * The k nearest other rows of each row.
 *
 * Exact: n² · d / 2 multiply-adds in onnxruntime, candidates measured again in float64; 4 · d (euclidean 8 · d) + 20 · k + 100
 * bytes a row beyond vectors and result. Approximate: n · log n · d, and 2 · d + 24 · k + 200 bytes a row. Vectors in a
 * SharedArrayBuffer let threads share more of the approximate search.
 *
 * @param vectors Float32Array [n × d], row-major, finite; no zero rows for cosine. Not to be changed before the
 *   promise is settled.
 * @returns `indices`, Int32Array [n × k], nearest first, ties to the lower index, never the row itself; `distances`,
 *   Float32Array [n × k]: euclidean, or 1 − cosine. Equal for equal arguments, whatever the threads.
 * @throws TypeError, RangeError for arguments that are not as said; Interrupted when `signal` is aborted.
 *
 * Source: Dong, Moses, Li 2011, "Efficient k-nearest neighbor graph construction for generic similarity measures".
 */
export async function nearestNeighbors(
  vectors: Float32Array,
  options: NearestNeighborsOptions,
): Promise<Neighbors> {
  checkOptions('nearestNeighbors', options, rules);
  const { n, d, k, metric = 'euclidean', search = 'auto', seed, threads, signal, onProgress } = options;
  checkMatrix('nearestNeighbors', 'vectors', vectors, ['Float32Array'], n, d);
  if (k >= n) {
    throw new RangeError(
      `nearestNeighbors: expected k to be at most n − 1 = ${n - 1}, the other rows, got ${k}.`,
    );
  }
  stopIfAborted(signal);
  return chooseNeighborSearch(search, given({ seed }))(vectors, {
    ...{ n, d, k, metric },
    ...given({ threads, signal, onProgress: partOf(onProgress, 'neighbors') }),
  });
}

export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Interrupted('Stopped as asked.', { cause: signal.reason });
}
