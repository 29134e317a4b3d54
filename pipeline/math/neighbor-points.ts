/**
 * Rows as 16-bit whole numbers whose inner products rank neighbours: about their centre, for cosine at length 1
 * first, so that both metrics come down to euclidean distance. Rounding moves a cosine by about 1e-5.
 */

import { type Metric, rowLengths } from './distance.ts';

/** Longest row; with the rounding of up to 4,096 numbers, products stay within 2^30. */
const LONGEST = 32_700;
/** Above all numbers, so that cutting off the fraction of a number lifted by it rounds down. */
const UPLIFT = 65_536;
const ROUNDER = UPLIFT + 0.5;
/**
 * Rows further from the centre than so many times the median are brought nearer, so that a single one does not
 * cost the others their precision. Only its candidates suffer; distances are measured on the row as it is.
 */
const MOST_MEDIANS = 8;

export interface PointOptions {
  /** Rows of the vectors to take: Int32Array [n]. */
  chosen: Int32Array;
  /** Numbers per vector. */
  d: number;
  metric: Metric;
}

/**
 * @param vectors Float32Array [all rows × d], checked.
 * @param rows Receives n × width numbers; those beyond d are 0.
 * @param biases Receives minus half of each row's squared length, rounded down.
 */
export function quantizeRows(
  vectors: Float32Array,
  { chosen, d, metric }: PointOptions,
  rows: Int16Array,
  biases: Int32Array,
  width: number,
): void {
  const n = chosen.length;
  const lengths = metric === 'cosine' ? rowLengths(vectors, vectors.length / d, d) : null;
  const scales = Float64Array.from(chosen, (row) => (lengths === null ? 1 : 1 / lengths[row]));
  let center = centerOf(vectors, chosen, d, scales);
  let radii = radiiAbout(center, vectors, chosen, d, scales);
  let limit = MOST_MEDIANS * medianOf(radii);
  if (radii.some((radius) => radius > limit)) {
    // The centre of the others is the one to be precise about.
    const weights = scales.map((scale, i) => (radii[i] > limit ? 0 : scale));
    center = centerOf(vectors, chosen, d, weights);
    radii = radiiAbout(center, vectors, chosen, d, scales);
    limit = MOST_MEDIANS * medianOf(radii);
  }

  const longest = Math.min(limit, radii.reduce(larger, 0)) || 1;
  for (let i = 0; i < n; i++) {
    const scale = LONGEST / Math.max(longest, radii[i]);
    let squares = 0;
    for (let x = 0, at = chosen[i] * d, to = i * width; x < d; x++, at++, to++) {
      // Rounds, as Math.round does, at a quarter of its time.
      const value = (((vectors[at] * scales[i] - center[x]) * scale + ROUNDER) | 0) - UPLIFT;
      rows[to] = value;
      squares += value * value;
    }
    biases[i] = -Math.ceil(squares / 2);
  }
}

/** Mean of the scaled rows; those of scale 0 do not count. */
function centerOf(vectors: Float32Array, chosen: Int32Array, d: number, scales: Float64Array): Float64Array {
  const center = new Float64Array(d);
  let count = 0;
  for (let i = 0; i < chosen.length; i++) {
    if (scales[i] === 0) continue;
    count++;
    for (let x = 0, at = chosen[i] * d; x < d; x++, at++) center[x] += vectors[at] * scales[i];
  }
  return center.map((sum) => sum / count);
}

function radiiAbout(
  center: Float64Array,
  vectors: Float32Array,
  chosen: Int32Array,
  d: number,
  scales: Float64Array,
): Float64Array {
  const radii = new Float64Array(chosen.length);
  for (let i = 0; i < chosen.length; i++) {
    let sum = 0;
    for (let x = 0, at = chosen[i] * d; x < d; x++, at++) {
      const value = vectors[at] * scales[i] - center[x];
      sum += value * value;
    }
    radii[i] = Math.sqrt(sum);
  }
  return radii;
}

const larger = (a: number, b: number): number => Math.max(a, b);

function medianOf(values: Float64Array): number {
  return values.slice().sort()[values.length >> 1];
}

/**
 * Brings the rows into an order, each to its place, with room for one row.
 *
 * @param order [n]: the row that is to stand at each place.
 */
export function arrangeRows(rows: Int16Array, biases: Int32Array, order: Int32Array, width: number): void {
  const n = order.length;
  const placed = new Uint8Array(n);
  const first = new Int16Array(width);
  for (let start = 0; start < n; start++) {
    if (placed[start] === 1) continue;
    // Round the cycle: each place receives its row, which frees the next place.
    first.set(rows.subarray(start * width, (start + 1) * width));
    const firstBias = biases[start];
    let place = start;
    for (; order[place] !== start; place = order[place]) {
      const from = order[place];
      rows.copyWithin(place * width, from * width, (from + 1) * width);
      biases[place] = biases[from];
      placed[place] = 1;
    }
    rows.set(first, place * width);
    biases[place] = firstBias;
    placed[place] = 1;
  }
}
