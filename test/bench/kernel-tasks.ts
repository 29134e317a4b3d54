/** What the kernel benches run in processes of their own: our kernels and the JavaScript peers, on one file of points. */

import { HDBSCAN } from 'hdbscan-ts';
import { UMAP } from 'umap-js';
import { classTfIdf } from '../../pipeline/math/class-tf-idf.ts';
import { fuzzyGraph } from '../../pipeline/math/fuzzy-graph.ts';
import { hdbscan } from '../../pipeline/math/hdbscan.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { layout } from '../../pipeline/math/umap.ts';
import { startPositions } from '../../pipeline/math/umap-start.ts';
import { nearestNeighbors } from '../../pipeline/model/exact-neighbors.ts';
import { readFloats, writeNumbers } from './float-file.ts';
import { classCounts } from './synthetic-points.ts';
import { fingerprint, type Timing, timed } from './timing.ts';

export interface PointsJob {
  /** Raw float32 [n × d]. */
  points: string;
  n: number;
  d: number;
}

export interface NeighborsJob extends PointsJob {
  k: number;
  threads: number;
}

export interface NeighborsResult {
  search: Timing;
  sha256: string;
}

export async function neighborsTask({ points, n, d, k, threads }: NeighborsJob): Promise<NeighborsResult> {
  const vectors = readFloats(points);
  const found = await timed(() => nearestNeighbors(vectors, { n, d, k, metric: 'cosine', threads }));
  return { search: found.timing, sha256: fingerprint(found.value.indices, found.value.distances) };
}

export interface UmapJob extends PointsJob {
  /** Neighbourhood, the row itself included. */
  nNeighbors: number;
  nComponents: number;
  minDist: number;
  epochs: number;
  threads: number;
  seed: number;
  /** Where the layout goes, float32 [n × nComponents]. */
  layout: string;
}

export interface UmapResult {
  parts: Record<'neighbors' | 'graph' | 'start' | 'layout', Timing>;
  sha256: string;
}

/** The steps of math/umap.ts one by one, as `umap` runs them. */
export async function umapTask(job: UmapJob): Promise<UmapResult> {
  const { n, d, nNeighbors, nComponents, minDist, epochs, threads, seed } = job;
  const vectors = readFloats(job.points);
  const k = nNeighbors - 1;
  const metric = 'cosine';
  const neighbors = await timed(() => nearestNeighbors(vectors, { n, d, k, metric, threads }));
  const graph = await timed(() => fuzzyGraph(neighbors.value, n, k));
  const start = await timed(() =>
    startPositions(graph.value, vectors, { n, d, metric, count: nComponents, seed }),
  );
  const prepared = { n, graph: graph.value, positions: start.value, count: nComponents, seed };
  const placed = await timed(() => layout(prepared, { nComponents, minDist, epochs }));
  writeNumbers(job.layout, placed.value);
  return {
    parts: { neighbors: neighbors.timing, graph: graph.timing, start: start.timing, layout: placed.timing },
    sha256: fingerprint(placed.value),
  };
}

/** umap-js on the same points, seeded; turning rows into its arrays is not timed. */
export async function umapJsTask(job: UmapJob): Promise<Timing> {
  const rows = toRows(readFloats(job.points), job.n, job.d);
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

export interface HdbscanJob extends PointsJob {
  minClusterSize: number;
  minSamples: number;
  /** Where the labels go, int32 [n]. */
  labels: string;
}

export async function hdbscanTask(job: HdbscanJob): Promise<Timing & { sha256: string }> {
  const points = readFloats(job.points);
  const { n, d, minClusterSize, minSamples } = job;
  const { value, timing } = await timed(() => hdbscan(points, { n, d, minClusterSize, minSamples }));
  writeNumbers(job.labels, value.labels);
  return { ...timing, sha256: fingerprint(value.labels, value.probabilities, value.outlierScores) };
}

export async function hdbscanTsTask(job: HdbscanJob): Promise<Timing> {
  const rows = toRows(readFloats(job.points), job.n, job.d);
  const { minClusterSize, minSamples } = job;
  const { value, timing } = await timed(() => new HDBSCAN({ minClusterSize, minSamples }).fit(rows));
  writeNumbers(job.labels, Int32Array.from(value));
  return timing;
}

export interface ClassTfIdfJob {
  c: number;
  v: number;
  /** Words per class. */
  draws: number;
  seed: number;
}

export async function classTfIdfTask({
  c,
  v,
  draws,
  seed,
}: ClassTfIdfJob): Promise<Timing & { entries: number; sha256: string }> {
  const counts = classCounts({ c, v, draws }, seed);
  const { value, timing } = await timed(() => classTfIdf(counts, { c, v }));
  return { ...timing, entries: counts.terms.length, sha256: fingerprint(value) };
}

function toRows(points: Float32Array, n: number, d: number): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from(points.subarray(i * d, (i + 1) * d)));
}

/** Of vectors of length 1. */
function cosineDistance(a: number[], b: number[]): number {
  let dot = 0;
  for (let x = 0; x < a.length; x++) dot += a[x] * b[x];
  return Math.max(0, 1 - dot);
}
