/** How far each point must reach to find company: core distances, and the neighbours met on the way. */

import { type KdTree, squaredDistanceToBox } from './kd-tree.ts';
import { squaredDistance } from './squared-distance.ts';

/**
 * Neighbours kept per point. Any neighbour within the core distance serves the spanning tree's shortcut
 * equally well, and this bounds memory when minSamples is large.
 */
const KEPT_NEIGHBOURS = 16;

export interface CoreDistances {
  /** [n] Squared distance to the minSamples-th nearest point, by position in the tree; the point itself counts. */
  squared: Float64Array;
  /** Neighbours kept per point. */
  kept: number;
  /** [n × kept] Positions of points within the core distance, in no order; −1 where there are fewer. */
  neighbours: Int32Array;
}

/**
 * Squared core distances, exactly, by position in the tree.
 *
 * @param minSamples Points that the core distance must take in, the point itself among them (as in
 *   scikit-learn; the hdbscan package does not count it). Where it exceeds n the distance is infinite.
 */
export function coreDistances(tree: KdTree, minSamples: number): CoreDistances {
  const { n, d, points, start, end, right } = tree;
  const k = Math.min(minSamples, n);
  const kept = Math.min(k, KEPT_NEIGHBOURS);
  const squared = new Float64Array(n);
  const neighbours = new Int32Array(n * kept).fill(-1);
  // Max-heap of the k nearest so far; its root is the distance to beat.
  const heapDistance = new Float64Array(k);
  const heapPosition = new Int32Array(k);
  const stackNode = new Int32Array(tree.nodes + 1);
  const stackDistance = new Float64Array(tree.nodes + 1);

  for (let p = 0; p < n; p++) {
    const pointStart = p * d;
    heapDistance.fill(Infinity);
    heapPosition.fill(-1);
    let depth = 0;
    stackNode[0] = 0;
    stackDistance[0] = 0;
    while (depth >= 0) {
      const node = stackNode[depth];
      const distanceToNode = stackDistance[depth--];
      if (distanceToNode >= heapDistance[0]) continue;
      const rightChild = right[node];
      if (rightChild === 0) {
        // Leaf: every point nearer than the k-th so far takes its place.
        for (let q = start[node]; q < end[node]; q++) {
          const distance = squaredDistance(points, pointStart, points, q * d, d, heapDistance[0]);
          if (distance < heapDistance[0]) replaceRoot(heapDistance, heapPosition, 0, k, distance, q);
        }
        continue;
      }
      // Inner node: the nearer child is looked at first, so it goes on the stack last.
      const leftChild = node + 1;
      const toLeft = squaredDistanceToBox(tree, leftChild, points, pointStart, heapDistance[0]);
      const toRight = squaredDistanceToBox(tree, rightChild, points, pointStart, heapDistance[0]);
      const leftFirst = toLeft < toRight || (toLeft === toRight && p < start[rightChild]);
      stackNode[++depth] = leftFirst ? rightChild : leftChild;
      stackDistance[depth] = leftFirst ? toRight : toLeft;
      stackNode[++depth] = leftFirst ? leftChild : rightChild;
      stackDistance[depth] = leftFirst ? toLeft : toRight;
    }
    squared[p] = minSamples > n ? Infinity : heapDistance[0];
    for (let i = 0; i < kept; i++) neighbours[p * kept + i] = heapPosition[i];
  }
  return { squared, kept, neighbours };
}

/**
 * The same numbers by looking at every pair once: for many dimensions, where boxes rule out too little to pay
 * for themselves. Memory n × minSamples × 12 bytes.
 */
export function denseCoreDistances(tree: KdTree, minSamples: number): CoreDistances {
  const { n, d, points } = tree;
  const k = Math.min(minSamples, n);
  const kept = Math.min(k, KEPT_NEIGHBOURS);
  const heapDistance = new Float64Array(n * k).fill(Infinity);
  const heapPosition = new Int32Array(n * k).fill(-1);
  for (let p = 0; p < n; p++) {
    replaceRoot(heapDistance, heapPosition, p * k, k, 0, p);
    // Outwards from the point: neighbours in leaf order are near, so the heap soon rules out the rest.
    for (let q = p - 1; q >= 0; q--) {
      const bound = Math.max(heapDistance[p * k], heapDistance[q * k]);
      const distance = squaredDistance(points, p * d, points, q * d, d, bound);
      if (distance >= bound) continue;
      if (distance < heapDistance[p * k]) replaceRoot(heapDistance, heapPosition, p * k, k, distance, q);
      if (distance < heapDistance[q * k]) replaceRoot(heapDistance, heapPosition, q * k, k, distance, p);
    }
  }
  const squared = new Float64Array(n);
  const neighbours = new Int32Array(n * kept);
  for (let p = 0; p < n; p++) {
    squared[p] = minSamples > n ? Infinity : heapDistance[p * k];
    for (let i = 0; i < kept; i++) neighbours[p * kept + i] = heapPosition[p * k + i];
  }
  return { squared, kept, neighbours };
}

/** Puts a nearer point in place of the farthest in the heap of k entries from `root` on, and restores the heap. */
function replaceRoot(
  heapDistance: Float64Array,
  heapPosition: Int32Array,
  root: number,
  k: number,
  distance: number,
  position: number,
): void {
  let hole = 0;
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= k) break;
    if (child + 1 < k && heapDistance[root + child + 1] > heapDistance[root + child]) child++;
    if (heapDistance[root + child] <= distance) break;
    heapDistance[root + hole] = heapDistance[root + child];
    heapPosition[root + hole] = heapPosition[root + child];
    hole = child;
  }
  heapDistance[root + hole] = distance;
  heapPosition[root + hole] = position;
}
