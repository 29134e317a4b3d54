/**
 * Minimum spanning trees of the mutual-reachability graph, exact, without ever holding the graph:
 * Borůvka's rounds over a kd-tree for few dimensions, Prim's dense walk for many.
 *
 * Mutual reachability of i and j is max(core distance of i, of j, euclidean distance of i and j).
 */

import type { CoreDistances } from './core-distances.ts';
import { type KdTree, squaredDistanceToBox } from './kd-tree.ts';
import { ascendingOrder } from './radix-sort.ts';
import { squaredDistance } from './squared-distance.ts';
import { createUnionFind } from './union-find.ts';

/** n − 1 edges by ascending weight. Among equal weights the choice and order are fixed by row order. */
export interface SpanningTree {
  /** [n − 1] Rows that the edge joins. */
  from: Int32Array;
  to: Int32Array;
  /** [n − 1] Mutual reachability; euclidean, Infinity where a core distance is. */
  weight: Float64Array;
}

/** Called now and then with the edges found so far; may throw to stop the work. */
export type EdgeProgress = (edges: number) => void;

/** Edges that Prim's walk adds between two calls of its progress function. */
const PRIM_PROGRESS_INTERVAL = 512;

/**
 * Borůvka's algorithm: in each round every component finds its cheapest edge to the outside.
 *
 * Three things keep the searches few. A neighbour within the core distance whose own core distance is no
 * larger is a cheapest edge without any search. A found edge stays cheapest for its point until both ends
 * are in one component. A search that ends in vain leaves a lower bound behind.
 *
 * Source: March, Ram, Gray, "Fast Euclidean minimum spanning tree", KDD 2010, with one tree in place of two.
 */
export function boruvkaSpanningTree(
  tree: KdTree,
  core: CoreDistances,
  progress?: EdgeProgress,
): SpanningTree {
  const { n, d, points, start, end, right } = tree;
  const { squared, kept, neighbours } = core;
  const edgeFrom = new Int32Array(Math.max(0, n - 1));
  const edgeTo = new Int32Array(edgeFrom.length);
  const edgeSquared = new Float64Array(edgeFrom.length);
  let edges = 0;

  const components = createUnionFind(n);
  const component = new Int32Array(n);
  // Cheapest foreign point of each point as last found (−1 for none), and what no foreign point can undercut.
  const candidate = new Int32Array(n).fill(-1);
  const lowerBound = Float64Array.from(squared);
  // Cheapest edge of each component, by its representative.
  const bestFrom = new Int32Array(n);
  const bestTo = new Int32Array(n);
  const bestSquared = new Float64Array(n);
  const leastCore = leastCoreOfNodes(tree, squared);
  const nodeComponent = new Int32Array(tree.nodes);
  const stackNode = new Int32Array(tree.nodes + 1);
  const stackDistance = new Float64Array(tree.nodes + 1);

  while (edges < n - 1) {
    for (let p = 0; p < n; p++) component[p] = components.find(p);
    labelNodes(tree, component, nodeComponent);
    bestFrom.fill(-1);
    bestSquared.fill(Infinity);

    // What needs no search: edges that still lead outside, and neighbours that cannot be undercut.
    for (let p = 0; p < n; p++) {
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

    // Searches, for the points that might still beat their component's best.
    for (let p = 0; p < n; p++) {
      const own = component[p];
      if (candidate[p] >= 0 || lowerBound[p] >= bestSquared[own]) continue;
      const ownCore = squared[p];
      const pointStart = p * d;
      let nearest = bestSquared[own];
      let found = -1;
      // Neighbours with larger core distances give a first bound.
      for (let i = p * kept; i < (p + 1) * kept; i++) {
        const q = neighbours[i];
        if (q < 0 || component[q] === own || squared[q] >= nearest) continue;
        const reach = Math.max(ownCore, squared[q]);
        if (reach >= nearest) continue;
        nearest = reach;
        found = q;
      }
      let depth = 0;
      stackNode[0] = 0;
      stackDistance[0] = 0;
      while (depth >= 0) {
        const node = stackNode[depth];
        const reachOfNode = stackDistance[depth--];
        if (reachOfNode >= nearest || nearest <= ownCore) continue;
        const rightChild = right[node];
        if (rightChild === 0) {
          for (let q = start[node]; q < end[node]; q++) {
            if (component[q] === own || squared[q] >= nearest) continue;
            const distance = squaredDistance(points, pointStart, points, q * d, d, nearest);
            const reach = Math.max(distance, ownCore, squared[q]);
            if (reach >= nearest) continue;
            nearest = reach;
            found = q;
          }
          continue;
        }
        const leftChild = node + 1;
        const toLeft =
          nodeComponent[leftChild] === own
            ? Infinity
            : Math.max(
                leastCore[leftChild],
                squaredDistanceToBox(tree, leftChild, points, pointStart, nearest),
              );
        const toRight =
          nodeComponent[rightChild] === own
            ? Infinity
            : Math.max(
                leastCore[rightChild],
                squaredDistanceToBox(tree, rightChild, points, pointStart, nearest),
              );
        const leftFirst = toLeft < toRight || (toLeft === toRight && p < start[rightChild]);
        stackNode[++depth] = leftFirst ? rightChild : leftChild;
        stackDistance[depth] = leftFirst ? toRight : toLeft;
        stackNode[++depth] = leftFirst ? leftChild : rightChild;
        stackDistance[depth] = leftFirst ? toLeft : toRight;
      }
      // Found or not, nothing outside is nearer than this.
      lowerBound[p] = nearest;
      if (found < 0) continue;
      candidate[p] = found;
      bestSquared[own] = nearest;
      bestFrom[own] = p;
      bestTo[own] = found;
    }

    // Join. Equal weights can close a ring of components; the union refuses its last edge.
    const before = edges;
    for (let p = 0; p < n; p++) {
      if (component[p] !== p || bestFrom[p] < 0) continue;
      if (!components.union(bestFrom[p], bestTo[p])) continue;
      edgeFrom[edges] = bestFrom[p];
      edgeTo[edges] = bestTo[p];
      edgeSquared[edges++] = bestSquared[p];
    }
    if (edges === before) edges = joinAtInfinity(components, n, edgeFrom, edgeTo, edgeSquared, edges);
    progress?.(edges);
  }
  return sortedTree(tree, edgeFrom, edgeTo, edgeSquared);
}

/**
 * Prim's algorithm: grows one tree point by point, n² / 2 pairs at most. The walk needs no box to be tight,
 * which is what many dimensions take from a kd-tree, and it skips every pair that the core distances or a
 * partial sum already rule out.
 */
export function primSpanningTree(tree: KdTree, core: CoreDistances, progress?: EdgeProgress): SpanningTree {
  const { n, d, points } = tree;
  const { squared } = core;
  const edgeFrom = new Int32Array(Math.max(0, n - 1));
  const edgeTo = new Int32Array(edgeFrom.length);
  const edgeSquared = new Float64Array(edgeFrom.length);
  // Points not in the tree yet, and for each the cheapest edge to the tree.
  const outside = new Int32Array(Math.max(0, n - 1));
  for (let i = 0; i < outside.length; i++) outside[i] = i + 1;
  const reach = new Float64Array(n).fill(Infinity);
  const source = new Int32Array(n);

  let current = 0;
  for (let edges = 0; edges < n - 1; edges++) {
    const left = n - 1 - edges;
    const currentStart = current * d;
    const currentCore = squared[current];
    let nearest = 0;
    let nearestReach = Infinity;
    for (let i = 0; i < left; i++) {
      const q = outside[i];
      const pairCore = Math.max(currentCore, squared[q]);
      if (pairCore < reach[q]) {
        const distance = squaredDistance(points, currentStart, points, q * d, d, reach[q]);
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
    edgeFrom[edges] = source[current];
    edgeTo[edges] = current;
    edgeSquared[edges] = reach[current];
    if (edges % PRIM_PROGRESS_INTERVAL === 0) progress?.(edges);
  }
  return sortedTree(tree, edgeFrom, edgeTo, edgeSquared);
}

/** Sum of all edge weights, smallest first; the same for every minimum spanning tree of the same points. */
export function spanningTreeWeight(tree: SpanningTree): number {
  let total = 0;
  for (const weight of tree.weight) total += weight;
  return total;
}

/** Least squared core distance in each node: what no edge into the node can undercut. */
function leastCoreOfNodes(tree: KdTree, squared: Float64Array): Float64Array {
  const least = new Float64Array(tree.nodes).fill(Infinity);
  // Children have higher numbers than their parents, so one pass backwards sees them first.
  for (let node = tree.nodes - 1; node >= 0; node--) {
    const right = tree.right[node];
    if (right > 0) least[node] = Math.min(least[node + 1], least[right]);
    else
      for (let p = tree.start[node]; p < tree.end[node]; p++) least[node] = Math.min(least[node], squared[p]);
  }
  return least;
}

/** The component that all of a node's points belong to, or −1 where they belong to several. */
function labelNodes(tree: KdTree, component: Int32Array, nodeComponent: Int32Array): void {
  for (let node = tree.nodes - 1; node >= 0; node--) {
    const right = tree.right[node];
    if (right > 0) {
      nodeComponent[node] = nodeComponent[node + 1] === nodeComponent[right] ? nodeComponent[right] : -1;
      continue;
    }
    let label = tree.start[node] < tree.end[node] ? component[tree.start[node]] : -1;
    for (let p = tree.start[node]; p < tree.end[node]; p++) if (component[p] !== label) label = -1;
    nodeComponent[node] = label;
  }
}

/** Chains what is left by infinite edges: core distances are infinite, or squares overflowed. */
function joinAtInfinity(
  components: { union(a: number, b: number): boolean },
  n: number,
  edgeFrom: Int32Array,
  edgeTo: Int32Array,
  edgeSquared: Float64Array,
  edges: number,
): number {
  let next = edges;
  for (let p = 1; p < n; p++) {
    if (!components.union(p - 1, p)) continue;
    edgeFrom[next] = p - 1;
    edgeTo[next] = p;
    edgeSquared[next++] = Infinity;
  }
  return next;
}

/** Positions to rows, squares to distances, ascending; the lower row of an edge comes first. */
function sortedTree(
  tree: KdTree,
  edgeFrom: Int32Array,
  edgeTo: Int32Array,
  edgeSquared: Float64Array,
): SpanningTree {
  const order = ascendingOrder(edgeSquared);
  const from = new Int32Array(order.length);
  const to = new Int32Array(order.length);
  const weight = new Float64Array(order.length);
  for (let e = 0; e < order.length; e++) {
    const a = tree.rows[edgeFrom[order[e]]];
    const b = tree.rows[edgeTo[order[e]]];
    from[e] = Math.min(a, b);
    to[e] = Math.max(a, b);
    weight[e] = Math.sqrt(edgeSquared[order[e]]);
  }
  return { from, to, weight };
}
