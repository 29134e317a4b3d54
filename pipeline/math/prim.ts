/**
 * Prim's algorithm: grows one tree point by point, n² / 2 pairs at most. The walk needs no box to be tight,
 * which is what many dimensions take from a kd-tree, and it skips every pair that the core distances or a
 * partial sum already rule out.
 */

import type { CoreDistances } from './core-distances.ts';
import { type KdTree, pointStart } from './kd-tree.ts';
import { copyPoint, squaredDistanceTo } from './nearest-places.ts';
import { edgeList, type SpanningTree } from './spanning-tree.ts';
import type { Steps } from './steps.ts';

/** Distances compared between two steps. */
const PAIRS_PER_STEP = 1 << 22;

/** Edges that a walk over n points adds in one step. */
export function edgesPerStep(n: number): number {
  return Math.max(1, Math.ceil(PAIRS_PER_STEP / n));
}

/** @returns Steps that give the edges found so far, and in the end the tree. */
export function* primSteps(tree: KdTree, core: CoreDistances): Steps<SpanningTree> {
  const { n, d, points } = tree;
  const { squared } = core;
  const edges = edgeList(n);
  // Points not in the tree yet, and for each the cheapest edge to the tree.
  const outside = new Int32Array(Math.max(0, n - 1));
  for (let i = 0; i < outside.length; i++) outside[i] = i + 1;
  const reach = new Float64Array(n).fill(Infinity);
  const source = new Int32Array(n);
  const query = new Float64Array(d);

  let current = 0;
  for (let left = n - 1; left > 0; left--) {
    copyPoint(tree, current, query);
    let nearest = 0;
    let nearestReach = Infinity;
    for (let i = 0; i < left; i++) {
      const q = outside[i];
      const pairCore = Math.max(squared[current], squared[q]);
      if (pairCore < reach[q]) {
        const distance = squaredDistanceTo(points, pointStart(tree, q), query, reach[q]);
        const pairReach = Math.max(distance, pairCore);
        if (pairReach < reach[q]) {
          reach[q] = pairReach;
          source[q] = current;
        }
      }
      if (reach[q] < nearestReach) {
        nearestReach = reach[q];
        nearest = i;
      }
    }
    current = outside[nearest];
    outside[nearest] = outside[left - 1];
    edges.add(source[current], current, reach[current]);
    if (edges.count() % edgesPerStep(n) === 0) yield edges.count();
  }
  return edges.sorted(tree.rows);
}
