/** What the kernel benches run in processes of their own: our kernels and the JavaScript peers, on one file of points. */

import { HDBSCAN } from 'hdbscan-ts';
import { adjustedRandIndex } from '../../pipeline/evaluate/clustering-agreement.ts';
import { approximatePredict } from '../../pipeline/math/approximate-predict.ts';
import { fitHdbscan, hdbscan } from '../../pipeline/math/hdbscan.ts';
import { allPointsMembershipVectors, membershipVectors } from '../../pipeline/math/membership-vectors.ts';
import { readFloats, writeNumbers } from './float-file.ts';
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

/** The file holds 2n points: the first n are clustered, the others placed. */
export type PlaceJob = Omit<HdbscanJob, 'labels'>;

export interface PlaceResult {
  predict: Timing;
  /** Soft membership vectors of the new points, and of those clustered. */
  vectors: Timing;
  allVectors: Timing;
  clusters: number;
  /** ARI of a new point's label to that of the clustering of its own half, over points that both give one. */
  agreement: number;
}

export async function placeTask({
  points,
  n,
  d,
  minClusterSize,
  minSamples,
}: PlaceJob): Promise<PlaceResult> {
  const all = readFloats(points);
  const fresh = all.subarray(n * d);
  const model = fitHdbscan(all.subarray(0, n * d), { n, d, minClusterSize, minSamples });
  const predicted = await timed(() => approximatePredict(model, fresh));
  const vectors = await timed(() => membershipVectors(model, fresh));
  const allVectors = await timed(() => allPointsMembershipVectors(model));
  const own = hdbscan(fresh, { n, d, minClusterSize, minSamples }).labels;
  const { labels } = predicted.value;
  const both = [...labels.keys()].filter((i) => labels[i] >= 0 && own[i] >= 0);
  return {
    predict: predicted.timing,
    vectors: vectors.timing,
    allVectors: allVectors.timing,
    clusters: allVectors.value.length / n,
    agreement: adjustedRandIndex(
      Int32Array.from(both, (i) => labels[i]),
      Int32Array.from(both, (i) => own[i]),
    ),
  };
}

function toRows(points: Float32Array, n: number, d: number): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from(points.subarray(i * d, (i + 1) * d)));
}
