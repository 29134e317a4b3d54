/** The two layouts of this stage, the reduced vectors and the map: fitted on documents, or placed among others. */

import type { Job } from '../../pipeline/contract.ts';
import { layout, prepareGraph } from '../../pipeline/math/umap.ts';
import { placeNewPoints } from '../../pipeline/math/umap-transform.ts';
import { chooseNeighborSearch } from '../../pipeline/model/neighbor-search.ts';
import { neighborsAmong } from '../../pipeline/model/neighbors-among.ts';
import { bestLayout } from './best-layout.ts';
import type { ReduceConfig } from './config.ts';
import type { Split } from './fit-sample.ts';
import type { UsableRows } from './usable-vectors.ts';

export interface Layouts {
  /** Float32Array [n × n_components]. */
  reduced: Float32Array;
  /** Float32Array [n × 2]. */
  map: Float32Array;
}

export interface Rows {
  n: number;
  d: number;
  /** Float32Array [n × d]: usable vectors. */
  vectors: Float32Array;
}

/** A listener for each part of the work, from one share of it to another. */
export type Parts = (from: number, to: number) => (done: number, total: number) => void;

// Where the graph and the first layout end, as shares of the fit; where the search for the neighbours of a batch
// ends, as a share of its placing. Measured at 50,000 documents.
const GRAPH_SHARE = 0.5;
const REDUCED_SHARE = 0.8;
const SEARCH_SHARE = 0.7;
/** Documents that are placed at once: what bounds the memory of placing. */
const BATCH_DOCUMENTS = 50_000;

/** Fits both layouts on all rows. */
export async function fitLayouts(rows: Rows, job: Job<ReduceConfig>, parts: Parts): Promise<Layouts> {
  const { n, d, vectors } = rows;
  const { n_neighbors, n_components, min_dist, map_min_dist, metric, neighbors, epochs } = job.config;
  const { seed, threads, signal } = job;
  const graph = await prepareGraph(vectors, {
    n,
    d,
    nNeighbors: n_neighbors,
    nComponents: n_components,
    metric,
    seed,
    threads,
    search: chooseNeighborSearch(neighbors, {
      seed,
      onChoice: (how) => job.notice(`reduce: ${how} (reduce.neighbors: ${neighbors}).`),
    }),
    signal,
    onProgress: parts(0, GRAPH_SHARE),
  });
  const common = { threads, signal, ...(epochs === undefined ? {} : { epochs }) };
  const reduced = await bestLayout(graph, n_neighbors, job.config.tries, {
    nComponents: n_components,
    minDist: min_dist,
    ...common,
    onProgress: parts(GRAPH_SHARE, REDUCED_SHARE),
  });
  const map = await layout(graph, {
    nComponents: 2,
    minDist: map_min_dist,
    ...common,
    onProgress: parts(REDUCED_SHARE, 1),
  });
  return { reduced, map };
}

/**
 * Places the other documents, batch by batch, into layouts that were fitted on some. Only the fitted and those of one
 * batch are in memory.
 */
export async function placeOthers(
  rows: UsableRows,
  { fitted, placed }: Split,
  layouts: Layouts,
  job: Job<ReduceConfig>,
  parts: Parts,
): Promise<Layouts> {
  const { n, d } = rows;
  const { n_neighbors, n_components, min_dist, map_min_dist, metric } = job.config;
  const { seed, threads, signal } = job;
  const all: Layouts = { reduced: new Float32Array(n * n_components), map: new Float32Array(n * 2) };
  scatter(layouts, fitted, all, n_components);

  const k = Math.min(n_neighbors, fitted.length);
  const answering = Int32Array.from(fitted, (_, r) => r);
  // The fitted, and behind them a batch.
  const vectors = new Float32Array((fitted.length + Math.min(placed.length, BATCH_DOCUMENTS)) * d);
  vectors.set(rows.read(fitted));
  for (let first = 0; first < placed.length; first += BATCH_DOCUMENTS) {
    const batch = placed.subarray(first, first + BATCH_DOCUMENTS);
    const part = (from: number, to: number) =>
      parts((first + batch.length * from) / placed.length, (first + batch.length * to) / placed.length);
    vectors.set(rows.read(batch), fitted.length * d);
    const together = fitted.length + batch.length;
    const neighbors = await neighborsAmong(vectors.subarray(0, together * d), {
      ...{ n: together, d, asking: batch.map((_, r) => fitted.length + r), answering },
      ...{ k, metric, threads, signal },
      onProgress: part(0, SEARCH_SHARE),
    });
    const common = { n: fitted.length, count: batch.length, k, seed, threads, signal };
    const reduced = await placeNewPoints(layouts.reduced, neighbors, {
      ...{ ...common, nComponents: n_components, minDist: min_dist },
      onProgress: part(SEARCH_SHARE, (1 + SEARCH_SHARE) / 2),
    });
    const map = await placeNewPoints(layouts.map, neighbors, {
      ...{ ...common, nComponents: 2, minDist: map_min_dist },
      onProgress: part((1 + SEARCH_SHARE) / 2, 1),
    });
    scatter({ reduced, map }, batch, all, n_components);
  }
  return all;
}

/** Copies the places of some documents to where they stand among all. */
function scatter(from: Layouts, documents: Int32Array, to: Layouts, d: number): void {
  documents.forEach((i, r) => {
    to.reduced.set(from.reduced.subarray(r * d, (r + 1) * d), i * d);
    to.map.set(from.map.subarray(r * 2, (r + 1) * 2), i * 2);
  });
}
