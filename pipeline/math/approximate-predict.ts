/** Clusters of points that came after the clustering, which stays as it is. */

import { chosenOwners, membership, rootThreshold } from './cluster-selection.ts';
import type { CondensedTree } from './condensed-tree.ts';
import type { HdbscanModel } from './hdbscan.ts';
import { reachNeighbors } from './reach-neighbor.ts';

export interface Predictions {
  /** [n] Cluster of the model, −1 for noise. */
  labels: Int32Array;
  /** [n] Strength of membership, 0–1; 0 for noise. */
  probabilities: Float32Array;
}

/**
 * Each new point joins the group that its reach neighbour is in at the density of the reach, alone: new points
 * do not see each other, so any cutting into batches gives the same.
 *
 * @param points [n × d], row-major, d as in the model.
 * @throws RangeError for a size that does not fit, or a NaN or infinite coordinate (naming the row).
 *
 * Time n · log(points of the model) in few dimensions.
 *
 * Source: approximate_predict of the hdbscan package 0.8, https://github.com/scikit-learn-contrib/hdbscan,
 * hdbscan/prediction.py.
 * Differs: core distances of the model's points are those that they were clustered by, where the package takes
 * one neighbour fewer; and where the whole set is one cluster, a new point must be as dense as its members, where
 * the package takes in every point, however far.
 */
export function approximatePredict(model: HdbscanModel, points: Float32Array | Float64Array): Predictions {
  const { rows, lambdas } = reachNeighbors(model, points, 'approximatePredict');
  const tree = model.hierarchy.condensedTree;
  const owner = chosenOwners(tree, model.selected);
  const threshold = rootThreshold(tree, model.options);
  const labelOf = labelsOfGroups(model);
  const labels = new Int32Array(rows.length).fill(-1);
  const probabilities = new Float32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const cluster = owner[groupAt(tree, rows[i], lambdas[i])];
    if (cluster < 0 || (cluster === 0 && lambdas[i] < threshold)) continue;
    labels[i] = labelOf[cluster];
    probabilities[i] = membership(lambdas[i], tree.death[cluster]);
  }
  return { labels, probabilities };
}

/** The group that a row is in at a density: its own, or where that is born denser, the first above that is not. */
function groupAt(
  { parent, birth, rowCluster, rowLambda }: CondensedTree,
  row: number,
  lambda: number,
): number {
  let group = rowCluster[row];
  if (rowLambda[row] <= lambda) return group;
  while (group > 0 && birth[group] >= lambda) group = parent[group];
  return group;
}

/** @returns Int32Array [groups]: label of each chosen group, −1 for the others. */
export function labelsOfGroups({ hierarchy, selected, labels }: HdbscanModel): Int32Array {
  const { condensedTree } = hierarchy;
  const owner = chosenOwners(condensedTree, selected);
  const labelOf = new Int32Array(condensedTree.clusters).fill(-1);
  for (let row = 0; row < labels.length; row++) {
    if (labels[row] >= 0) labelOf[owner[condensedTree.rowCluster[row]]] = labels[row];
  }
  return labelOf;
}
