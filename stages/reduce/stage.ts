/** Reduce: a few numbers per document to cluster by, and a place on the 2-d map, from one neighbour graph. */

import type { PositionColumns, ReduceStage } from '../../pipeline/contract.ts';
import { LEAST_ROWS, layout, prepareGraph } from '../../pipeline/math/umap.ts';
import { chooseNeighborSearch } from '../../pipeline/model/neighbor-search.ts';
import { type ReduceConfig, section } from './config.ts';
import { usableVectors } from './usable-vectors.ts';

/** Where the graph and the first layout end, as shares of the stage's time; measured at 50,000 documents. */
const GRAPH_SHARE = 0.3;
const REDUCED_SHARE = 0.7;

export const stage: ReduceStage<ReduceConfig> = {
  name: 'reduce',
  version: 2,
  section,
  seeded: true,
  async run(vectors, documentIds, job): Promise<PositionColumns> {
    const { n, d } = vectors;
    const { n_neighbors, n_components, min_dist, map_min_dist, metric, neighbors, epochs } = job.config;
    const { seed, threads, signal } = job;
    const usable = usableVectors(vectors, documentIds, job);
    if (n > 0 && n < LEAST_ROWS) {
      job.notice(
        `reduce: ${n} documents are too few for a neighbour graph (at least ${LEAST_ROWS}); they were placed ` +
          'by principal components.',
      );
    } else if (n > 0 && n < n_neighbors) {
      job.notice(`reduce: n_neighbors is ${n_neighbors}, but there are ${n} documents; ${n} was used.`);
    }
    // Each part counts its own things; told together as documents.
    const part = (from: number, to: number) => (done: number, total: number) =>
      job.progress(Math.floor(n * (from + ((to - from) * done) / total)), n);

    const graph = await prepareGraph(usable, {
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
      onProgress: part(0, GRAPH_SHARE),
    });
    const rounds = epochs === undefined ? {} : { epochs };
    const reduced = await layout(graph, {
      nComponents: n_components,
      minDist: min_dist,
      ...rounds,
      threads,
      signal,
      onProgress: part(GRAPH_SHARE, REDUCED_SHARE),
    });
    const map = await layout(graph, {
      nComponents: 2,
      minDist: map_min_dist,
      ...rounds,
      threads,
      signal,
      onProgress: part(REDUCED_SHARE, 1),
    });
    job.progress(n, n);

    return {
      x: Float32Array.from({ length: n }, (_, i) => map[2 * i]),
      y: Float32Array.from({ length: n }, (_, i) => map[2 * i + 1]),
      reduced: { n, d: n_components, values: reduced },
    };
  },
};
