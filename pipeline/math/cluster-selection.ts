/**
 * Flat clusters out of a condensed tree: which groups are chosen, which rows belong to them and how firmly.
 * Agrees with scikit-learn 1.9.1 in the meaning of every option.
 */

import { type CondensedTree, clusterStability } from './condensed-tree.ts';

export interface SelectionOptions {
  /** 'eom' (default): the most persistent groups; 'leaf': the finest. */
  clusterSelectionMethod?: 'eom' | 'leaf' | undefined;
  /** Groups born below this distance are merged upwards; 0 (default) merges none. */
  clusterSelectionEpsilon?: number | undefined;
  /** Whether the whole set may be the one cluster; default false. */
  allowSingleCluster?: boolean | undefined;
  /** Largest cluster that 'eom' may choose, in rows; default no limit. Epsilon may exceed it. */
  maxClusterSize?: number | undefined;
}

/**
 * The chosen groups.
 *
 * Differs: with allowSingleCluster and maxClusterSize, scikit-learn takes the root's size to be that of its
 * child groups alone (0 without any); here it is n.
 *
 * @returns Uint8Array [c], 1 for a chosen group.
 */
export function selectClusters(tree: CondensedTree, options: SelectionOptions = {}): Uint8Array {
  const method = options.clusterSelectionMethod ?? 'eom';
  const epsilon = options.clusterSelectionEpsilon ?? 0;
  const allowSingleCluster = options.allowSingleCluster ?? false;
  const selected =
    method === 'leaf'
      ? leaves(tree)
      : mostPersistent(tree, allowSingleCluster, options.maxClusterSize ?? Number.POSITIVE_INFINITY);
  // A root that was chosen whole is already as coarse as epsilon could make it.
  return epsilon === 0 || selected[0] === 1
    ? selected
    : mergeBelow(tree, selected, epsilon, allowSingleCluster);
}

export interface Labelling {
  /** [n] Cluster of each row, −1 for noise. Clusters are numbered by their lowest row. */
  labels: Int32Array;
  /** [n] λ of the row over the greatest λ in its cluster, 0–1; 0 for noise. */
  probabilities: Float32Array;
}

/** Gives each row the chosen group that holds it. */
export function labelRows(
  tree: CondensedTree,
  selected: Uint8Array,
  options: SelectionOptions = {},
): Labelling {
  const { n, clusters, death, rowCluster, rowLambda } = tree;
  const owner = chosenOwners(tree, selected);
  const threshold = rootThreshold(tree, options);

  const labels = new Int32Array(n).fill(-1);
  const probabilities = new Float32Array(n);
  const labelOf = new Int32Array(clusters).fill(-1);
  let used = 0;
  for (let row = 0; row < n; row++) {
    const cluster = owner[rowCluster[row]];
    const lambda = rowLambda[row];
    if (cluster < 0 || (cluster === 0 && lambda < threshold)) continue;
    if (labelOf[cluster] < 0) labelOf[cluster] = used++;
    labels[row] = labelOf[cluster];
    probabilities[row] = membership(lambda, death[cluster]);
  }
  return { labels, probabilities };
}

/** @returns Int32Array [c]: the nearest chosen group at or above each group, −1 where there is none. */
export function chosenOwners(tree: CondensedTree, selected: Uint8Array): Int32Array {
  const owner = new Int32Array(tree.clusters);
  for (let cluster = 0; cluster < tree.clusters; cluster++) {
    if (selected[cluster] === 1) owner[cluster] = cluster;
    else owner[cluster] = cluster === 0 ? -1 : owner[tree.parent[cluster]];
  }
  return owner;
}

/** λ that a row needs where the whole set is one cluster: the root's densest moment, or epsilon's. */
export function rootThreshold(tree: CondensedTree, options: SelectionOptions): number {
  const epsilon = options.clusterSelectionEpsilon ?? 0;
  return epsilon > 0 ? 1 / epsilon : tree.death[0];
}

/** λ over the greatest of its cluster, 0–1. */
export function membership(lambda: number, greatest: number): number {
  return greatest === 0 || lambda === Infinity ? 1 : Math.min(lambda, greatest) / greatest;
}

/** Excess of mass: a group stays whole unless its parts together persist longer; a tie keeps the parent. */
function mostPersistent(
  tree: CondensedTree,
  allowSingleCluster: boolean,
  maxClusterSize: number,
): Uint8Array {
  const { clusters, parent, size } = tree;
  const own = clusterStability(tree);
  // Best total below each group, filled from the leaves up.
  const below = new Float64Array(clusters);
  const keep = new Uint8Array(clusters);
  const first = allowSingleCluster ? 0 : 1;
  for (let cluster = clusters - 1; cluster >= first; cluster--) {
    // Written so that NaN, the stability of what is born at infinite density, keeps the parent.
    const split = below[cluster] > own[cluster] || size[cluster] > maxClusterSize;
    keep[cluster] = split ? 0 : 1;
    if (cluster > 0) below[parent[cluster]] += split ? below[cluster] : own[cluster];
  }
  // The topmost group that is kept on each branch is the chosen one.
  const covered = new Uint8Array(clusters);
  const selected = new Uint8Array(clusters);
  for (let cluster = first; cluster < clusters; cluster++) {
    covered[cluster] = cluster > 0 ? covered[parent[cluster]] : 0;
    if (covered[cluster] === 1 || keep[cluster] === 0) continue;
    selected[cluster] = 1;
    covered[cluster] = 1;
  }
  return selected;
}

/** Groups without parts; none if the root never splits. */
function leaves(tree: CondensedTree): Uint8Array {
  const selected = new Uint8Array(tree.clusters).fill(1);
  for (let cluster = 1; cluster < tree.clusters; cluster++) selected[tree.parent[cluster]] = 0;
  selected[0] = 0;
  return selected;
}

/**
 * Replaces each chosen group born at a distance below epsilon by its first ancestor born above it (Malzer &
 * Baum 2019); below the root the search ends at the root's child unless a single cluster is allowed.
 */
function mergeBelow(
  tree: CondensedTree,
  chosen: Uint8Array,
  epsilon: number,
  allowSingleCluster: boolean,
): Uint8Array {
  const { clusters, parent, birth } = tree;
  const selected = new Uint8Array(clusters);
  for (let cluster = 1; cluster < clusters; cluster++) {
    if (chosen[cluster] === 0) continue;
    let ancestor = cluster;
    let tooFine = 1 / birth[cluster] < epsilon;
    while (tooFine) {
      if (parent[ancestor] === 0) {
        if (allowSingleCluster) ancestor = 0;
        break;
      }
      ancestor = parent[ancestor];
      tooFine = 1 / birth[ancestor] <= epsilon;
    }
    selected[ancestor] = 1;
  }
  return selected;
}
