/** How far each point must reach to find company: core distances, and the neighbours met on the way. */

import { type ArrayMaker, ownArrays } from './array-maker.ts';
import type { KdTree } from './kd-tree.ts';
import { copyPoint, nearestPlaces } from './nearest-places.ts';

/**
 * Neighbours kept per point. Any neighbour within the core distance serves the spanning tree's shortcut
 * equally well, and this bounds memory when minSamples is large.
 */
const KEPT_NEIGHBOURS = 16;

export interface CoreDistances {
  /** Points that a core distance takes in, the point itself among them. */
  minSamples: number;
  /** [n] Squared distance to the minSamples-th nearest point, by place in the tree. */
  squared: Float64Array;
  /** Neighbours kept per point. */
  kept: number;
  /** [n × kept] Places of points within the core distance, in no order; −1 where there are fewer. */
  neighbours: Int32Array;
}

/**
 * @param minSamples Points that the core distance must take in, the point itself among them (as in
 *   scikit-learn; the hdbscan package does not count it). Where it exceeds n the distance is infinite.
 * @returns Nothing found yet.
 */
export function noCoreDistances(
  n: number,
  minSamples: number,
  arrays: ArrayMaker = ownArrays,
): CoreDistances {
  const kept = Math.min(minSamples, n, KEPT_NEIGHBOURS);
  return {
    minSamples,
    squared: arrays.float64(n).fill(Infinity),
    kept,
    neighbours: arrays.int32(n * kept).fill(-1),
  };
}

/**
 * Writes the exact core distances of the points at places `from` to `to`, and their neighbours.
 *
 * @returns Leaves that were looked at.
 */
export function findCoreDistances(tree: KdTree, core: CoreDistances, from: number, to: number): number {
  const { n, d } = tree;
  const { minSamples, squared, kept, neighbours } = core;
  const nearest = nearestPlaces(tree, Math.min(minSamples, n));
  const query = new Float64Array(d);
  let leaves = 0;
  for (let p = from; p < to; p++) {
    copyPoint(tree, p, query);
    leaves += nearest.search(query, p);
    squared[p] = minSamples > n ? Infinity : nearest.squared[0];
    for (let i = 0; i < kept; i++) neighbours[p * kept + i] = nearest.places[i];
  }
  return leaves;
}
