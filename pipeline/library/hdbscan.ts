/** HDBSCAN for programs: clusters at one go or with pauses, and new points placed among them. */

import { type Predictions, approximatePredict as predict } from '../math/approximate-predict.ts';
import {
  fitHdbscan as fitAtOnce,
  fitHdbscanWithPauses,
  type HdbscanModel,
  type HdbscanResult,
  type HdbscanOptions as KernelOptions,
} from '../math/hdbscan.ts';
import {
  membershipVectors as vectorsOf,
  allPointsMembershipVectors as vectorsOfAll,
} from '../math/membership-vectors.ts';
import {
  abortSignal,
  checkMatrix,
  checkOptions,
  countRows,
  isObject,
  listener,
  numberFrom,
  type OptionRules,
  oneOf,
  required,
  shown,
  trueOrFalse,
  wholeNumber,
} from './check-arguments.ts';
import { stopIfAborted } from './neighbors.ts';
import { given, type ProgressListener, partOf } from './progress.ts';

export type Points = Float32Array | Float64Array;

/** Names, meanings and defaults are those of scikit-learn's HDBSCAN; the metric is euclidean. */
export interface HdbscanOptions {
  /** Points, from 0 up. */
  n: number;
  /** Numbers per point. */
  d: number;
  /** Smallest group that counts as a cluster; a whole number from 2 up, default 5. */
  minClusterSize?: number | undefined;
  /**
   * Points that a core distance takes in, the point itself among them (the hdbscan package does not count it: its k is
   * k + 1 here); from 1 up, default minClusterSize.
   */
  minSamples?: number | undefined;
  /** `eom`, the default: the most persistent groups; `leaf`: the finest. */
  clusterSelectionMethod?: 'eom' | 'leaf' | undefined;
  /** Groups born below this distance are merged upwards; 0, the default, merges none. */
  clusterSelectionEpsilon?: number | undefined;
  /** Whether the whole set may be the one cluster; default false. */
  allowSingleCluster?: boolean | undefined;
  /** Largest cluster that `eom` may choose, in points; default no limit. Epsilon may exceed it. */
  maxClusterSize?: number | undefined;
  /** Ends the work with Interrupted when aborted; the signal's reason is its cause. */
  signal?: AbortSignal | undefined;
  onProgress?: ProgressListener<'hierarchy'> | undefined;
}

const rules: OptionRules<HdbscanOptions> = {
  n: required(wholeNumber(0)),
  d: required(wholeNumber(1)),
  minClusterSize: wholeNumber(2),
  minSamples: wholeNumber(1),
  clusterSelectionMethod: oneOf('eom', 'leaf'),
  clusterSelectionEpsilon: numberFrom(0),
  allowSingleCluster: trueOrFalse,
  maxClusterSize: wholeNumber(1),
  signal: abortSignal,
  onProgress: listener,
};

const DEFAULT_MIN_CLUSTER_SIZE = 5;
const POINT_KINDS = ['Float32Array', 'Float64Array'] as const;

/**
 * Clusters of varying density, and noise. Exact.
 *
 * Time: n · log n where boxes rule out most points, as in few dimensions and in layouts of many; n² · d where they do
 * not. Memory: about 8 · d + 200 bytes a point. One thread. It answers when all is done: a signal is heard only if
 * `onProgress` aborts it; `hdbscanAsync` hears others.
 *
 * @param points [n × d], row-major, finite.
 * @returns `labels`, Int32Array [n], −1 for noise, clusters numbered from 0 by their lowest row; `probabilities`,
 *   Float32Array [n], 0 for noise; `outlierScores`, Float32Array [n], GLOSH, 0 to 1. Fewer points than
 *   minClusterSize or minSamples, and points that are all equal, are all noise.
 * @throws TypeError, RangeError for arguments that are not as said.
 *
 * Source: Campello, Moulavi, Zimek, Sander 2015, "Hierarchical density estimates for data clustering, visualization,
 * and outlier detection". Agrees with scikit-learn 1.9.1 (test/math/hdbscan.test.ts). Differs: see math/hdbscan.ts.
 */
export function hdbscan(points: Points, options: HdbscanOptions): HdbscanResult {
  return resultOf(fitAtOnce(points, checked('hdbscan', points, options)));
}

/** The same without holding up the event loop for longer than some hundredths of a second: signals and timers are heard. */
export async function hdbscanAsync(points: Points, options: HdbscanOptions): Promise<HdbscanResult> {
  return resultOf(await fitHdbscanWithPauses(points, checked('hdbscanAsync', points, options)));
}

/** As `hdbscan`, and what `approximatePredict` and the membership vectors ask for: the points among it. */
export function fitHdbscan(points: Points, options: HdbscanOptions): HdbscanModel {
  return modelOf(fitAtOnce(points, checked('fitHdbscan', points, options)));
}

/** As `fitHdbscan`, heeding signals and timers. */
export async function fitHdbscanAsync(points: Points, options: HdbscanOptions): Promise<HdbscanModel> {
  return modelOf(await fitHdbscanWithPauses(points, checked('fitHdbscanAsync', points, options)));
}

/**
 * Clusters of points that came after the clustering, which stays as it is. Each point is judged alone, so any cutting
 * into batches gives the same. Time n · log(points of the model) in few dimensions.
 *
 * @param points [n × d], d as in the model.
 * @returns `labels`, Int32Array [n], and `probabilities`, Float32Array [n], as in the model.
 * @throws TypeError, RangeError for arguments that are not as said.
 *
 * Source: approximate_predict of the hdbscan package 0.8. Differs: see math/approximate-predict.ts.
 */
export function approximatePredict(model: HdbscanModel, points: Points): Predictions {
  checkNewPoints('approximatePredict', model, points);
  return predict(model, points);
}

/**
 * How likely each new point belongs to each cluster. A row sums to the chance that it belongs to any. Time
 * n · (exemplars · d + c · depth of the hierarchy).
 *
 * @param points [n × d], d as in the model.
 * @returns Float32Array [n × c], c the clusters of the model, by label.
 * @throws TypeError, RangeError for arguments that are not as said.
 *
 * Source: membership_vector of the hdbscan package 0.8. Differs: see math/membership-vectors.ts.
 */
export function membershipVectors(model: HdbscanModel, points: Points): Float32Array {
  checkNewPoints('membershipVectors', model, points);
  return vectorsOf(model, points);
}

/**
 * The same of the points that were clustered.
 *
 * @returns Float32Array [n × c], c the clusters of the model, by label.
 *
 * Source: all_points_membership_vectors of the hdbscan package 0.8. Differs: see math/membership-vectors.ts.
 */
export function allPointsMembershipVectors(model: HdbscanModel): Float32Array {
  checkModel('allPointsMembershipVectors', model);
  return vectorsOfAll(model);
}

function checked(caller: string, points: Points, options: HdbscanOptions): KernelOptions {
  checkOptions(caller, options, rules);
  checkMatrix(caller, 'points', points, POINT_KINDS, options.n, options.d);
  stopIfAborted(options.signal);
  const { minClusterSize = DEFAULT_MIN_CLUSTER_SIZE, onProgress, ...rest } = options;
  return { ...rest, minClusterSize, ...given({ onProgress: partOf(onProgress, 'hierarchy') }) };
}

function resultOf({ labels, probabilities, outlierScores }: HdbscanModel): HdbscanResult {
  return { labels, probabilities, outlierScores };
}

/** Signal and listener end with the fit. */
function modelOf(model: HdbscanModel): HdbscanModel {
  const { signal, onProgress, ...options } = model.options;
  return { ...model, options };
}

function checkNewPoints(caller: string, model: HdbscanModel, points: Points): void {
  checkModel(caller, model);
  countRows(caller, 'points', points, POINT_KINDS, model.hierarchy.kdTree.d);
}

function checkModel(caller: string, model: unknown): void {
  if (
    isObject(model) &&
    isObject(model.hierarchy) &&
    isObject(model.hierarchy.kdTree) &&
    isObject(model.options)
  )
    return;
  throw new TypeError(`${caller}: expected a model that fitHdbscan gave, got ${shown(model)}.`);
}
