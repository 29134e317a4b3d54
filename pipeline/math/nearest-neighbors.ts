/**
 * Exact nearest neighbours in plain typed arrays: what "the k nearest" means in this project (order, ties,
 * duplicates, errors), and the reference that the fast search on onnxruntime must equal. Quadratic;
 * meant for some thousands of rows.
 */

import { checkVectors, type Metric, type RowDistance, rowDistance } from './distance.ts';
import { pause } from './pause.ts';

export interface NeighborOptions {
  /** Rows. */
  n: number;
  /** Numbers per row. */
  d: number;
  /** Neighbours per row, the row itself excluded; from 1 to n − 1. */
  k: number;
  metric: Metric;
  /** Threads of the fast search; results do not depend on it. Default 1. */
  threads?: number;
  signal?: AbortSignal;
  /** Called now and then with rows done, of n. */
  onProgress?: (done: number, total: number) => void;
}

export interface Neighbors {
  /** Int32Array [n × k], nearest first, ties to the lower index, never the row itself. */
  indices: Int32Array;
  /** Float32Array [n × k], ascending in each row. */
  distances: Float32Array;
}

/** Anything that finds exact neighbours by the rules of this file. */
export type NeighborSearch = (vectors: Float32Array, options: NeighborOptions) => Promise<Neighbors>;

/** Rows with equal bits are searched once: a thousand copies of a row would otherwise all tie at 0. */
export interface DistinctRows {
  /** Number of distinct rows, u. */
  count: number;
  /** Int32Array [u]: lowest row of each group, ascending. */
  first: Int32Array;
  /** Int32Array [n]: group of each row. */
  group: Int32Array;
  /** Int32Array [u + 1]: where each group's rows start in `members`. */
  offsets: Int32Array;
  /** Int32Array [n]: rows by group, ascending in each. */
  members: Int32Array;
}

/** Multiply-adds between two turns of the event loop: about a tenth of a second. */
const WORK_PER_TURN = 5e7;

/**
 * The k nearest other rows of each row, by comparing all pairs in float64.
 *
 * @param vectors Float32Array [n × d], finite; no zero rows for cosine.
 * @throws RangeError when k is not in 1 … n − 1, or the vectors are not what they should be.
 */
export const nearestNeighbors: NeighborSearch = async (vectors, options) => {
  const { n, d, k, metric, signal, onProgress } = options;
  checkSearch(vectors, options);
  const distance = rowDistance(vectors, n, d, metric);
  const distinct = distinctRows(vectors, n, d);
  const u = distinct.count;
  const width = Math.min(k, u - 1);
  const nearest: NearestGroups = {
    width,
    groups: new Int32Array(u * width),
    distances: new Float64Array(u * width),
  };
  const rowsPerTurn = Math.max(1, Math.floor(WORK_PER_TURN / (u * d)));
  for (let g = 0; g < u; g++) {
    if (g % rowsPerTurn === 0) {
      await pause(signal);
      onProgress?.(Math.floor((g / u) * n), n);
    }
    scanGroup(g, distinct, distance, nearest);
  }
  onProgress?.(n, n);
  return expandGroups(distinct, nearest, n, k);
};

/** @throws RangeError as {@link nearestNeighbors} says. */
export function checkSearch(vectors: Float32Array, { n, d, k, metric }: NeighborOptions): void {
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(`Expected k, the neighbours per row, to be a whole number from 1 up, got ${k}.`);
  }
  if (n <= k) {
    throw new RangeError(`Expected more rows than neighbours, got ${n} rows for k = ${k}: at most n − 1.`);
  }
  checkVectors(vectors, n, d, metric);
}

/** Groups rows whose bits are equal. */
export function distinctRows(vectors: Float32Array, n: number, d: number): DistinctRows {
  const bits = new Uint32Array(vectors.buffer, vectors.byteOffset, n * d);
  const group = new Int32Array(n);
  const first: number[] = [];
  // Groups by hash; equal hashes are told apart by comparing rows.
  const byHash = new Map<number, number[]>();
  for (let i = 0; i < n; i++) {
    // FNV-1a over 32-bit words.
    let hash = 0x811c9dc5;
    for (let x = i * d; x < (i + 1) * d; x++) hash = Math.imul(hash ^ bits[x], 0x01000193);
    const bucket = byHash.get(hash);
    let found = bucket?.find((g) => equalRows(bits, d, first[g], i));
    if (found === undefined) {
      found = first.length;
      first.push(i);
      if (bucket === undefined) byHash.set(hash, [found]);
      else bucket.push(found);
    }
    group[i] = found;
  }
  const count = first.length;
  const offsets = new Int32Array(count + 1);
  for (let i = 0; i < n; i++) offsets[group[i] + 1]++;
  for (let g = 0; g < count; g++) offsets[g + 1] += offsets[g];
  const members = new Int32Array(n);
  const fill = offsets.slice(0, count);
  for (let i = 0; i < n; i++) members[fill[group[i]]++] = i;
  return { count, first: Int32Array.from(first), group, offsets, members };
}

function equalRows(bits: Uint32Array, d: number, i: number, j: number): boolean {
  for (let x = 0; x < d; x++) {
    if (bits[i * d + x] !== bits[j * d + x]) return false;
  }
  return true;
}

/** The nearest groups of each group, nearest first, ties to the group whose first row is lower. */
export interface NearestGroups {
  /** Entries per group. */
  width: number;
  /** Int32Array [u × width]. */
  groups: Int32Array;
  /** Float64Array [u × width]. */
  distances: Float64Array;
}

/** Fills the entries of group g by comparing it with all others. */
export function scanGroup(
  g: number,
  distinct: DistinctRows,
  distance: RowDistance,
  nearest: NearestGroups,
): void {
  const { first, count } = distinct;
  const row = first[g];
  let filled = 0;
  for (let other = 0; other < count; other++) {
    if (other === g) continue;
    filled = insertGroup(nearest, g, filled, other, distance(row, first[other]));
  }
}

/**
 * Puts a candidate in its place among the entries of group g, if it is near enough. Candidates may come
 * in any order, each once.
 *
 * @returns How many entries are filled now.
 */
export function insertGroup(
  nearest: NearestGroups,
  g: number,
  filled: number,
  candidate: number,
  distance: number,
): number {
  const { width, groups, distances } = nearest;
  const start = g * width;
  let at = start + filled;
  if (filled === width) {
    const last = at - 1;
    if (distance > distances[last] || (distance === distances[last] && candidate > groups[last]))
      return filled;
    at = last;
  }
  for (; at > start; at--) {
    const before = distances[at - 1];
    if (before < distance || (before === distance && groups[at - 1] < candidate)) break;
    distances[at] = before;
    groups[at] = groups[at - 1];
  }
  distances[at] = distance;
  groups[at] = candidate;
  return Math.min(filled + 1, width);
}

/**
 * From nearest groups to nearest rows: a row's own copies come first, at distance 0; rows at equal
 * distance stand in ascending order, whichever groups they belong to.
 *
 * The k nearest rows lie in the row's own group and its k nearest groups: each of those has at least one.
 */
export function expandGroups(
  distinct: DistinctRows,
  nearest: NearestGroups,
  n: number,
  k: number,
): Neighbors {
  const { first, group, offsets, members } = distinct;
  const { width, groups, distances } = nearest;
  const result: Neighbors = { indices: new Int32Array(n * k), distances: new Float32Array(n * k) };
  const tied: number[] = [];
  for (let i = 0; i < n; i++) {
    const own = group[i];
    // Mostly none of them has a copy, and what is known of groups holds for rows.
    let copies = offsets[own + 1] - offsets[own] - 1;
    for (let x = own * width; x < (own + 1) * width && copies === 0; x++) {
      copies = offsets[groups[x] + 1] - offsets[groups[x]] - 1;
    }
    if (copies === 0) {
      for (let x = 0; x < k; x++) {
        result.indices[i * k + x] = first[groups[own * width + x]];
        result.distances[i * k + x] = distances[own * width + x];
      }
      continue;
    }

    let filled = 0;
    let entry = -1;
    while (filled < k && entry < width) {
      // Rows of all groups at one distance, the own group standing before the first entry at distance 0.
      tied.length = 0;
      const level = entry < 0 ? 0 : distances[own * width + entry];
      if (entry < 0) {
        for (let m = offsets[own]; m < offsets[own + 1]; m++) {
          if (members[m] !== i) tied.push(members[m]);
        }
        entry = 0;
      }
      let joined = 0;
      while (entry < width && distances[own * width + entry] === level) {
        const other = groups[own * width + entry++];
        for (let m = offsets[other]; m < offsets[other + 1]; m++) tied.push(members[m]);
        joined++;
      }
      if (joined > 1 || (joined === 1 && level === 0)) tied.sort((a, b) => a - b);
      for (let t = 0; t < tied.length && filled < k; t++, filled++) {
        result.indices[i * k + filled] = tied[t];
        result.distances[i * k + filled] = level;
      }
    }
  }
  return result;
}
