/** An ordinary night: new and changed documents among those that lie where they lay. */

import type { Job, KeptLayout, Matrix, Reduced } from '../../pipeline/contract.ts';
import { fuzzyGraph } from '../../pipeline/math/fuzzy-graph.ts';
import { layout, prepareGraph } from '../../pipeline/math/umap.ts';
import { nearestNeighbors } from '../../pipeline/model/exact-neighbors.ts';
import { chooseNeighborSearch } from '../../pipeline/model/neighbor-search.ts';
import type { ReduceConfig } from './config.ts';
import { type LayoutOfGroup, placeInKept } from './keep-layout.ts';

/**
 * Places what has no place, and tells of the new themes that are set apart.
 *
 * @param vectors Of all documents, fit to take distances of.
 */
export async function takeIn(vectors: Matrix, kept: KeptLayout, job: Job<ReduceConfig>): Promise<Reduced> {
  const { n, d, values } = vectors;
  const { seed, threads, signal } = job;
  const { n_neighbors, metric, neighbors } = job.config;
  const k = Math.min(n_neighbors, n) - 1;
  const search = chooseNeighborSearch(neighbors, {
    seed,
    onChoice: (how) => job.notice(`reduce: ${how} (reduce.neighbors: ${neighbors}).`),
  });
  const onProgress = (done: number, total: number): void => job.progress(Math.floor((n * done) / total), n);
  const found = await search(values, { n, d, k, metric, threads, signal, onProgress });
  const { reduced, themes } = await placeInKept(
    fuzzyGraph(found, n, k),
    kept,
    layoutOfGroups(vectors, job),
    job.config,
    seed,
  );
  for (const rows of themes) {
    job.notice(
      `reduce: ${rows.length} documents that came since the layout was made are a theme of their own; they were set apart.`,
    );
  }
  job.progress(n, n);
  return reduced;
}

/** Layouts of some of the documents by themselves, as for all. */
function layoutOfGroups({ d, values }: Matrix, job: Job<ReduceConfig>): LayoutOfGroup {
  const { n_neighbors, metric } = job.config;
  const { seed, signal } = job;
  return async (rows, nComponents, minDist) => {
    const own = new Float32Array(rows.length * d);
    rows.forEach((i, r) => {
      own.set(values.subarray(i * d, (i + 1) * d), r * d);
    });
    const shape = { n: rows.length, d, nNeighbors: n_neighbors, nComponents, metric, seed, signal };
    const graph = await prepareGraph(own, { ...shape, search: nearestNeighbors });
    return layout(graph, { nComponents, minDist, signal });
  };
}
