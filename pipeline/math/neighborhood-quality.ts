/**
 * How well a layout keeps neighbourhoods: what UMAP is measured by. All pairs are compared, so for many rows
 * a sample of them is asked.
 */

import { checkVectors, type Metric, rowDistance } from './distance.ts';

export interface QualityOptions {
  n: number;
  /** Numbers per row before and after the reduction. */
  d: number;
  nComponents: number;
  /** Size of the neighbourhood, the row itself excluded; under n / 2. */
  k: number;
  /** Metric of the vectors; the layout is always measured by euclidean distance. */
  metric: Metric;
  /** Ask only this many rows, evenly spaced. Default all. */
  rows?: number;
}

export interface NeighborhoodQuality {
  /**
   * 1 when no row gains a neighbour that was far away; false neighbours count by how far away they were
   * (Venna & Kaski 2001; scikit-learn's sklearn.manifold.trustworthiness).
   */
  trustworthiness: number;
  /** Mean share of a row's k nearest vectors that are among its k nearest in the layout. */
  neighborsKept: number;
}

/** Both measures at once, for they need the same ranks. */
export function neighborhoodQuality(
  vectors: Float32Array,
  layout: Float32Array,
  options: QualityOptions,
): NeighborhoodQuality {
  const { n, d, nComponents, k, metric, rows = n } = options;
  checkVectors(vectors, n, d, metric);
  checkVectors(layout, n, nComponents, 'euclidean');
  if (!(Number.isInteger(k) && k >= 1 && k < n / 2)) {
    throw new RangeError(`Expected k to be a whole number from 1 to below n / 2 = ${n / 2}, got ${k}.`);
  }
  const before = rowDistance(vectors, n, d, metric);
  const after = rowDistance(layout, n, nComponents, 'euclidean');
  const distances = new Float64Array(n);
  const asked = Math.min(rows, n);
  let penalty = 0;
  let kept = 0;
  for (let r = 0; r < asked; r++) {
    const i = Math.floor((r * n) / asked);
    for (let j = 0; j < n; j++) distances[j] = after(i, j);
    const found = nearestOf(distances, i, k);
    for (let j = 0; j < n; j++) distances[j] = before(i, j);
    for (const j of found) {
      const rank = rankOf(distances, i, j);
      if (rank <= k) kept++;
      else penalty += rank - k;
    }
  }
  return {
    trustworthiness: 1 - (2 / (asked * k * (2 * n - 3 * k - 1))) * penalty,
    neighborsKept: kept / (asked * k),
  };
}

/** The k rows nearest to row i, ties to the lower index. */
function nearestOf(distances: Float64Array, i: number, k: number): number[] {
  const nearest: number[] = [];
  for (let j = 0; j < distances.length; j++) {
    if (j === i || (nearest.length === k && distances[j] >= distances[nearest[k - 1]])) continue;
    let at = Math.min(nearest.length, k - 1);
    for (; at > 0 && distances[nearest[at - 1]] > distances[j]; at--) nearest[at] = nearest[at - 1];
    nearest[at] = j;
  }
  return nearest;
}

/** Place of row j among the others by distance from row i, from 1; ties to the lower index. */
function rankOf(distances: Float64Array, i: number, j: number): number {
  let rank = 1;
  for (let other = 0; other < distances.length; other++) {
    if (other === i) continue;
    if (distances[other] < distances[j] || (distances[other] === distances[j] && other < j)) rank++;
  }
  return rank;
}
