/**
 * Minimum spanning trees of the mutual-reachability graph: what they are and how found edges become one.
 * boruvka.ts and prim.ts find the edges.
 *
 * Mutual reachability of i and j is max(core distance of i, of j, euclidean distance of i and j).
 */

import { ascendingOrder } from './radix-sort.ts';

/** n − 1 edges by ascending weight. Among equal weights the choice and order are fixed by row order. */
export interface SpanningTree {
  /** [n − 1] Rows that the edge joins. */
  from: Int32Array;
  to: Int32Array;
  /** [n − 1] Mutual reachability; euclidean, Infinity where a core distance is. */
  weight: Float64Array;
}

/** Edges while they are found. */
export interface EdgeList {
  /** @param squared Mutual reachability, squared. */
  add(from: number, to: number, squared: number): void;
  count(): number;
  /**
   * Squares to distances, ascending; the lower row of an edge comes first.
   *
   * @param rows [n] Row of each point.
   */
  sorted(rows: Int32Array): SpanningTree;
}

/** Room for the n − 1 edges of a tree. */
export function edgeList(n: number): EdgeList {
  const edgeFrom = new Int32Array(Math.max(0, n - 1));
  const edgeTo = new Int32Array(edgeFrom.length);
  const edgeSquared = new Float64Array(edgeFrom.length);
  let count = 0;
  return {
    add: (from, to, squared) => {
      edgeFrom[count] = from;
      edgeTo[count] = to;
      edgeSquared[count++] = squared;
    },
    count: () => count,
    sorted: (rows) => {
      const order = ascendingOrder(edgeSquared);
      const from = new Int32Array(order.length);
      const to = new Int32Array(order.length);
      const weight = new Float64Array(order.length);
      for (let e = 0; e < order.length; e++) {
        const a = rows[edgeFrom[order[e]]];
        const b = rows[edgeTo[order[e]]];
        from[e] = Math.min(a, b);
        to[e] = Math.max(a, b);
        weight[e] = Math.sqrt(edgeSquared[order[e]]);
      }
      return { from, to, weight };
    },
  };
}

/** Sum of all edge weights, smallest first; the same for every minimum spanning tree of the same points. */
export function spanningTreeWeight(tree: SpanningTree): number {
  let total = 0;
  for (const weight of tree.weight) total += weight;
  return total;
}
