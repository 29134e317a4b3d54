/** What the UMAP bench runs in processes of their own: our steps, and umap-js, on one file of points. */

import { fuzzyGraph } from '../../pipeline/math/fuzzy-graph.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { layout } from '../../pipeline/math/umap.ts';
import { scaleStart, startPositions } from '../../pipeline/math/umap-start.ts';
import { nearestNeighbors } from '../../pipeline/model/neighbor-search.ts';
import { readFloats, writeNumbers } from './float-file.ts';
import { fingerprint, type Timing, timed } from './timing.ts';

export interface UmapJob {
  /** Raw float32 [n × d]. */
  points: string;
  n: number;
  d: number;
  /** Neighbourhood, the row itself included. */
  nNeighbors: number;
  nComponents: number;
  minDist: number;
  epochs: number;
  threads: number;
  seed: number;
  /** Where the layout goes, float32 [n × nComponents]. */
  layout: string;
  /** Where neighbours (int32), their distances (float32) and the start (float32) go, for a peer to lay out too. */
  neighbors: string;
  distances: string;
  start: string;
}

export interface UmapResult {
  parts: Record<'neighbors' | 'graph' | 'start' | 'layout', Timing>;
  sha256: string;
}

/** The steps of math/umap.ts one by one, as the reduce stage runs them. */
export async function umapTask(job: UmapJob): Promise<UmapResult> {
  const { n, d, nNeighbors, nComponents, minDist, epochs, threads, seed } = job;
  const vectors = readFloats(job.points);
  const k = nNeighbors - 1;
  const metric = 'cosine';
  const neighbors = await timed(() => nearestNeighbors(vectors, { n, d, k, metric, threads }));
  const graph = await timed(() => fuzzyGraph(neighbors.value, n, k));
  const start = await timed(() =>
    startPositions(graph.value, vectors, { n, d, metric, count: nComponents, seed, threads }),
  );
  const prepared = { n, graph: graph.value, positions: start.value, count: nComponents, seed };
  const placed = await timed(() => layout(prepared, { nComponents, minDist, epochs, threads }));
  writeNumbers(job.layout, placed.value);
  writeNumbers(job.neighbors, neighbors.value.indices);
  writeNumbers(job.distances, neighbors.value.distances);
  writeNumbers(job.start, scaleStart(start.value, { n, count: nComponents, nComponents, seed }));
  return {
    parts: { neighbors: neighbors.timing, graph: graph.timing, start: start.timing, layout: placed.timing },
    sha256: fingerprint(placed.value),
  };
}

/** umap-js on the same points, seeded; turning rows into its arrays is not timed. */
export async function umapJsTask(job: UmapJob): Promise<Timing> {
  const { n, d } = job;
  const points = readFloats(job.points);
  const rows = Array.from({ length: n }, (_, i) => Array.from(points.subarray(i * d, (i + 1) * d)));
  const { UMAP } = await import('umap-js');
  const umap = new UMAP({
    nNeighbors: job.nNeighbors,
    nComponents: job.nComponents,
    minDist: job.minDist,
    nEpochs: job.epochs,
    distanceFn: cosineDistance,
    random: createRandom(job.seed).nextFloat,
  });
  const { value, timing } = await timed(() => umap.fit(rows));
  writeNumbers(job.layout, Float32Array.from(value.flat()));
  return timing;
}

/** Of vectors of length 1. */
function cosineDistance(a: number[], b: number[]): number {
  let dot = 0;
  for (let x = 0; x < a.length; x++) dot += a[x] * b[x];
  return Math.max(0, 1 - dot);
}
