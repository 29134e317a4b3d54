/**
 * UMAP from vectors to layout. The steps are exported one by one, so that one graph and one start can serve
 * several layouts: the reduced vectors that are clustered, and the map.
 */

import { contentOrder } from './content-order.ts';
import type { Metric } from './distance.ts';
import { checkVectors } from './distance.ts';
import { fuzzyGraph, type WeightedGraph } from './fuzzy-graph.ts';
import { type NeighborSearch, type Neighbors, nearestNeighbors } from './nearest-neighbors.ts';
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

export type UmapOptions = GraphOptions & LayoutChoice;

/** Fewer rows than this are no graph worth laying out: they are placed by principal components. */
export const LEAST_ROWS = 5;

/**
 * Reduces rows to a few coordinates in which near rows stay near.
 *
 * Rows are worked on in an order of their own, that of a hash of their numbers, so that a row's place does not
 * depend on the order they are handed in (rows that are equal to the bit may change places).
 *
 * @param vectors Float32Array [n × d], finite; no zero rows for cosine. Left as it is.
 * @returns `embedding`, Float32Array [n × nComponents].
 * @throws RangeError when an option is out of range or a vector is not what it should be.
 */
export async function umap(
  vectors: Float32Array,
  options: UmapOptions,
): Promise<{ embedding: Float32Array }> {
  checkLayout(options);
  const { n, d, nNeighbors, nComponents, metric, neighbors, signal, onProgress, ...rest } = options;
  checkVectors(vectors, n, d, metric);
  // Search and layout count different things: together they are told in hundredths.
  const part = (from: number, to: number) => (done: number, total: number) =>
    onProgress?.(Math.floor(from + ((to - from) * done) / total), 100);
  const common = { ...rest, nComponents, ...(signal === undefined ? {} : { signal }) };

  const order = contentOrder(vectors, n, d);
  const prepared = await prepareGraph(takeRows(vectors, order, d), {
    ...common,
    ...(neighbors === undefined ? {} : { neighbors: reorderNeighbors(neighbors, order, nNeighbors) }),
    n,
    d,
    nNeighbors,
    metric,
    onProgress: part(0, 50),
  });
  const placed = await layout(prepared, { ...common, onProgress: part(50, 100) });
  const embedding = new Float32Array(n * nComponents);
  order.forEach((i, r) => {
    embedding.set(placed.subarray(r * nComponents, (r + 1) * nComponents), i * nComponents);
  });
  return { embedding };
}

function takeRows(vectors: Float32Array, order: Int32Array, d: number): Float32Array {
  const taken = new Float32Array(order.length * d);
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
  const graph = fuzzyGraph(neighbors, n, k);
  const { threads = 1, signal } = options;
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

function checkLayout({ nComponents, epochs }: LayoutChoice): void {
  if (!Number.isInteger(nComponents) || nComponents < 1) {
    throw new RangeError(`Expected nComponents to be a whole number from 1 up, got ${nComponents}.`);
  }
  if (epochs !== undefined && (!Number.isInteger(epochs) || epochs < 1)) {
    throw new RangeError(`Expected epochs to be a whole number from 1 up, got ${epochs}.`);
  }
}
