/**
 * HDBSCAN: clusters of varying density, and noise, from points in euclidean space. The parts live beside this
 * file in the order they run: kd-tree, core-distances, spanning-tree, dendrogram, condensed-tree,
 * cluster-selection, outlier-scores.
 */

import { Interrupted } from '../errors.ts';
import { labelRows, type SelectionOptions, selectClusters } from './cluster-selection.ts';
import { type CondensedTree, condenseTree } from './condensed-tree.ts';
import { coreDistances, denseCoreDistances } from './core-distances.ts';
import { dendrogram } from './dendrogram.ts';
import { buildKdTree } from './kd-tree.ts';
import { outlierScores } from './outlier-scores.ts';
import { boruvkaSpanningTree, primSpanningTree, type SpanningTree } from './spanning-tree.ts';

export interface HierarchyOptions {
  /** Points, and numbers per point. */
  n: number;
  d: number;
  /** Smallest group that counts as a cluster; a whole number from 2 up. */
  minClusterSize: number;
  /**
   * Points that a core distance takes in, the point itself among them as in scikit-learn (the hdbscan
   * package does not count it: its k is k + 1 here); from 1 up, default minClusterSize.
   */
  minSamples?: number | undefined;
  /** Stops the work with Interrupted, at the next report of progress. */
  signal?: AbortSignal | undefined;
  /** Edges of the spanning tree found so far, of n − 1. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface HdbscanOptions extends HierarchyOptions, SelectionOptions {}

export interface HdbscanResult {
  /** [n] −1 for noise; clusters are numbered from 0 by their lowest row. */
  labels: Int32Array;
  /** [n] Strength of membership, 0–1; 0 for noise. */
  probabilities: Float32Array;
  /** [n] GLOSH, 0–1. */
  outlierScores: Float32Array;
}

/** Everything about the points that does not depend on how clusters are chosen. */
export interface DensityHierarchy {
  spanningTree: SpanningTree;
  condensedTree: CondensedTree;
}

/**
 * Dimensions up to which the kd-tree is searched. Above, boxes overlap too much, and looking at each of the
 * n² / 2 pairs is cheaper: on 10,000 points in overlapping blobs the two are level at 12 dimensions (1 CPU s),
 * and at 45 the pairs take 2.6 s, the tree 21 s.
 */
const MOST_TREE_DIMENSIONS = 12;

/**
 * @param points [n × d], row-major.
 * @throws RangeError for a NaN or infinite coordinate (naming the row), a size that does not fit, or an option
 *   out of range.
 *
 * Fewer points than minClusterSize, or all points equal, are all noise. Where minSamples exceeds n, core
 * distances are infinite and everything is noise; scikit-learn refuses both that and n = 1.
 *
 * Source: Campello, Moulavi, Zimek, Sander, TKDD 2015; agrees with scikit-learn 1.9.1
 * (test/oracle/hdbscan.py).
 * Differs: equal distances are undone together (condensed-tree.ts), so no row order changes a cluster, and a
 * grid, where all distances tie, has none. Where nothing ties, clusters are those of scikit-learn, numbered
 * by lowest row here and by place in the hierarchy there.
 */
export function hdbscan(points: Float32Array | Float64Array, options: HdbscanOptions): HdbscanResult {
  checkSelection(options);
  const { condensedTree } = densityHierarchy(points, options);
  const selected = selectClusters(condensedTree, options);
  return { ...labelRows(condensedTree, selected, options), outlierScores: outlierScores(condensedTree) };
}

/** Spanning tree and condensed tree: what `hdbscan` chooses its clusters from, with the same checks. */
export function densityHierarchy(
  points: Float32Array | Float64Array,
  options: HierarchyOptions,
): DensityHierarchy {
  checkPoints(points, options);
  const { n, d, minClusterSize, minSamples = minClusterSize, signal, onProgress } = options;
  const progress = (edges: number): void => {
    onProgress?.(edges, Math.max(0, n - 1));
    if (signal?.aborted) throw new Interrupted('hdbscan: asked to stop.', { cause: signal.reason });
  };
  progress(0);
  const tree = buildKdTree(points, n, d);
  const searchTree = d <= MOST_TREE_DIMENSIONS;
  const core = searchTree ? coreDistances(tree, minSamples) : denseCoreDistances(tree, minSamples);
  progress(0);
  const spanningTree = searchTree
    ? boruvkaSpanningTree(tree, core, progress)
    : primSpanningTree(tree, core, progress);
  return { spanningTree, condensedTree: condenseTree(dendrogram(spanningTree, n), minClusterSize) };
}

function checkPoints(points: Float32Array | Float64Array, options: HierarchyOptions): void {
  const { n, d, minClusterSize, minSamples = minClusterSize } = options;
  checkWhole('n', n, 0);
  checkWhole('d', d, 1);
  checkWhole('minClusterSize', minClusterSize, 2);
  checkWhole('minSamples', minSamples, 1);
  if (points.length !== n * d) {
    throw new RangeError(`hdbscan: expected n × d = ${n} × ${d} = ${n * d} numbers, got ${points.length}.`);
  }
  for (let i = 0; i < points.length; i++) {
    if (Number.isFinite(points[i])) continue;
    throw new RangeError(
      `hdbscan: expected finite coordinates, got ${points[i]} in row ${Math.floor(i / d)}, column ${i % d}.`,
    );
  }
}

function checkSelection(options: SelectionOptions): void {
  const {
    clusterSelectionMethod: method = 'eom',
    clusterSelectionEpsilon: epsilon = 0,
    maxClusterSize,
  } = options;
  if (method !== 'eom' && method !== 'leaf') {
    throw new RangeError(
      `hdbscan: expected clusterSelectionMethod to be 'eom' or 'leaf', got ${String(method)}.`,
    );
  }
  if (!(epsilon >= 0 && epsilon < Infinity)) {
    throw new RangeError(
      `hdbscan: expected clusterSelectionEpsilon to be a number from 0 up, got ${epsilon}.`,
    );
  }
  if (maxClusterSize !== undefined) checkWhole('maxClusterSize', maxClusterSize, 1);
}

function checkWhole(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new RangeError(`hdbscan: expected ${name} to be a whole number from ${least} up, got ${value}.`);
}
