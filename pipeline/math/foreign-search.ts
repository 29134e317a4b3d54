/** The search within a round of Borůvka's algorithm: each point's cheapest edge out of its component. */

import type { Round } from './boruvka.ts';
import type { CoreDistances } from './core-distances.ts';
import { type KdTree, pointStart, squaredDistanceToChild } from './kd-tree.ts';
import { copyPoint, squaredDistanceTo } from './nearest-places.ts';

/** Searches for the points below a node. */
export type ForeignSearch = (tree: KdTree, core: CoreDistances, round: Round, node: number) => void;

/** For every point that might still beat its component's best, writes its cheapest edge, or that it has none so cheap. */
export const searchRound: ForeignSearch = (tree, core, round, top) => {
  const { d, points, start, end, right } = tree;
  const { squared, kept, neighbours } = core;
  const { component, candidate, lowerBound, bestFrom, bestTo, bestSquared } = round;
  const query = new Float64Array(d);
  const stackNode: number[] = [];
  const stackReach: number[] = [];
  for (let p = start[top]; p < end[top]; p++) {
    const own = component[p];
    if (candidate[p] >= 0 || lowerBound[p] >= bestSquared[own]) continue;
    const ownCore = squared[p];
    let nearest = bestSquared[own];
    let found = -1;
    // Neighbours with larger core distances give a first bound.
    for (let i = p * kept; i < (p + 1) * kept; i++) {
      const q = neighbours[i];
      if (q < 0 || component[q] === own) continue;
      const reach = Math.max(ownCore, squared[q]);
      if (reach >= nearest) continue;
      nearest = reach;
      found = q;
    }
    copyPoint(tree, p, query);
    stackNode.push(0);
    stackReach.push(0);
    while (stackNode.length > 0) {
      const node = stackNode.pop() as number;
      const reachOfNode = stackReach.pop() as number;
      if (reachOfNode >= nearest || nearest <= ownCore) continue;
      const rightChild = right[node];
      if (rightChild === 0) {
        for (let q = start[node]; q < end[node]; q++) {
          if (component[q] === own || squared[q] >= nearest) continue;
          const distance = squaredDistanceTo(points, pointStart(tree, q), query, nearest);
          const reach = Math.max(distance, ownCore, squared[q]);
          if (reach >= nearest) continue;
          nearest = reach;
          found = q;
        }
        continue;
      }
      const leftChild = node + 1;
      const toLeft = Math.max(
        leastCoreOutside(round, leftChild, own),
        squaredDistanceToChild(tree, node, 0, query),
      );
      const toRight = Math.max(
        leastCoreOutside(round, rightChild, own),
        squaredDistanceToChild(tree, node, 1, query),
      );
      const leftFirst = toLeft < toRight || (toLeft === toRight && p < start[rightChild]);
      stackNode.push(leftFirst ? rightChild : leftChild, leftFirst ? leftChild : rightChild);
      stackReach.push(leftFirst ? toRight : toLeft, leftFirst ? toLeft : toRight);
    }
    // Found or not, nothing outside is nearer than this.
    lowerBound[p] = nearest;
    if (found < 0) continue;
    candidate[p] = found;
    bestSquared[own] = nearest;
    bestFrom[own] = p;
    bestTo[own] = found;
  }
};

/** Least squared core distance in a node of a point that is not of the component. */
function leastCoreOutside(
  { nodeComponent, leastCore, leastForeign }: Round,
  node: number,
  own: number,
): number {
  return nodeComponent[node] === own ? leastForeign[node] : leastCore[node];
}
