/** The k nearest points of a kd-tree to a query, exactly. */

import { type KdTree, LEAF_SIZE, pointStart, squaredDistanceToChild } from './kd-tree.ts';

/** A search that is made many times over; each fills the same arrays anew. */
export interface NearestPlaces {
  /** [k] Squared distances of the places found, as a heap: the greatest first. Infinity where there are fewer. */
  squared: Float64Array;
  /** [k] Places beside them, −1 where there are fewer. */
  places: Int32Array;
  /**
   * @param query [d].
   * @param near Where the query lies in leaf order, or would: decides which of two boxes that are equally near is
   *   looked at first.
   * @returns Leaves that were looked at.
   */
  search(query: Float64Array, near: number): number;
}

/** @param k At least 1. */
export function nearestPlaces(tree: KdTree, k: number): NearestPlaces {
  const { points, start, end, right } = tree;
  const squared = new Float64Array(k);
  const places = new Int32Array(k);
  const stackNode: number[] = [];
  const stackDistance: number[] = [];
  return {
    squared,
    places,
    search: (query, near) => {
      squared.fill(Infinity);
      places.fill(-1);
      let leaves = 0;
      stackNode.push(0);
      stackDistance.push(0);
      while (stackNode.length > 0) {
        const node = stackNode.pop() as number;
        const distanceToNode = stackDistance.pop() as number;
        if (distanceToNode >= squared[0]) continue;
        const rightChild = right[node];
        if (rightChild === 0) {
          // Leaf: every point nearer than the k-th so far takes its place.
          leaves++;
          for (let q = start[node]; q < end[node]; q++) {
            const distance = squaredDistanceTo(points, pointStart(tree, q), query, squared[0]);
            if (distance < squared[0]) replaceRoot(squared, places, distance, q);
          }
          continue;
        }
        // Inner node: the nearer child is looked at first, so it goes on the stack last.
        const toLeft = squaredDistanceToChild(tree, node, 0, query);
        const toRight = squaredDistanceToChild(tree, node, 1, query);
        const leftFirst = toLeft < toRight || (toLeft === toRight && near < start[rightChild]);
        stackNode.push(leftFirst ? rightChild : node + 1, leftFirst ? node + 1 : rightChild);
        stackDistance.push(leftFirst ? toRight : toLeft, leftFirst ? toLeft : toRight);
      }
      return leaves;
    },
  };
}

/** Copies the point at a place into `query`, [d]. */
export function copyPoint(tree: KdTree, place: number, query: Float64Array): void {
  const from = pointStart(tree, place);
  for (let c = 0; c < tree.d; c++) query[c] = tree.points[from + c * LEAF_SIZE];
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
function replaceRoot(squared: Float64Array, places: Int32Array, distance: number, place: number): void {
  const k = squared.length;
  let hole = 0;
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= k) break;
    if (child + 1 < k && squared[child + 1] > squared[child]) child++;
    if (squared[child] <= distance) break;
    squared[hole] = squared[child];
    places[hole] = places[child];
    hole = child;
  }
  squared[hole] = distance;
  places[hole] = place;
}
