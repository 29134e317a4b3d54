/** k-means for tests that ask how well a layout tells groups apart: the best of some starts by k-means++. */

import { createRandom } from '../../pipeline/math/random.ts';

const STARTS = 10;
const STEPS = 30;

/** @returns Int32Array [n]: cluster of each row. */
export function kMeans(rows: Float32Array, n: number, d: number, c: number): Int32Array {
  let best = { spread: Infinity, labels: new Int32Array(n) };
  for (let start = 0; start < STARTS; start++) {
    const run = settle(rows, n, d, c, start);
    if (run.spread < best.spread) best = run;
  }
  return best.labels;
}

function settle(
  rows: Float32Array,
  n: number,
  d: number,
  c: number,
  seed: number,
): { spread: number; labels: Int32Array<ArrayBuffer> } {
  const random = createRandom(seed);
  const centers = new Float64Array(c * d);
  const squares = new Float64Array(n).fill(Infinity);
  const labels = new Int32Array(n);
  const best = { spread: 0, labels };
  const squaredTo = (i: number, q: number): number => {
    let sum = 0;
    for (let x = 0; x < d; x++) sum += (rows[i * d + x] - centers[q * d + x]) ** 2;
    return sum;
  };
  // Each centre is a row drawn by its squared distance from the centres before.
  let at = random.nextBelow(n);
  for (let q = 0; q < c; q++) {
    centers.set(rows.subarray(at * d, (at + 1) * d), q * d);
    let total = 0;
    for (let i = 0; i < n; i++) {
      squares[i] = Math.min(squares[i], squaredTo(i, q));
      total += squares[i];
    }
    let left = random.nextFloat() * total;
    for (at = 0; at < n - 1 && left > squares[at]; at++) left -= squares[at];
  }
  for (let step = 0; step < STEPS; step++) {
    best.spread = 0;
    for (let i = 0; i < n; i++) {
      let least = Infinity;
      for (let q = 0; q < c; q++) {
        const squared = squaredTo(i, q);
        if (squared >= least) continue;
        least = squared;
        labels[i] = q;
      }
      best.spread += least;
    }
    const counts = new Float64Array(c);
    for (let i = 0; i < n; i++) counts[labels[i]]++;
    for (let q = 0; q < c; q++) if (counts[q] > 0) centers.fill(0, q * d, (q + 1) * d);
    for (let i = 0; i < n; i++) {
      for (let x = 0; x < d; x++) centers[labels[i] * d + x] += rows[i * d + x] / counts[labels[i]];
    }
  }
  return best;
}
