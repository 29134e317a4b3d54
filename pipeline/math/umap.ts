/**
 * UMAP from vectors to layout. The steps are exported one by one, so that one graph and one start can serve
 * several layouts: the reduced vectors that are clustered, and the map.
 */

import { contentOrder } from './content-order.ts';
import type { Metric } from './distance.ts';
import { checkVectors } from './distance.ts';
import { fuzzyGraph, type WeightedGraph } from './fuzzy-graph.ts';
import { type NeighborSearch, type Neighbors, nearestNeighbors } from './nearest-neighbors.ts';
import { pause } from './pause.ts';
import { principalComponents } from './principal-components.ts';
import { fitCurve } from './umap-curve.ts';
import { defaultEpochs, layoutGraph } from './umap-layout.ts';
import { scaleStart, startPositions } from './umap-start.ts';

export interface GraphOptions {
  /** Rows. */
  n: number;
  /** Numbers per row. */
  d: number;
  /**
   * Size of the neighbourhood that shapes the graph, the row itself included, as in umap-learn: from 2.
   * With n rows or fewer than that, all rows are each other's neighbours.
   */
  nNeighbors: number;
  metric: Metric;
  /** A whole number; equal seeds give equal bytes. */
  seed: number;
  /** Most coordinates that a layout of this graph will have. */
  nComponents: number;
  /** Threads; the result is the same for any number. Default 1. */
  threads?: number;
  /** Found already: nNeighbors − 1 others per row, for the same rows, metric and order. */
  neighbors?: Neighbors;
  /** How to find them otherwise; by default by comparing all pairs in plain code. */
  search?: NeighborSearch;
  signal?: AbortSignal;
  /** Called with the rows searched so far, of n. */
  onProgress?: (done: number, total: number) => void;
  /** Called when the neighbours are found and the graph is begun, and when its start is. */
  onPart?: (part: 'graph' | 'start') => void;
}

/** What any number of layouts of the same rows can share. */
export interface PreparedGraph {
  n: number;
  /** Null where there are too few rows for a graph; `positions` is the layout then. */
  graph: WeightedGraph | null;
  /** Float64Array [n × count]: start, unscaled. */
  positions: Float64Array;
  count: number;
  seed: number;
}

export interface LayoutChoice {
  nComponents: number;
  /** How close rows may come, in units of the layout: from 0 to spread. */
  minDist: number;
  /** The scale of the layout. Default 1. */
  spread?: number;
  /** Default 500 up to 10,000 rows, 200 beyond. */
  epochs?: number;
  /** Threads; the result is the same for any number. Default 1. */
  threads?: number;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/** Parts of the work, in order: finding neighbours, joining them to a graph, where rows start, how they move. */
export type UmapPart = 'neighbors' | 'graph' | 'start' | 'layout';

export interface UmapOptions
  extends Omit<GraphOptions, 'onProgress' | 'onPart'>,
    Omit<LayoutChoice, 'onProgress'> {
  /**
   * `content` (the default): rows are worked on in the order of a hash of their numbers, so that a row's place does
   * not depend on the order they are handed in (rows that are equal to the bit may change places). `given`: as they
   * stand, which should be a random order.
   */
  rowOrder?: 'content' | 'given';
  /** Called with the share of the whole work that is done, 0 to 1, and the part at hand. */
  onProgress?: (done: number, part: UmapPart) => void;
}

/** A layout, and what placing new rows in it takes. */
export interface FittedUmap {
  /** Float32Array [n × nComponents], in the order of the vectors handed in. */
  embedding: Float32Array;
  /** Float32Array [n × d]: the rows in the order they were worked on; the vectors themselves for `given`. */
  rows: Float32Array;
  /** Float32Array [n × nComponents]: their places. */
  places: Float32Array;
}

/** Fewer rows than this are no graph worth laying out: they are placed by principal components. */
export const LEAST_ROWS = 5;

/** Where each part of the work ends, as a share of its time; measured at 50,000 × 256. */
const PART_ENDS: Record<UmapPart, number> = { neighbors: 0.5, graph: 0.55, start: 0.65, layout: 1 };

/**
 * Reduces rows to a few coordinates in which near rows stay near.
 *
 * The order of a hash costs n·d steps, a sort of n numbers and a copy of the vectors.
 *
 * @param vectors Float32Array [n × d], finite; no zero rows for cosine. Left as it is.
 * @throws RangeError when an option is out of range or a vector is not what it should be.
 */
export async function umap(vectors: Float32Array, options: UmapOptions): Promise<FittedUmap> {
  checkLayout(options);
  const {
    n,
    d,
    nNeighbors,
    nComponents,
    metric,
    neighbors,
    rowOrder = 'content',
    onProgress,
    ...rest
  } = options;
  if (rowOrder !== 'content' && rowOrder !== 'given') {
    throw new RangeError(`Expected rowOrder to be "content" or "given", got ${JSON.stringify(rowOrder)}.`);
  }
  checkVectors(vectors, n, d, metric);
  const part =
    (name: UmapPart, from: number) =>
    (done: number, total: number): void =>
      onProgress?.(from + ((PART_ENDS[name] - from) * done) / total, name);

  const order = rowOrder === 'given' ? null : contentOrder(vectors, n, d);
  const rows = order === null ? vectors : takeRows(vectors, order, d, options.threads);
  const prepared = await prepareGraph(rows, {
    ...rest,
    ...(neighbors === undefined
      ? {}
      : { neighbors: order === null ? neighbors : reorderNeighbors(neighbors, order, nNeighbors) }),
    ...{ n, d, nNeighbors, nComponents, metric },
    onProgress: part('neighbors', 0),
    onPart: (name) => onProgress?.(name === 'graph' ? PART_ENDS.neighbors : PART_ENDS.graph, name),
  });
  const places = await layout(prepared, {
    ...rest,
    nComponents,
    onProgress: part('layout', PART_ENDS.start),
  });
  onProgress?.(1, 'layout');
  if (order === null) return { embedding: places.slice(), rows, places };
  const embedding = new Float32Array(n * nComponents);
  order.forEach((i, r) => {
    embedding.set(places.subarray(r * nComponents, (r + 1) * nComponents), i * nComponents);
  });
  return { embedding, rows, places };
}

/** In shared memory where several threads are to read them. */
function takeRows(vectors: Float32Array, order: Int32Array, d: number, threads = 1): Float32Array {
  const bytes = order.length * d * Float32Array.BYTES_PER_ELEMENT;
  const taken = new Float32Array(threads > 1 ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
  order.forEach((i, r) => {
    taken.set(vectors.subarray(i * d, (i + 1) * d), r * d);
  });
  return taken;
}

/** The same neighbours when rows are renumbered: row r of the new order is row order[r] of the old. */
function reorderNeighbors(neighbors: Neighbors, order: Int32Array, nNeighbors: number): Neighbors {
  const n = order.length;
  const k = Math.min(nNeighbors, n) - 1;
  checkNeighbors(neighbors, n, k);
  const numbers = new Int32Array(n);
  order.forEach((i, r) => {
    numbers[i] = r;
  });
  const moved: Neighbors = { indices: new Int32Array(n * k), distances: new Float32Array(n * k) };
  order.forEach((i, r) => {
    for (let x = 0; x < k; x++) {
      moved.indices[r * k + x] = numbers[neighbors.indices[i * k + x]];
      moved.distances[r * k + x] = neighbors.distances[i * k + x];
    }
  });
  return moved;
}

function checkNeighbors(neighbors: Neighbors, n: number, k: number): void {
  if (neighbors.indices.length !== n * k || neighbors.distances.length !== n * k) {
    throw new RangeError(
      `Expected ${n} rows × ${k} neighbours = ${n * k} indices and distances, ` +
        `got ${neighbors.indices.length} and ${neighbors.distances.length}.`,
    );
  }
  for (let x = 0; x < n * k; x++) {
    const [other, distance] = [neighbors.indices[x], neighbors.distances[x]];
    const i = Math.floor(x / k);
    if (!(other >= 0 && other < n && other !== i)) {
      throw new RangeError(
        `Expected the neighbours of row ${i} to be other rows, 0 to ${n - 1}, got ${other} at place ${x % k}.`,
      );
    }
    if (!(distance >= (x % k === 0 ? 0 : neighbors.distances[x - 1]) && distance < Infinity)) {
      throw new RangeError(
        `Expected distances from 0 up, ascending in each row, got ${distance} in row ${i} at place ${x % k}.`,
      );
    }
  }
}

/**
 * Neighbours, graph and start. Arguments and errors as {@link umap}, but rows are taken as they come: they should
 * stand in random order, that of a hash of their ids for example.
 */
export async function prepareGraph(vectors: Float32Array, options: GraphOptions): Promise<PreparedGraph> {
  const { n, d, nNeighbors, metric, seed, nComponents } = options;
  if (!Number.isInteger(nNeighbors) || nNeighbors < 2) {
    throw new RangeError(`Expected nNeighbors to be a whole number from 2 up, got ${nNeighbors}.`);
  }
  if (!Number.isInteger(seed)) throw new RangeError(`Expected seed to be a whole number, got ${seed}.`);
  checkVectors(vectors, n, d, metric);
  if (n < LEAST_ROWS) {
    const positions = Float64Array.from(
      principalComponents(vectors, { n, d, count: nComponents, metric, seed }),
    );
    return { n, graph: null, positions, count: nComponents, seed };
  }

  const k = Math.min(nNeighbors, n) - 1;
  const neighbors = options.neighbors ?? (await find(vectors, options, k));
  checkNeighbors(neighbors, n, k);
  const { threads = 1, signal, onPart } = options;
  onPart?.('graph');
  const graph = fuzzyGraph(neighbors, n, k);
  onPart?.('start');
  await pause(signal);
  const positions = await startPositions(graph, vectors, {
    ...{ n, d, metric, count: nComponents, seed, threads },
    ...(signal === undefined ? {} : { signal }),
  });
  return { n, graph, positions, count: nComponents, seed };
}

function find(vectors: Float32Array, options: GraphOptions, k: number): Promise<Neighbors> {
  const { n, d, metric, threads, search = nearestNeighbors, signal, onProgress } = options;
  return search(vectors, {
    n,
    d,
    k,
    metric,
    ...(threads === undefined ? {} : { threads }),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/**
 * One layout of a prepared graph.
 *
 * @returns Float32Array [n × nComponents].
 * @throws RangeError when an option is out of range.
 */
export async function layout(prepared: PreparedGraph, choice: LayoutChoice): Promise<Float32Array> {
  checkLayout(choice);
  const { n, graph, positions, count, seed } = prepared;
  const { nComponents, minDist, spread = 1, epochs = defaultEpochs(n), threads = 1 } = choice;
  const { signal, onProgress } = choice;
  if (nComponents > count) {
    throw new RangeError(`Expected at most the ${count} components prepared for, got ${nComponents}.`);
  }
  if (graph === null) {
    const placed = new Float32Array(n * nComponents);
    for (let i = 0; i < n; i++) {
      for (let q = 0; q < nComponents; q++) placed[i * nComponents + q] = positions[i * count + q];
    }
    return placed;
  }
  const start = scaleStart(positions, { n, count, nComponents, seed });
  return layoutGraph(graph, start, {
    nComponents,
    curve: fitCurve(minDist, spread),
    epochs,
    seed,
    threads,
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

function checkLayout({ nComponents, epochs }: Pick<LayoutChoice, 'nComponents' | 'epochs'>): void {
  if (!Number.isInteger(nComponents) || nComponents < 1) {
    throw new RangeError(`Expected nComponents to be a whole number from 1 up, got ${nComponents}.`);
  }
  if (epochs !== undefined && (!Number.isInteger(epochs) || epochs < 1)) {
    throw new RangeError(`Expected epochs to be a whole number from 1 up, got ${epochs}.`);
  }
}
