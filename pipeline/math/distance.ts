/**
 * Distances between the rows of a matrix, in float64, and the checks a matrix passes before any are
 * taken. Whoever searches for neighbours ranks by these numbers, however it found its candidates.
 */

export type Metric = 'cosine' | 'euclidean';

/** Distance between rows i and j; symmetric to the last bit, exactly 0 for i = j, never NaN. */
export type RowDistance = (i: number, j: number) => number;

/**
 * Cosine distances below this are rounding: float32 components carry a relative error of 6e-8, so two
 * directions less than about that angle apart (distance angle² / 2) cannot be told from equal ones.
 */
const SMALLEST_COSINE_DISTANCE = 1e-14;

/**
 * Checks a matrix at the door: its length, that every number is finite, and for cosine that no row is zero.
 *
 * @param vectors Float32Array [n × d].
 * @throws RangeError naming the row and both numbers.
 */
export function checkVectors(vectors: Float32Array, n: number, d: number, metric: Metric): void {
  if (vectors.length !== n * d) {
    throw new RangeError(`Expected ${n} rows × ${d} numbers = ${n * d}, got ${vectors.length}.`);
  }
  if (metric !== 'cosine' && metric !== 'euclidean') {
    throw new RangeError(`Expected metric to be "cosine" or "euclidean", got ${JSON.stringify(metric)}.`);
  }
  for (let i = 0; i < n; i++) {
    let largest = 0;
    for (let x = 0; x < d; x++) {
      const magnitude = Math.abs(vectors[i * d + x]);
      // Written so that NaN fails too.
      if (!(magnitude < Infinity)) {
        throw new RangeError(
          `Expected finite numbers, got ${vectors[i * d + x]} in row ${i} of ${n}, column ${x} of ${d}.`,
        );
      }
      if (magnitude > largest) largest = magnitude;
    }
    if (largest === 0 && metric === 'cosine') {
      throw new RangeError(
        `Cosine distance needs a direction: expected a length above 0, got 0 in row ${i} of ${n}.`,
      );
    }
  }
}

/**
 * Lengths of the rows.
 *
 * @param vectors Float32Array [n × d].
 * @returns Float64Array [n].
 */
export function rowLengths(vectors: Float32Array, n: number, d: number): Float64Array {
  const lengths = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let x = i * d; x < (i + 1) * d; x++) sum += vectors[x] * vectors[x];
    lengths[i] = Math.sqrt(sum);
  }
  return lengths;
}

/**
 * The distance of two rows, summed in float64.
 *
 * @param vectors Float32Array [n × d], checked.
 */
export function rowDistance(vectors: Float32Array, n: number, d: number, metric: Metric): RowDistance {
  const quads = d - (d % 4);
  if (metric === 'euclidean') {
    return (i, j) => {
      // Four sums hide the latency of the additions.
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let a = i * d;
      let b = j * d;
      for (const end = a + quads; a < end; a += 4, b += 4) {
        const d0 = vectors[a] - vectors[b];
        const d1 = vectors[a + 1] - vectors[b + 1];
        const d2 = vectors[a + 2] - vectors[b + 2];
        const d3 = vectors[a + 3] - vectors[b + 3];
        s0 += d0 * d0;
        s1 += d1 * d1;
        s2 += d2 * d2;
        s3 += d3 * d3;
      }
      for (const end = (i + 1) * d; a < end; a++, b++) {
        const difference = vectors[a] - vectors[b];
        s0 += difference * difference;
      }
      return Math.sqrt(s0 + s1 + (s2 + s3));
    };
  }
  const lengths = rowLengths(vectors, n, d);
  return (i, j) => {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let a = i * d;
    let b = j * d;
    for (const end = a + quads; a < end; a += 4, b += 4) {
      s0 += vectors[a] * vectors[b];
      s1 += vectors[a + 1] * vectors[b + 1];
      s2 += vectors[a + 2] * vectors[b + 2];
      s3 += vectors[a + 3] * vectors[b + 3];
    }
    for (const end = (i + 1) * d; a < end; a++, b++) s0 += vectors[a] * vectors[b];
    const distance = 1 - (s0 + s1 + (s2 + s3)) / (lengths[i] * lengths[j]);
    return distance < SMALLEST_COSINE_DISTANCE ? 0 : distance;
  };
}
