/** What the kernel benches run in processes of their own: our kernels and the JavaScript peers, on one file of points. */

import { HDBSCAN } from 'hdbscan-ts';
import { classTfIdf } from '../../pipeline/math/class-tf-idf.ts';
import { hdbscan } from '../../pipeline/math/hdbscan.ts';
import { readFloats, writeNumbers } from './float-file.ts';
import { classCounts } from './synthetic-points.ts';
import { fingerprint, type Timing, timed } from './timing.ts';

export interface PointsJob {
  /** Raw float32 [n × d]. */
  points: string;
  n: number;
  d: number;
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
