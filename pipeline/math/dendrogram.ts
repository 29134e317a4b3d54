/** The single-linkage hierarchy that a spanning tree stands for: which groups join at which distance. */

import type { SpanningTree } from './spanning-tree.ts';

/**
 * n − 1 joins, in order of distance; nodes 0 … n − 1 are the rows, node n + i is what join i makes.
 * `leaves` lists the rows so that every node's rows are consecutive.
 */
export interface Dendrogram {
  n: number;
  /** [n − 1] The two nodes that are joined. */
  left: Int32Array;
  right: Int32Array;
  /** [n − 1] Distance of the join, ascending. */
  distance: Float64Array;
  /** [2n − 1] Rows in the node, where they begin in `leaves`, and the lowest of them. */
  size: Int32Array;
  start: Int32Array;
  lowestRow: Int32Array;
  /** [n] Rows. */
  leaves: Int32Array;
}

/** Joins the edges' ends in order of weight; near-linear time, no recursion. */
export function dendrogram(tree: SpanningTree, n: number): Dendrogram {
  const joins = Math.max(0, n - 1);
  const nodes = n + joins;
  const left = new Int32Array(joins);
  const right = new Int32Array(joins);
  const size = new Int32Array(nodes).fill(1, 0, n);
  const lowestRow = new Int32Array(nodes);
  for (let row = 0; row < n; row++) lowestRow[row] = row;

  // Topmost node so far above each node, found by climbing and halving the path.
  const above = new Int32Array(nodes);
  for (let node = 0; node < nodes; node++) above[node] = node;
  const top = (row: number): number => {
    let node = row;
    while (above[node] !== node) {
      above[node] = above[above[node]];
      node = above[node];
    }
    return node;
  };
  for (let i = 0; i < joins; i++) {
    const node = n + i;
    const a = top(tree.from[i]);
    const b = top(tree.to[i]);
    left[i] = a;
    right[i] = b;
    above[a] = node;
    above[b] = node;
    size[node] = size[a] + size[b];
    lowestRow[node] = Math.min(lowestRow[a], lowestRow[b]);
  }

  // From the root down: a left child's rows come first, a right child's after them.
  const start = new Int32Array(nodes);
  for (let i = joins - 1; i >= 0; i--) {
    start[left[i]] = start[n + i];
    start[right[i]] = start[n + i] + size[left[i]];
  }
  const leaves = new Int32Array(n);
  for (let row = 0; row < n; row++) leaves[start[row]] = row;
  return { n, left, right, distance: tree.weight, size, start, lowestRow, leaves };
}
