/** Where a topic lies among its documents: the centre of their vectors, its place on the map, its best examples. */

import type { Matrix } from '../../pipeline/contract.ts';
import { compareCodePoints } from './code-point-order.ts';

/** How many documents stand for a topic. */
const REPRESENTATIVES = 5;

/**
 * Cosine distance of each document of a topic from the topic's centre, the mean of its documents' vectors,
 * each scaled to length 1.
 *
 * @param vectors Of the topic's documents alone.
 * @returns Float64Array [n], 0 to 2; 1 for a vector of zeros, or where the vectors cancel out.
 */
export function distancesToCenter({ n, d, values }: Matrix): Float64Array {
  const center = new Float64Array(d);
  const lengths = new Float64Array(n);
  for (let at = 0; at < n; at++) {
    const start = at * d;
    let squares = 0;
    for (let i = 0; i < d; i++) squares += values[start + i] ** 2;
    lengths[at] = Math.sqrt(squares);
    if (lengths[at] === 0) continue;
    for (let i = 0; i < d; i++) center[i] += values[start + i] / lengths[at];
  }
  const centerLength = Math.sqrt(center.reduce((sum, value) => sum + value * value, 0));
  const distances = new Float64Array(n).fill(1);
  for (let at = 0; at < n; at++) {
    if (lengths[at] === 0 || centerLength === 0) continue;
    const start = at * d;
    let dot = 0;
    for (let i = 0; i < d; i++) dot += values[start + i] * center[i];
    // Rounding may leave a cosine a hair above 1.
    distances[at] = Math.max(0, 1 - dot / (lengths[at] * centerLength));
  }
  return distances;
}

/**
 * The documents that show best what a topic is about: sure members near its centre, by
 * `probability · (1 − distance)`; ties by document id.
 *
 * @param rows Documents of the topic, with their distances beside them.
 * @returns Document rows, most representative first; at most five.
 */
export function representatives(
  rows: Int32Array,
  distances: Float64Array,
  probability: Float32Array,
  ids: readonly string[],
): number[] {
  const score = Float64Array.from(rows, (row, at) => probability[row] * (1 - distances[at]));
  return Array.from(rows.keys())
    .sort((a, b) => score[b] - score[a] || compareCodePoints(ids[rows[a]], ids[rows[b]]))
    .slice(0, REPRESENTATIVES)
    .map((at) => rows[at]);
}

/**
 * The document nearest the median position of a topic's documents: a place on the map that lies among them
 * even where they form a ring or two islands; ties by document id.
 *
 * @returns Its row.
 */
export function medoid(
  rows: Int32Array,
  positions: { x: Float32Array; y: Float32Array },
  ids: readonly string[],
): number {
  const x = median(Float64Array.from(rows, (row) => positions.x[row]));
  const y = median(Float64Array.from(rows, (row) => positions.y[row]));
  let best = rows[0];
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    const distance = (positions.x[row] - x) ** 2 + (positions.y[row] - y) ** 2;
    if (
      distance < bestDistance ||
      (distance === bestDistance && compareCodePoints(ids[row], ids[best]) < 0)
    ) {
      best = row;
      bestDistance = distance;
    }
  }
  return best;
}

/** Middle value; the mean of the two in the middle where their number is even. Sorts in place. */
function median(values: Float64Array): number {
  values.sort();
  const middle = values.length >> 1;
  return values.length % 2 === 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}
