/**
 * Borůvka's algorithm over a kd-tree: in each round every component finds its cheapest edge to the outside,
 * without the mutual-reachability graph ever being held. Owns the rounds; looking for an edge is
 * foreign-search.ts's business.
 */

import { type ArrayMaker, ownArrays } from './array-maker.ts';
import type { CoreDistances } from './core-distances.ts';
import { type ForeignSearch, searchRound } from './foreign-search.ts';
import { type KdTree, LEAF_SIZE } from './kd-tree.ts';
import { type EdgeList, edgeList, type SpanningTree } from './spanning-tree.ts';
import type { Steps } from './steps.ts';
import { createUnionFind, type UnionFind } from './union-find.ts';

/** Points whose edges are looked for between two steps. */
const POINTS_PER_STEP = 16_384;

/** What a round knows; points by place in the tree. */
export interface Round {
  /** [n] Component of each point. */
  component: Int32Array;
  /** [n] Cheapest foreign point as last found, −1 for none. */
  candidate: Int32Array;
  /** [n] Squared reach that no foreign point can undercut. */
  lowerBound: Float64Array;
  /** [n] Cheapest edge of each component so far, at its representative: −1, −1, Infinity for none. */
  bestFrom: Int32Array;
  bestTo: Int32Array;
  bestSquared: Float64Array;
  /**
   * [m] By node: the component of a point with the least core distance, that squared, and the least of a point
   * of any other component (Infinity where there is none).
   */
  nodeComponent: Int32Array;
  leastCore: Float64Array;
  leastForeign: Float64Array;
}

export function emptyRound(tree: KdTree, core: CoreDistances, arrays: ArrayMaker = ownArrays): Round {
  const { n, nodes } = tree;
  const lowerBound = arrays.float64(n);
  lowerBound.set(core.squared);
  return {
    component: arrays.int32(n),
    candidate: arrays.int32(n).fill(-1),
    lowerBound,
    bestFrom: arrays.int32(n),
    bestTo: arrays.int32(n),
    bestSquared: arrays.float64(n),
    nodeComponent: arrays.int32(nodes),
    leastCore: arrays.float64(nodes),
    leastForeign: arrays.float64(nodes),
  };
}

/**
 * Four things keep the searches few. A neighbour within the core distance whose own core distance is no
 * larger is a cheapest edge without any search. A found edge stays cheapest for its point until both ends
 * are in one component. A search that ends in vain leaves a lower bound behind. And a node is passed by when
 * the points in it that are foreign have larger core distances than the edge to beat.
 *
 * @returns Steps that give the edges found so far, and in the end the tree.
 *
 * Source: March, Ram, Gray, "Fast Euclidean minimum spanning tree", KDD 2010, with one tree in place of two.
 */
export function* boruvkaSteps(
  tree: KdTree,
  core: CoreDistances,
  round: Round = emptyRound(tree, core),
  search: ForeignSearch = searchRound,
): Steps<SpanningTree> {
  const { n, start, end } = tree;
  const components = createUnionFind(n);
  const edges = edgeList(n);
  while (edges.count() < n - 1) {
    for (let p = 0; p < n; p++) round.component[p] = components.find(p);
    labelNodes(tree, core, round);
    round.bestFrom.fill(-1);
    round.bestSquared.fill(Infinity);
    takeKnownEdges(core, round);

    // Subtree by subtree, for the points that might still beat their component's best.
    for (let node = 0; node < tree.nodes; ) {
      if (end[node] - start[node] > POINTS_PER_STEP) {
        node++;
        continue;
      }
      search(tree, core, round, node);
      yield edges.count();
      node = nodeAfter(tree, node);
    }

    const before = edges.count();
    join(components, round, edges);
    if (edges.count() === before) joinAtInfinity(components, n, edges);
    yield edges.count();
  }
  return edges.sorted(tree.rows);
}

/** The first node after a subtree in preorder; a subtree over so many places has 2⌈places / 8⌉ − 1 nodes. */
function nodeAfter(tree: KdTree, node: number): number {
  return node + 2 * Math.ceil((tree.end[node] - tree.start[node]) / LEAF_SIZE) - 1;
}

/** Components and least core distances of all nodes, from the leaves up. */
function labelNodes(tree: KdTree, { squared }: CoreDistances, round: Round): void {
  const { component, nodeComponent, leastCore, leastForeign } = round;
  // Children have higher numbers than their parents, so one pass backwards sees them first.
  for (let node = tree.nodes - 1; node >= 0; node--) {
    const right = tree.right[node];
    let own: number;
    let least: number;
    let foreign: number;
    if (right > 0) {
      const left = node + 1;
      const leftFirst = leastCore[left] <= leastCore[right];
      const winner = leftFirst ? left : right;
      const loser = leftFirst ? right : left;
      own = nodeComponent[winner];
      least = leastCore[winner];
      const other = nodeComponent[loser] === own ? leastForeign[loser] : leastCore[loser];
      foreign = Math.min(leastForeign[winner], other);
    } else {
      own = component[tree.start[node]];
      least = squared[tree.start[node]];
      foreign = Infinity;
      for (let p = tree.start[node] + 1; p < tree.end[node]; p++) {
        if (component[p] === own) {
          if (squared[p] < least) least = squared[p];
        } else if (squared[p] < least) {
          // What was least stands for all others now: nothing of another component was less.
          foreign = least;
          least = squared[p];
          own = component[p];
        } else if (squared[p] < foreign) foreign = squared[p];
      }
    }
    nodeComponent[node] = own;
    leastCore[node] = least;
    leastForeign[node] = foreign;
  }
}

/** What needs no search: edges that still lead outside, and neighbours that cannot be undercut. */
function takeKnownEdges({ squared, kept, neighbours }: CoreDistances, round: Round): void {
  const { component, candidate, lowerBound, bestFrom, bestTo, bestSquared } = round;
  for (let p = 0; p < component.length; p++) {
    const own = component[p];
    if (candidate[p] >= 0 && component[candidate[p]] === own) candidate[p] = -1;
    if (candidate[p] < 0 && lowerBound[p] === squared[p]) {
      for (let i = p * kept; i < (p + 1) * kept; i++) {
        const q = neighbours[i];
        if (q < 0 || component[q] === own || squared[q] > squared[p]) continue;
        candidate[p] = q;
        break;
      }
    }
    if (candidate[p] >= 0 && lowerBound[p] < bestSquared[own]) {
      bestSquared[own] = lowerBound[p];
      bestFrom[own] = p;
      bestTo[own] = candidate[p];
    }
  }
}

/** Joins each component to where its best edge leads. Equal weights can close a ring: its last edge is refused. */
function join(components: UnionFind, round: Round, edges: EdgeList): void {
  const { component, bestFrom, bestTo, bestSquared } = round;
  for (let p = 0; p < component.length; p++) {
    if (component[p] !== p || bestFrom[p] < 0) continue;
    if (components.union(bestFrom[p], bestTo[p])) edges.add(bestFrom[p], bestTo[p], bestSquared[p]);
  }
}

/** Chains what is left by infinite edges: core distances are infinite, or squares overflowed. */
function joinAtInfinity(components: UnionFind, n: number, edges: EdgeList): void {
  for (let p = 1; p < n; p++) if (components.union(p - 1, p)) edges.add(p - 1, p, Infinity);
}
