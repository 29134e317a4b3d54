/** Principal components by subspace iteration: where rows stand on the axes along which they vary most. */

import { type Metric, rowLengths } from './distance.ts';
import { createRandom } from './random.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

export interface ComponentOptions {
  n: number;
  d: number;
  /** Axes wanted; those beyond min(n, d) are filled with zeros. */
  count: number;
  /** For cosine, rows are first scaled to length 1. */
  metric: Metric;
  seed: number;
}

/** Axes are found on at most this many rows, evenly spaced; all rows are then placed on them. */
const MOST_ROWS_FOR_AXES = 4096;
/** Axes carried along beyond those wanted: they take up what else varies much, which speeds convergence. */
const SPARE_AXES = 8;
/** Each round multiplies the share of unwanted axes by their variance over that of the wanted. */
const ROUNDS = 8;

/**
 * Source: Halko, Martinsson & Tropp 2011, algorithm 4.4, on centred rows.
 *
 * @param vectors Float32Array [n × d], finite; no zero rows for cosine.
 * @returns Float32Array [n × count]: coordinates, axes by falling variance, each axis turned so that its
 *   largest entry is positive.
 */
export function principalComponents(vectors: Float32Array, options: ComponentOptions): Float32Array {
  const { n, d, count, metric, seed } = options;
  const scores = new Float32Array(n * count);
  const p = Math.min(d, count + SPARE_AXES);
  if (n === 0 || p === 0) return scores;
  const lengths = metric === 'cosine' ? rowLengths(vectors, n, d) : null;

  // The centre of all rows.
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    const scale = lengths === null ? 1 : 1 / lengths[i];
    for (let x = 0; x < d; x++) mean[x] += vectors[i * d + x] * scale;
  }
  for (let x = 0; x < d; x++) mean[x] /= n;

  // The rows on which axes are found, centred.
  const s = Math.min(n, MOST_ROWS_FOR_AXES);
  const sample = new Float64Array(s * d);
  for (let r = 0; r < s; r++) {
    const i = Math.floor((r * n) / s);
    const scale = lengths === null ? 1 : 1 / lengths[i];
    for (let x = 0; x < d; x++) sample[r * d + x] = vectors[i * d + x] * scale - mean[x];
  }

  // Subspace iteration: axes ← orthonormal(sampleᵀ · sample · axes).
  const random = createRandom(seed, 0x70636173);
  let axes = new Float64Array(p * d);
  for (let x = 0; x < axes.length; x++) axes[x] = random.nextNormal();
  orthonormalize(axes, p, d);
  const covariance = new Float64Array(p * p);
  for (let round = 0; round <= ROUNDS; round++) {
    const next = new Float64Array(p * d);
    const at = new Float64Array(p);
    covariance.fill(0);
    for (let r = 0; r < s; r++) {
      for (let q = 0; q < p; q++) at[q] = dot(sample, r * d, axes, q * d, d);
      for (let q = 0; q < p; q++) {
        for (let x = 0; x < d; x++) next[q * d + x] += at[q] * sample[r * d + x];
        for (let t = 0; t < p; t++) covariance[q * p + t] += at[q] * at[t];
      }
    }
    // The last round only measures the variance along the axes.
    if (round === ROUNDS) break;
    axes = next;
    orthonormalize(axes, p, d);
  }

  // Turn the axes within their subspace to the directions of largest variance.
  const { vectors: turn } = symmetricEigen(covariance, p);
  const wanted = Math.min(count, p);
  const turned = new Float64Array(wanted * d);
  for (let q = 0; q < wanted; q++) {
    let largest = 0;
    for (let x = 0; x < d; x++) {
      let sum = 0;
      for (let t = 0; t < p; t++) sum += turn[t * p + q] * axes[t * d + x];
      turned[q * d + x] = sum;
      if (Math.abs(sum) > Math.abs(largest)) largest = sum;
    }
    if (largest < 0) for (let x = 0; x < d; x++) turned[q * d + x] = -turned[q * d + x];
  }

  const row = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    const scale = lengths === null ? 1 : 1 / lengths[i];
    for (let x = 0; x < d; x++) row[x] = vectors[i * d + x] * scale - mean[x];
    for (let q = 0; q < wanted; q++) scores[i * count + q] = dot(row, 0, turned, q * d, d);
  }
  return scores;
}

function dot(a: Float64Array, atA: number, b: Float64Array, atB: number, d: number): number {
  let sum = 0;
  for (let x = 0; x < d; x++) sum += a[atA + x] * b[atB + x];
  return sum;
}

/** Gram–Schmidt, twice for precision; a vector that depends on those before it becomes zero. */
function orthonormalize(axes: Float64Array, p: number, d: number): void {
  for (let q = 0; q < p; q++) {
    const before = Math.sqrt(dot(axes, q * d, axes, q * d, d));
    for (let pass = 0; pass < 2; pass++) {
      for (let t = 0; t < q; t++) {
        const share = dot(axes, q * d, axes, t * d, d);
        for (let x = 0; x < d; x++) axes[q * d + x] -= share * axes[t * d + x];
      }
    }
    const length = Math.sqrt(dot(axes, q * d, axes, q * d, d));
    const scale = length > 1e-12 * before ? 1 / length : 0;
    for (let x = 0; x < d; x++) axes[q * d + x] *= scale;
  }
}
