/**
 * HDBSCAN: clusters of varying density, and noise, from points in euclidean space. The parts live beside this
 * file in the order they run: kd-tree, core-distances, boruvka or prim, dendrogram, condensed-tree,
 * cluster-selection, outlier-scores. New points are placed by approximate-predict and membership-vectors.
 */

import { labelRows, type SelectionOptions, selectClusters } from './cluster-selection.ts';
import { type CondensedTree, condenseTree } from './condensed-tree.ts';
import { dendrogram } from './dendrogram.ts';
import { kernelSearch, kernelServes } from './density-kernel.ts';
import { plainSearch, treePays } from './density-search.ts';
import type { KdTree } from './kd-tree.ts';
import { outlierScores } from './outlier-scores.ts';
import { pause } from './pause.ts';
import type { SpanningTree } from './spanning-tree.ts';
import { finish, finishWithPauses, type StepOptions, type Steps } from './steps.ts';

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
  kdTree: KdTree;
  /** [n] Squared core distances, by place in that tree. */
  squaredCore: Float64Array;
  spanningTree: SpanningTree;
  condensedTree: CondensedTree;
}

/** A clustering, and what placing new points in it takes. */
export interface HdbscanModel extends HdbscanResult {
  hierarchy: DensityHierarchy;
  /** [groups of the condensed tree] 1 for those that are clusters. */
  selected: Uint8Array;
  options: HdbscanOptions;
}

/** Points from which a kernel is worth its memory's setting up. */
const LEAST_POINTS_FOR_KERNEL = 256;

/**
 * Exact at any n and d. Where boxes rule out most points, as in few dimensions and in layouts of many, it takes
 * n·log n steps; where they do not, it looks at every pair (50,000 × 5: 0.4 CPU s; 50,000 × 45 of noise: 20).
 *
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
  const { labels, probabilities, outlierScores } = fitHdbscan(points, options);
  return { labels, probabilities, outlierScores };
}

/** The same, and what `approximatePredict` and the membership vectors ask for: the points among it. */
export function fitHdbscan(points: Float32Array | Float64Array, options: HdbscanOptions): HdbscanModel {
  checkSelection(options);
  const hierarchy = densityHierarchy(points, options);
  const selected = selectClusters(hierarchy.condensedTree, options);
  return { ...clustersOf(hierarchy, selected, options), hierarchy, selected, options };
}

/** As `hdbscan`, and signals and timers are heard meanwhile. */
export async function hdbscanWithPauses(
  points: Float32Array | Float64Array,
  options: HdbscanOptions,
): Promise<HdbscanResult> {
  const { labels, probabilities, outlierScores } = await fitHdbscanWithPauses(points, options);
  return { labels, probabilities, outlierScores };
}

/** As `fitHdbscan`, and signals and timers are heard meanwhile. */
export async function fitHdbscanWithPauses(
  points: Float32Array | Float64Array,
  options: HdbscanOptions,
): Promise<HdbscanModel> {
  checkSelection(options);
  const hierarchy = await finishWithPauses(...hierarchyWork(points, options));
  await pause(options.signal);
  const selected = selectClusters(hierarchy.condensedTree, options);
  return { ...clustersOf(hierarchy, selected, options), hierarchy, selected, options };
}

/** Spanning tree and condensed tree: what `hdbscan` chooses its clusters from, with the same checks. */
export function densityHierarchy(
  points: Float32Array | Float64Array,
  options: HierarchyOptions,
): DensityHierarchy {
  return finish(...hierarchyWork(points, options));
}

/** As `densityHierarchy`, and signals and timers are heard meanwhile. */
export function densityHierarchyWithPauses(
  points: Float32Array | Float64Array,
  options: HierarchyOptions,
): Promise<DensityHierarchy> {
  return finishWithPauses(...hierarchyWork(points, options));
}

function clustersOf(
  { condensedTree }: DensityHierarchy,
  selected: Uint8Array,
  options: SelectionOptions,
): HdbscanResult {
  return { ...labelRows(condensedTree, selected, options), outlierScores: outlierScores(condensedTree) };
}

/** Steps, and how to run them. */
function hierarchyWork(
  points: Float32Array | Float64Array,
  options: HierarchyOptions,
): [Steps<DensityHierarchy>, StepOptions] {
  checkPoints(points, options);
  const { n, signal, onProgress } = options;
  const onStep = (edges: number): void => onProgress?.(edges, Math.max(0, n - 1));
  return [hierarchySteps(points, options), { signal, onStep }];
}

function* hierarchySteps(
  points: Float32Array | Float64Array,
  { n, d, minClusterSize, minSamples = minClusterSize }: HierarchyOptions,
): Steps<DensityHierarchy> {
  yield 0;
  const withKernel = n >= LEAST_POINTS_FOR_KERNEL && kernelServes(n, d, minSamples);
  const search = withKernel ? kernelSearch(points, n, d) : plainSearch(points, n, d);
  yield 0;
  const searched = treePays(search.tree, minSamples);
  const core = yield* searched ? search.coreDistances(minSamples) : search.denseCoreDistances(minSamples);
  const spanningTree = yield* searched ? search.boruvka(core) : search.prim(core);
  yield Math.max(0, n - 1);
  const merges = dendrogram(spanningTree, n);
  yield Math.max(0, n - 1);
  return {
    kdTree: search.tree,
    squaredCore: core.squared,
    spanningTree,
    condensedTree: condenseTree(merges, minClusterSize),
  };
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
