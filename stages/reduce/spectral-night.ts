/** The reduce stage where reduce.layout is spectral: slow vectors to cluster by, and UMAP's layout for the map alone. */

import type { Job, KeptLayout, Matrix, Reduced } from '../../pipeline/contract.ts';
import { fuzzyGraph } from '../../pipeline/math/fuzzy-graph.ts';
import { layout, prepareGraph } from '../../pipeline/math/umap.ts';
import { chooseNeighborSearch } from '../../pipeline/model/neighbor-search.ts';
import type { ReduceConfig } from './config.ts';
import { mapOf, placeOnMap } from './keep-layout.ts';
import { spectralDimensions, spectralPlaces, turnedOnto } from './spectral-places.ts';

/** Fewer documents have too few slow vectors to tell topics by. */
export const LEAST_SPECTRAL = 100;

/**
 * @param vectors Of all documents, fit to take distances of; LEAST_SPECTRAL or more.
 * @param kept Places of the night before; null where all are made anew.
 * @param rebuilt Why, where they could have been kept.
 */
export async function spectralNight(
  vectors: Matrix,
  kept: KeptLayout | null,
  rebuilt: string,
  job: Job<ReduceConfig>,
): Promise<Reduced> {
  const { n, d: width, values } = vectors;
  const { seed, threads, signal } = job;
  const { n_neighbors, map_min_dist, metric, neighbors, epochs } = job.config;
  const search = chooseNeighborSearch(neighbors, {
    seed,
    onChoice: (how) => job.notice(`reduce: ${how} (reduce.neighbors: ${neighbors}).`),
  });
  const onProgress = (done: number, total: number): void =>
    job.progress(Math.floor((n * done) / total / 2), n);
  const k = Math.min(n_neighbors, n) - 1;
  const found = await search(values, { n, d: width, k, metric, threads, signal, onProgress });
  const graph = fuzzyGraph(found, n, k);
  const d = kept?.positions.reduced.d ?? spectralDimensions(n);
  const tonight = await spectralPlaces(graph, d, n_neighbors, { seed, threads, signal });

  if (kept !== null) {
    const { placed, positions } = kept;
    const map = placeOnMap(graph, kept, job.config, seed);
    job.progress(n, n);
    return {
      ...mapOf(map),
      reduced: { n, d, values: turnedOnto(tonight, positions.reduced.values, placed, d) },
      late: Uint8Array.from(placed, (known, i) => (known === 1 ? kept.late[i] : 1)),
      fitted: kept.fitted,
      rebuilt: '',
    };
  }
  const prepared = await prepareGraph(values, {
    n,
    d: width,
    nNeighbors: n_neighbors,
    nComponents: 2,
    metric,
    seed,
    threads,
    neighbors: found,
    signal,
  });
  const map = await layout(prepared, {
    nComponents: 2,
    minDist: map_min_dist,
    ...(epochs === undefined ? {} : { epochs }),
    threads,
    signal,
  });
  job.progress(n, n);
  return {
    ...mapOf(map),
    reduced: { n, d, values: tonight },
    late: new Uint8Array(n),
    fitted: n,
    rebuilt,
  };
}
