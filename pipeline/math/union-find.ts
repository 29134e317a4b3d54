/** Disjoint sets over 0 … n − 1. */

export interface UnionFind {
  /** The set's current representative. */
  find(element: number): number;
  /** Joins two sets; false when they are one already. The larger set's representative stays, the first on a tie. */
  union(a: number, b: number): boolean;
  /** Elements in the set that `element` belongs to. */
  size(element: number): number;
}

export function createUnionFind(n: number): UnionFind {
  const parent = new Int32Array(n);
  const sizes = new Int32Array(n).fill(1);
  for (let i = 0; i < n; i++) parent[i] = i;
  const find = (element: number): number => {
    let i = element;
    // Path halving: every step also shortens the way for the next caller.
    while (parent[i] !== i) {
      parent[i] = parent[parent[i]];
      i = parent[i];
    }
    return i;
  };
  return {
    find,
    union: (a, b) => {
      let winner = find(a);
      let loser = find(b);
      if (winner === loser) return false;
      if (sizes[winner] < sizes[loser]) [winner, loser] = [loser, winner];
      parent[loser] = winner;
      sizes[winner] += sizes[loser];
      return true;
    },
    size: (element) => sizes[find(element)],
  };
}
