/** How far each point must reach to find company: core distances, and the neighbours met on the way. */

import { type ArrayMaker, ownArrays } from './array-maker.ts';
import { type KdTree, LEAF_SIZE, pointStart, squaredDistanceToChild } from './kd-tree.ts';

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
  const { n, d, points, start, end, right } = tree;
  const { squared, kept, neighbours } = core;
  const k = Math.min(core.minSamples, n);
  // Max-heap of the k nearest so far; its root is the distance to beat.
  const heapDistance = new Float64Array(k);
  const heapPlace = new Int32Array(k);
  const query = new Float64Array(d);
  const stackNode: number[] = [];
  const stackDistance: number[] = [];
  let leaves = 0;

  for (let p = from; p < to; p++) {
    const own = pointStart(tree, p);
    for (let c = 0; c < d; c++) query[c] = points[own + c * LEAF_SIZE];
    heapDistance.fill(Infinity);
    heapPlace.fill(-1);
    stackNode.push(0);
    stackDistance.push(0);
    while (stackNode.length > 0) {
      const node = stackNode.pop() as number;
      const distanceToNode = stackDistance.pop() as number;
      if (distanceToNode >= heapDistance[0]) continue;
      const rightChild = right[node];
      if (rightChild === 0) {
        leaves++;
        // Leaf: every point nearer than the k-th so far takes its place.
        for (let q = start[node]; q < end[node]; q++) {
          const distance = squaredDistanceTo(points, pointStart(tree, q), query, heapDistance[0]);
          if (distance < heapDistance[0]) replaceRoot(heapDistance, heapPlace, distance, q);
        }
        continue;
      }
      // Inner node: the nearer child is looked at first, so it goes on the stack last.
      const toLeft = squaredDistanceToChild(tree, node, 0, query);
      const toRight = squaredDistanceToChild(tree, node, 1, query);
      const leftFirst = toLeft < toRight || (toLeft === toRight && p < start[rightChild]);
      stackNode.push(leftFirst ? rightChild : node + 1, leftFirst ? node + 1 : rightChild);
      stackDistance.push(leftFirst ? toRight : toLeft, leftFirst ? toLeft : toRight);
    }
    squared[p] = core.minSamples > n ? Infinity : heapDistance[0];
    for (let i = 0; i < kept; i++) neighbours[p * kept + i] = heapPlace[i];
  }
  return leaves;
}

/**
 * Squared distance from a query to the point of a tree that begins at `pointAt`.
 *
 * @param bound The sum may stop early at anything above it.
 */
export function squaredDistanceTo(
  points: Float64Array,
  pointAt: number,
  query: Float64Array,
  bound: number,
): number {
  let sum = 0;
  for (let c = 0; c < query.length; c++) {
    const difference = points[pointAt + c * LEAF_SIZE] - query[c];
    sum += difference * difference;
    if (sum > bound) return sum;
  }
  return sum;
}

/** Puts a nearer point in place of the farthest, and restores the heap. */
function replaceRoot(
  heapDistance: Float64Array,
  heapPlace: Int32Array,
  distance: number,
  place: number,
): void {
  const k = heapDistance.length;
  let hole = 0;
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= k) break;
    if (child + 1 < k && heapDistance[child + 1] > heapDistance[child]) child++;
    if (heapDistance[child] <= distance) break;
    heapDistance[hole] = heapDistance[child];
    heapPlace[hole] = heapPlace[child];
    hole = child;
  }
  heapDistance[hole] = distance;
  heapPlace[hole] = place;
}
