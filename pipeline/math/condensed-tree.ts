/**
 * The condensed tree: the hierarchy reduced to groups of at least minClusterSize rows, with the density at
 * which each group appears and each row falls out of its group. What is chosen from it is
 * cluster-selection.ts's business.
 *
 * Density is λ = 1 / distance.
 */

import type { Dendrogram } from './dendrogram.ts';

/** c groups, the root first, parents before children, siblings by lowest row. */
export interface CondensedTree {
  n: number;
  /** c, at least 1: the root is always there. */
  clusters: number;
  /** [c] −1 for the root. */
  parent: Int32Array;
  /** [c] λ at which the group splits off from its parent; 0 for the root. */
  birth: Float64Array;
  /** [c] Greatest λ at which the group still loses rows or splits. */
  death: Float64Array;
  /** [c] Rows at birth. */
  size: Int32Array;
  /** [n] Smallest group that ever holds the row, and the λ at which the row leaves it. */
  rowCluster: Int32Array;
  rowLambda: Float64Array;
}

/**
 * Walks down from the root. Where a group falls apart, parts of at least minClusterSize rows become groups
 * if there are two or more of them; a single such part carries the group on; smaller parts drop out.
 *
 * Joins at one distance are undone together, so the result depends on the points alone: not on which of
 * several minimum spanning trees was found, and not on row order. Small parts that tie with two or more large
 * ones join the largest of these (the one with the lowest row among equals) and leave it at once, at its birth.
 *
 * Source: Campello, Moulavi, Zimek, Sander, TKDD 2015, algorithm 1 and section 4.
 * Differs: scikit-learn undoes equal joins one by one, in an order left to its sort. There a tied small part
 * goes with one of the large ones or with none, and parts that are small alone may make a group together that
 * dissolves at its birth. The largest is nearest to what it does: agreement with it is then as good as its own
 * agreement with itself on permuted rows (test/math/hdbscan.test.ts).
 */
export function condenseTree(tree: Dendrogram, minClusterSize: number): CondensedTree {
  const { n, left, right, distance, size, start, lowestRow, leaves } = tree;
  // Two groups of minClusterSize rows or more come out of each split: fewer than 2n / minClusterSize in all.
  const most = 1 + Math.ceil((2 * n) / minClusterSize);
  const parent = new Int32Array(most).fill(-1);
  const birth = new Float64Array(most);
  const death = new Float64Array(most);
  const clusterSize = new Int32Array(most);
  const rowCluster = new Int32Array(n);
  const rowLambda = new Float64Array(n);
  clusterSize[0] = n;
  let clusters = 1;

  // Each group's topmost join; groups are walked in the order in which they appear.
  const top = new Int32Array(most);
  top[0] = 2 * n - 2;
  const together: number[] = [];
  const large: number[] = [];
  const small: number[] = [];
  for (let cluster = 0; cluster < clusters; cluster++) {
    let node = top[cluster];
    while (node >= n) {
      // Take apart everything that joins at this distance.
      const level = distance[node - n];
      const lambda = level > 0 ? 1 / level : Infinity;
      death[cluster] = lambda;
      large.length = 0;
      small.length = 0;
      together.push(node);
      while (together.length > 0) {
        const join = (together.pop() as number) - n;
        for (const child of [left[join], right[join]]) {
          if (child >= n && distance[child - n] === level) together.push(child);
          else if (size[child] >= minClusterSize) large.push(child);
          else small.push(child);
        }
      }

      // Two or more large parts are groups of their own, from here on.
      let host = cluster;
      if (large.length > 1) {
        large.sort((a, b) => lowestRow[a] - lowestRow[b]);
        host = clusters;
        for (const child of large) {
          parent[clusters] = cluster;
          birth[clusters] = lambda;
          clusterSize[clusters] = size[child];
          if (size[child] > clusterSize[host]) host = clusters;
          top[clusters++] = child;
        }
      }
      for (const child of small) {
        if (host !== cluster) clusterSize[host] += size[child];
        for (let i = start[child]; i < start[child] + size[child]; i++) {
          rowCluster[leaves[i]] = host;
          rowLambda[leaves[i]] = lambda;
        }
      }
      node = large.length === 1 ? large[0] : -1;
    }
  }
  return {
    n,
    clusters,
    parent: parent.slice(0, clusters),
    birth: birth.slice(0, clusters),
    death: death.slice(0, clusters),
    size: clusterSize.slice(0, clusters),
    rowCluster,
    rowLambda,
  };
}

/**
 * Excess of mass of each group: for every row, how far its λ goes beyond the group's birth.
 *
 * @returns Float64Array [c]; Infinity for groups of equal points, NaN for groups born at infinite density.
 */
export function clusterStability(tree: CondensedTree): Float64Array {
  const { n, clusters, parent, birth, size, rowCluster, rowLambda } = tree;
  const stability = new Float64Array(clusters);
  for (let row = 0; row < n; row++) stability[rowCluster[row]] += rowLambda[row] - birth[rowCluster[row]];
  for (let cluster = 1; cluster < clusters; cluster++) {
    stability[parent[cluster]] += (birth[cluster] - birth[parent[cluster]]) * size[cluster];
  }
  return stability;
}
