/** UMAP for programs: layouts of rows, and new rows placed into layouts that stay as they are. */

import type { Metric } from '../math/distance.ts';
import type { Neighbors } from '../math/nearest-neighbors.ts';
import { umap as layOut, type UmapPart } from '../math/umap.ts';
import { placeNewPoints } from '../math/umap-transform.ts';
import { chooseNeighborSearch, type SearchChoice } from '../model/neighbor-search.ts';
import { neighborsAmong } from '../model/neighbors-among.ts';
import {
  abortSignal,
  checkMatrix,
  checkOptions,
  countRows,
  isObject,
  kindRule,
  listener,
  numberAboveZero,
  numberFrom,
  type OptionRules,
  oneOf,
  required,
  seedRule,
  shown,
  wholeNumber,
} from './check-arguments.ts';
import { stopIfAborted } from './neighbors.ts';
import { given, type ProgressListener, partOf } from './progress.ts';

/** Names, meanings and defaults are those of umap-learn, where it has them. */
export interface UmapOptions {
  /** Rows, from 0 up. */
  n: number;
  /** Numbers per row. */
  d: number;
  /**
   * Size of the neighbourhood that shapes the layout, the row itself included; from 2, default 15. With n rows or fewer
   * than that, all rows are each other's neighbours.
   */
  nNeighbors?: number | undefined;
  /** Coordinates per row of the layout; default 2. */
  nComponents?: number | undefined;
  /** How close rows may come in the layout, from 0 to spread; default 0.1. Use 0 for clustering. */
  minDist?: number | undefined;
  /** The scale of the layout; default 1. */
  spread?: number | undefined;
  /** Default `euclidean`. For `cosine` no row may be zero. */
  metric?: Metric | undefined;
  /** A whole number, default 42; equal seeds give equal bytes. */
  seed?: number | undefined;
  /** Default 500 up to 10,000 rows, 200 beyond. */
  epochs?: number | undefined;
  /** How neighbours are found, as in `nearestNeighbors`; default `auto`. */
  search?: SearchChoice | undefined;
  /** Found already: nNeighbors − 1 others per row, for the same vectors and metric. */
  neighbors?: Neighbors | undefined;
  /**
   * `content`, the default: rows are worked on in the order of a hash of their numbers, so that each row has the same
   * place in whatever order they are handed in. Rows that are equal to the last bit may change places. It costs n · d
   * steps, a sort of n numbers and a copy of the vectors. `given`: as they stand, which should be a random order.
   */
  rowOrder?: 'content' | 'given' | undefined;
  /** Default 1. The result is the same for any number. */
  threads?: number | undefined;
  /** Rejects with Interrupted when aborted; the signal's reason is its cause. */
  signal?: AbortSignal | undefined;
  onProgress?: ProgressListener<UmapPart> | undefined;
}

export interface UmapResult {
  /** Float32Array [n × nComponents]. */
  embedding: Float32Array;
}

/** A layout, and what placing new rows in it takes. Plain data: it can be cloned, sent to a worker and stored. */
export interface UmapModel extends UmapResult {
  n: number;
  d: number;
  nNeighbors: number;
  nComponents: number;
  minDist: number;
  spread: number;
  metric: Metric;
  seed: number;
  /** Float32Array [n × d]: the rows in the order they were worked on. */
  rows: Float32Array;
  /** Float32Array [n × nComponents]: the places of those. */
  places: Float32Array;
}

export interface UmapTransformOptions {
  /** Default 100. */
  epochs?: number | undefined;
  /** Default 1. The result is the same for any number. */
  threads?: number | undefined;
  /** Rejects with Interrupted when aborted; the signal's reason is its cause. */
  signal?: AbortSignal | undefined;
  onProgress?: ProgressListener<'neighbors' | 'layout'> | undefined;
}

const NEIGHBORS_EXPECTED = 'neighbours as nearestNeighbors gives them, { indices, distances },';

const umapRules: OptionRules<UmapOptions> = {
  n: required(wholeNumber(0)),
  d: required(wholeNumber(1)),
  nNeighbors: wholeNumber(2),
  nComponents: wholeNumber(1),
  minDist: numberFrom(0),
  spread: numberAboveZero,
  metric: oneOf('cosine', 'euclidean'),
  seed: seedRule,
  epochs: wholeNumber(1),
  search: oneOf('auto', 'exact', 'approximate'),
  neighbors: kindRule(NEIGHBORS_EXPECTED, isObject),
  rowOrder: oneOf('content', 'given'),
  threads: wholeNumber(1, 1024),
  signal: abortSignal,
  onProgress: listener,
};

const transformRules: OptionRules<UmapTransformOptions> = {
  epochs: wholeNumber(1),
  threads: wholeNumber(1, 1024),
  signal: abortSignal,
  onProgress: listener,
};

/** New rows that are placed at once; what bounds the memory of placing. */
const BATCH_ROWS = 50_000;
/** Where the search of a batch ends, as a share of its placing. */
const SEARCH_SHARE = 0.7;

/**
 * Reduces rows to a few coordinates in which near rows stay near.
 *
 * Time: that of `nearestNeighbors`, then n · nNeighbors · epochs · nComponents. Memory: that of the search or 60 · nNeighbors
 * bytes a row, whichever is more, and the copy of the vectors.
 *
 * @param vectors Float32Array [n × d], row-major, finite; no zero rows for cosine. Left as it is, and not to be changed
 *   before the promise is settled.
 * @returns `embedding`, Float32Array [n × nComponents]. Equal for equal arguments, whatever the threads; a row's place
 *   does not depend on the order of the rows (see `rowOrder`). Fewer than 5 rows are placed by principal components.
 * @throws TypeError, RangeError for arguments that are not as said; Interrupted when `signal` is aborted.
 *
 * Source: McInnes, Healy, Melville 2018, "UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction".
 * Agrees with umap-learn 0.5.3 in trustworthiness and neighbours kept (test/math/umap.test.ts). Differs: see
 * math/umap-layout.ts and math/umap-start.ts.
 */
export async function umap(vectors: Float32Array, options: UmapOptions): Promise<UmapResult> {
  const { embedding } = await fitLayout('umap', vectors, options);
  return { embedding };
}

/** The same, and what `umapTransform` asks for: a copy of the vectors among it (`given` keeps the vectors themselves). */
export async function fitUmap(vectors: Float32Array, options: UmapOptions): Promise<UmapModel> {
  return fitLayout('fitUmap', vectors, options);
}

async function fitLayout(caller: string, vectors: Float32Array, options: UmapOptions): Promise<UmapModel> {
  checkOptions(caller, options, umapRules);
  const { n, d, nNeighbors = 15, nComponents = 2, minDist = 0.1, spread = 1 } = options;
  const { metric = 'euclidean', seed = 42, search = 'auto', epochs, neighbors, rowOrder } = options;
  const { threads, signal, onProgress } = options;
  if (minDist > spread) {
    throw new RangeError(`${caller}: expected minDist to be at most spread = ${spread}, got ${minDist}.`);
  }
  checkMatrix(caller, 'vectors', vectors, ['Float32Array'], n, d);
  if (neighbors !== undefined) {
    const k = Math.max(0, Math.min(nNeighbors, n) - 1);
    checkMatrix(caller, 'neighbors.indices', neighbors.indices, ['Int32Array'], n, k);
    checkMatrix(caller, 'neighbors.distances', neighbors.distances, ['Float32Array'], n, k);
  }
  stopIfAborted(signal);
  const fitted = await layOut(vectors, {
    ...{ n, d, nNeighbors, nComponents, minDist, spread, metric, seed },
    ...given({ epochs, neighbors, rowOrder, threads, signal, onProgress }),
    search: chooseNeighborSearch(search, { seed }),
  });
  return { n, d, nNeighbors, nComponents, minDist, spread, metric, seed, ...fitted };
}

/**
 * Places new rows into a layout, which stays as it is: each starts at the mean of its nearest rows, weighted, and
 * moves as they did.
 *
 * A row's place depends on the model and the row alone: not on the other new rows, their order or the batches they come
 * in. Time for m new rows: m · n · d for the exact neighbours, then m · nNeighbors · epochs. Memory: the model's rows
 * once more, and 50,000 new rows at a time.
 *
 * @param vectors Float32Array [m × d], row-major, finite, d as in the model; no zero rows for cosine.
 * @returns `embedding`, Float32Array [m × nComponents]. Equal for equal arguments, whatever the threads.
 * @throws TypeError, RangeError for arguments that are not as said; Interrupted when `signal` is aborted.
 *
 * Source: umap-learn 0.5.3, UMAP.transform. Differs: see math/umap-transform.ts.
 */
export async function umapTransform(
  model: UmapModel,
  vectors: Float32Array,
  options: UmapTransformOptions = {},
): Promise<UmapResult> {
  checkModel(model);
  checkOptions('umapTransform', options, transformRules);
  const { n, d, nNeighbors, nComponents, minDist, spread, metric, seed, rows, places } = model;
  const { epochs, threads, signal, onProgress } = options;
  const m = countRows('umapTransform', 'vectors', vectors, ['Float32Array'], d);
  checkNewRows(vectors, m, model);
  stopIfAborted(signal);
  const embedding = new Float32Array(m * nComponents);
  const k = Math.min(nNeighbors, n);
  const batch = Math.min(BATCH_ROWS, m);
  // The search wants all rows in one matrix: the model's, then the batch's.
  const all = new Float32Array((n + batch) * d);
  all.set(rows);
  const answering = Int32Array.from({ length: n }, (_, i) => i);
  for (let first = 0; first < m; first += batch) {
    const count = Math.min(batch, m - first);
    const share = (part: number): number => (first + count * part) / m;
    all.set(vectors.subarray(first * d, (first + count) * d), n * d);
    const searched = partOf(onProgress, 'neighbors', share(0), share(SEARCH_SHARE));
    const placed = partOf(onProgress, 'layout', share(SEARCH_SHARE), share(1));
    const neighbors = await neighborsAmong(all.subarray(0, (n + count) * d), {
      ...{ n: n + count, d, answering, k, metric },
      asking: Int32Array.from({ length: count }, (_, i) => n + i),
      ...given({ threads, signal, onProgress: searched }),
    });
    const found = await placeNewPoints(places, neighbors, {
      ...{ n, nComponents, count, k, minDist, spread, seed },
      ...given({ epochs, threads, signal, onProgress: placed }),
    });
    embedding.set(found, first * nComponents);
  }
  return { embedding };
}

function checkModel(model: unknown): asserts model is UmapModel {
  if (!isObject(model) || !ArrayBuffer.isView(model.rows) || !ArrayBuffer.isView(model.places)) {
    throw new TypeError(`umapTransform: expected a model that fitUmap gave, got ${shown(model)}.`);
  }
  const { n, d, nComponents, rows, places } = model as unknown as UmapModel;
  if (n === 0) throw new RangeError('umapTransform: expected a model of at least one row, got one of none.');
  checkMatrix('umapTransform', 'model.rows', rows, ['Float32Array'], n, d);
  checkMatrix('umapTransform', 'model.places', places, ['Float32Array'], n, nComponents);
}

/** Here, since the search counts new rows after the model's. */
function checkNewRows(vectors: Float32Array, m: number, { d, metric }: UmapModel): void {
  for (let i = 0; i < m; i++) {
    let isZero = true;
    for (let x = 0; x < d; x++) {
      const value = vectors[i * d + x];
      if (!Number.isFinite(value)) {
        throw new RangeError(
          `umapTransform: expected finite numbers, got ${value} in row ${i} of ${m}, column ${x} of ${d}.`,
        );
      }
      if (value !== 0) isZero = false;
    }
    if (isZero && metric === 'cosine') {
      throw new RangeError(
        `umapTransform: cosine distance needs a direction: expected a length above 0, got 0 in row ${i} of ${m}.`,
      );
    }
  }
}
