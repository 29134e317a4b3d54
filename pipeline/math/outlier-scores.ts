/** GLOSH: how much less dense than its surroundings a row is. */

import type { CondensedTree } from './condensed-tree.ts';

/**
 * 1 − λ(row) / greatest λ in the row's group or in any group below it.
 *
 * @returns Float32Array [n], 0 (as dense as its surroundings get) to 1.
 *
 * Source: Campello, Moulavi, Zimek, Sander, TKDD 2015, section 6; the hdbscan package's outlier_scores.
 * Differs: beside equal points (infinite density) a row scores 1, the limit, where that package divides
 * infinity by infinity.
 */
export function outlierScores(tree: CondensedTree): Float32Array {
  const { n, clusters, parent, death, rowCluster, rowLambda } = tree;
  const greatest = Float64Array.from(death);
  for (let cluster = clusters - 1; cluster > 0; cluster--) {
    greatest[parent[cluster]] = Math.max(greatest[parent[cluster]], greatest[cluster]);
  }
  const scores = new Float32Array(n);
  for (let row = 0; row < n; row++) {
    const lambda = rowLambda[row];
    const limit = greatest[rowCluster[row]];
    if (limit === 0 || lambda === Infinity) continue;
    scores[row] = limit === Infinity ? 1 : (limit - lambda) / limit;
  }
  return scores;
}
