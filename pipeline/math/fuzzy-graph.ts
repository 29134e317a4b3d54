/**
 * From neighbours to UMAP's weighted graph: every row gets its own scale, so that distances become degrees
 * of membership, and the two memberships of a pair are joined.
 *
 * Source: McInnes, Healy & Melville 2018, section 3.1. Agrees with umap-learn 0.5.3 (test/oracle/umap.py).
 */

import type { Neighbors } from './nearest-neighbors.ts';

/** A symmetric weighted graph, as compressed rows. */
export interface WeightedGraph {
  n: number;
  /** Int32Array [n + 1]: where each row's entries start. */
  offsets: Int32Array;
  /** Int32Array [entries]: ascending in each row, never the row itself. Each edge stands in both rows. */
  targets: Int32Array;
  /** Float32Array [entries]: above 0, at most 1; equal in both directions. */
  weights: Float32Array;
}

export interface RowScales {
  /** Float64Array [n]: distance to the nearest neighbour that is not a copy; 0 where there is none. */
  nearest: Float64Array;
  /** Float64Array [n]: the scale σ of the exponential beyond it, above 0 unless all distances are 0. */
  sigma: Float64Array;
}

/** How far Σ membership may stay from its target, and the bisection steps at most, as in umap-learn. */
const MEMBERSHIP_TOLERANCE = 1e-5;
const BISECTION_STEPS = 64;
/** σ is at least this share of the mean distance, so that copies do not shrink a row's world to nothing. */
const SMALLEST_SIGMA = 1e-3;

/**
 * The scales at which each row's memberships sum to log2(k + 1). UMAP counts the row itself among its
 * neighbours: `n_neighbors` 15 means k = 14 here.
 *
 * @param distances Float32Array [n × k], ascending in each row.
 * @returns ρ and σ of each row.
 */
export function rowScales(distances: Float32Array, n: number, k: number): RowScales {
  const nearest = new Float64Array(n);
  const sigma = new Float64Array(n);
  const target = Math.log2(k + 1);
  let total = 0;
  for (let x = 0; x < n * k; x++) total += distances[x];
  const meanOfAll = total / (n * (k + 1));

  for (let i = 0; i < n; i++) {
    const start = i * k;
    const end = start + k;
    let sum = 0;
    let rho = 0;
    for (let x = end - 1; x >= start; x--) {
      sum += distances[x];
      if (distances[x] > 0) rho = distances[x];
    }
    // Bisection; the upper end is unknown at first, so it doubles.
    let low = 0;
    let high = Infinity;
    let middle = 1;
    for (let step = 0; step < BISECTION_STEPS; step++) {
      let membership = 0;
      for (let x = start; x < end; x++) {
        const beyond = distances[x] - rho;
        membership += beyond > 0 ? Math.exp(-beyond / middle) : 1;
      }
      if (Math.abs(membership - target) < MEMBERSHIP_TOLERANCE) break;
      if (membership > target) high = middle;
      else low = middle;
      middle = high === Infinity ? middle * 2 : (low + high) / 2;
    }
    const mean = rho > 0 ? sum / (k + 1) : meanOfAll;
    nearest[i] = rho;
    sigma[i] = Math.max(middle, SMALLEST_SIGMA * mean);
  }
  return { nearest, sigma };
}

/**
 * Membership of each row's neighbours, and the union of both directions: a + b − ab.
 *
 * @param neighbors k nearest others of each of n rows.
 */
export function fuzzyGraph(neighbors: Neighbors, n: number, k: number): WeightedGraph {
  const { indices, distances } = neighbors;
  const { nearest, sigma } = rowScales(distances, n, k);

  // Outgoing memberships, each row's by ascending target.
  const outTargets = new Int32Array(n * k);
  const outWeights = new Float64Array(n * k);
  const inOffsets = new Int32Array(n + 1);
  for (let i = 0; i < n; i++) {
    for (let x = i * k; x < (i + 1) * k; x++) {
      const beyond = distances[x] - nearest[i];
      const weight = beyond > 0 ? Math.exp(-beyond / sigma[i]) : 1;
      let at = x;
      for (; at > i * k && outTargets[at - 1] > indices[x]; at--) {
        outTargets[at] = outTargets[at - 1];
        outWeights[at] = outWeights[at - 1];
      }
      outTargets[at] = indices[x];
      outWeights[at] = weight;
      inOffsets[indices[x] + 1]++;
    }
  }

  // Incoming memberships, by ascending source because sources are walked in order.
  for (let i = 0; i < n; i++) inOffsets[i + 1] += inOffsets[i];
  const inSources = new Int32Array(n * k);
  const inWeights = new Float64Array(n * k);
  const fill = inOffsets.slice(0, n);
  for (let i = 0; i < n; i++) {
    for (let x = i * k; x < (i + 1) * k; x++) {
      const at = fill[outTargets[x]]++;
      inSources[at] = i;
      inWeights[at] = outWeights[x];
    }
  }

  // Both lists are sorted: merge them.
  const offsets = new Int32Array(n + 1);
  const targets = new Int32Array(2 * n * k);
  const weights = new Float32Array(2 * n * k);
  let m = 0;
  for (let i = 0; i < n; i++) {
    let out = i * k;
    let into = inOffsets[i];
    const outEnd = out + k;
    const intoEnd = inOffsets[i + 1];
    while (out < outEnd || into < intoEnd) {
      const target = out < outEnd ? outTargets[out] : n;
      const source = into < intoEnd ? inSources[into] : n;
      const j = Math.min(target, source);
      const a = target === j ? outWeights[out++] : 0;
      const b = source === j ? inWeights[into++] : 0;
      const weight = Math.fround(a + b - a * b);
      // A membership too small for float32 is none; it is so in both directions.
      if (weight === 0) continue;
      targets[m] = j;
      weights[m++] = weight;
    }
    offsets[i + 1] = m;
  }
  return { n, offsets, targets: targets.slice(0, m), weights: weights.slice(0, m) };
}

export interface Components {
  count: number;
  /** Int32Array [n]: component of each row; components are numbered by their lowest row. */
  of: Int32Array;
}

/** Rows that a path of edges joins. */
export function connectedComponents({ n, offsets, targets }: WeightedGraph): Components {
  const of = new Int32Array(n).fill(-1);
  const queue = new Int32Array(n);
  let count = 0;
  for (let root = 0; root < n; root++) {
    if (of[root] >= 0) continue;
    let head = 0;
    let tail = 0;
    queue[tail++] = root;
    of[root] = count;
    while (head < tail) {
      const i = queue[head++];
      for (let x = offsets[i]; x < offsets[i + 1]; x++) {
        const j = targets[x];
        if (of[j] >= 0) continue;
        of[j] = count;
        queue[tail++] = j;
      }
    }
    count++;
  }
  return { count, of };
}
