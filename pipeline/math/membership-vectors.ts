/** Soft clustering: how likely each point belongs to each cluster, from its distance to them and its place in the hierarchy. */

import { labelsOfGroups } from './approximate-predict.ts';
import type { CondensedTree } from './condensed-tree.ts';
import type { HdbscanModel } from './hdbscan.ts';
import { copyPoint } from './nearest-places.ts';
import { reachNeighbors } from './reach-neighbor.ts';

/** Keeps a division by the greatest λ from one by 0, as in the hdbscan package. */
const LEAST_LAMBDA = 1e-8;

/** What all vectors of a model take. */
interface SoftClusters {
  tree: CondensedTree;
  /** [c] Group of each cluster, by label. */
  groups: Int32Array;
  /** [exemplars × d] A cluster's most persistent points: the last of each group without parts below it. */
  exemplars: Float64Array;
  /** [c + 1] Where each cluster's exemplars begin. */
  offsets: Int32Array;
  d: number;
}

/**
 * @returns Float32Array [n × c], by label: the chance that the row belongs to the cluster. A row sums to the
 *   chance that it belongs to any.
 *
 * Time n · (exemplars · d + c · depth of the hierarchy).
 *
 * Source: all_points_membership_vectors of the hdbscan package 0.8,
 * https://github.com/scikit-learn-contrib/hdbscan, hdbscan/prediction.py and _prediction_utils.pyx: distances and
 * outlier scores multiplied, scaled by the chance of any cluster.
 * Differs: where a λ is infinite, among equal points, its ratios are taken to their limits; there they are NaN.
 */
export function allPointsMembershipVectors(model: HdbscanModel): Float32Array {
  const clusters = softClusters(model);
  const { tree, groups } = clusters;
  const { kdTree } = model.hierarchy;
  const c = groups.length;
  const vectors = new Float32Array(kdTree.n * c);
  if (c === 0) return vectors;
  const query = new Float64Array(kdTree.d);
  const heights = new Float64Array(c);
  const byDistance = new Float64Array(c);
  const byDensity = new Float64Array(c);
  for (let place = 0; place < kdTree.n; place++) {
    const row = kdTree.rows[place];
    const group = tree.rowCluster[row];
    const lambda = tree.rowLambda[row];
    copyPoint(kdTree, place, query);
    distanceShares(clusters, query, byDistance);
    mergeHeights(clusters, group, lambda, heights);
    // The denser the place where the row and the cluster come together, the likelier.
    for (let j = 0; j < c; j++) byDensity[j] = Math.exp(-ratio(tree.death[group] + LEAST_LAMBDA, heights[j]));
    softmax(byDensity);
    const highest = indexOfGreatest(heights);
    const chance = ratio(heights[highest], Math.max(tree.death[groups[highest]], lambda));
    for (let j = 0; j < c; j++) byDistance[j] *= byDensity[j];
    writeShares(byDistance, byDensity, chance, vectors, row * c);
  }
  return vectors;
}

/**
 * The same of new points, each for itself.
 *
 * @param points [n × d], row-major, d as in the model.
 * @returns Float32Array [n × c], by label.
 * @throws RangeError for a size that does not fit, or a NaN or infinite coordinate (naming the row).
 *
 * Source: membership_vector, in the same files: there too the outlier scores are others than those of
 * all_points_membership_vectors, and the product weighs them more, √distance · outlier².
 * Differs: as above, and as approximatePredict does in core distances.
 */
export function membershipVectors(model: HdbscanModel, points: Float32Array | Float64Array): Float32Array {
  const { rows, lambdas } = reachNeighbors(model, points, 'membershipVectors');
  const clusters = softClusters(model);
  const { tree, groups, d } = clusters;
  const c = groups.length;
  const vectors = new Float32Array(rows.length * c);
  if (c === 0) return vectors;
  const query = new Float64Array(d);
  const heights = new Float64Array(c);
  const byDistance = new Float64Array(c);
  const byDensity = new Float64Array(c);
  for (let i = 0; i < rows.length; i++) {
    const group = tree.rowCluster[rows[i]];
    // A new point leaves with its neighbour at the latest.
    const lambda = Math.min(lambdas[i], tree.rowLambda[rows[i]]);
    for (let x = 0; x < d; x++) query[x] = points[i * d + x];
    distanceShares(clusters, query, byDistance);
    mergeHeights(clusters, group, lambda, heights);
    for (let j = 0; j < c; j++) {
      const missing = tree.death[group] - heights[j];
      byDensity[j] = ratio(tree.death[group], missing > 0 ? missing : LEAST_LAMBDA);
    }
    softmax(byDensity);
    const highest = indexOfGreatest(heights);
    const greatest = Math.max(lambda, tree.death[groups[highest]]) + LEAST_LAMBDA;
    for (let j = 0; j < c; j++) byDistance[j] = Math.sqrt(byDistance[j]) * byDensity[j] ** 2;
    writeShares(byDistance, byDensity, ratio(heights[highest], greatest), vectors, i * c);
  }
  return vectors;
}

function softClusters(model: HdbscanModel): SoftClusters {
  const { kdTree, condensedTree: tree } = model.hierarchy;
  const labelOf = labelsOfGroups(model);
  // A row that is noise in a cluster of everything has no label, so clusters are counted by what is labelled.
  const groups = new Int32Array(labelOf.reduce((most, label) => Math.max(most, label + 1), 0));
  // Nearest cluster at or above each group.
  const clusterOf = new Int32Array(tree.clusters);
  const hasParts = new Uint8Array(tree.clusters);
  for (let group = 0; group < tree.clusters; group++) {
    if (group > 0) hasParts[tree.parent[group]] = 1;
    if (labelOf[group] >= 0) groups[labelOf[group]] = group;
    clusterOf[group] = labelOf[group] >= 0 || group === 0 ? labelOf[group] : clusterOf[tree.parent[group]];
  }
  const isExemplar = (row: number): boolean => {
    const group = tree.rowCluster[row];
    return hasParts[group] === 0 && clusterOf[group] >= 0 && tree.rowLambda[row] === tree.death[group];
  };
  const places = Array.from(kdTree.rows.keys()).filter((place) => isExemplar(kdTree.rows[place]));
  const cluster = (place: number): number => clusterOf[tree.rowCluster[kdTree.rows[place]]];
  places.sort((a, b) => cluster(a) - cluster(b) || kdTree.rows[a] - kdTree.rows[b]);
  const exemplars = new Float64Array(places.length * kdTree.d);
  const offsets = new Int32Array(groups.length + 1);
  places.forEach((place, i) => {
    copyPoint(kdTree, place, exemplars.subarray(i * kdTree.d));
    offsets[cluster(place) + 1] = i + 1;
  });
  return { tree, groups, exemplars, offsets, d: kdTree.d };
}

/** Writes one over the distance to each cluster's nearest exemplar, as shares. On exemplars, theirs alone. */
function distanceShares(
  { exemplars, offsets, d }: SoftClusters,
  query: Float64Array,
  shares: Float64Array,
): void {
  let onExemplar = false;
  for (let j = 0; j < shares.length; j++) {
    let least = Infinity;
    for (let e = offsets[j] * d; e < offsets[j + 1] * d; e += d) {
      let sum = 0;
      for (let x = 0; x < d; x++) sum += (exemplars[e + x] - query[x]) ** 2;
      if (sum < least) least = sum;
    }
    shares[j] = 1 / Math.sqrt(least);
    if (least === 0) onExemplar = true;
  }
  if (onExemplar) for (let j = 0; j < shares.length; j++) shares[j] = shares[j] === Infinity ? 1 : 0;
  scaleToOne(shares);
}

/**
 * λ at which a point of a group and each cluster come together: where their branches meet, or where the point
 * leaves if one branch holds the other.
 */
function mergeHeights(
  { tree: { parent, birth }, groups }: SoftClusters,
  group: number,
  lambda: number,
  heights: Float64Array,
): void {
  for (let j = 0; j < groups.length; j++) {
    let own = group;
    let other = groups[j];
    let last = other;
    let ownClimbed = false;
    let otherClimbed = false;
    // Parents have lower numbers, so the higher of two is never above the other.
    while (own !== other) {
      if (own > other) {
        last = own;
        own = parent[own];
        ownClimbed = true;
      } else {
        last = other;
        other = parent[other];
        otherClimbed = true;
      }
    }
    heights[j] = ownClimbed && otherClimbed ? birth[last] : lambda;
  }
}

/** a / b for λ from 0 to Infinity, where ∞ / ∞ is 1. */
function ratio(a: number, b: number): number {
  return a === b ? 1 : a / b;
}

function softmax(values: Float64Array): void {
  const greatest = values[indexOfGreatest(values)];
  for (let j = 0; j < values.length; j++) {
    values[j] = values[j] === greatest ? 1 : Math.exp(values[j] - greatest);
  }
  scaleToOne(values);
}

/** The first on a tie. */
function indexOfGreatest(values: Float64Array): number {
  let greatest = 0;
  for (let j = 1; j < values.length; j++) if (values[j] > values[greatest]) greatest = j;
  return greatest;
}

function scaleToOne(values: Float64Array): void {
  let sum = 0;
  for (const value of values) sum += value;
  for (let j = 0; j < values.length; j++) values[j] /= sum;
}

/** Where the product leaves no cluster, the point lies on one's exemplar and is dense in another: density decides. */
function writeShares(
  product: Float64Array,
  byDensity: Float64Array,
  total: number,
  vectors: Float32Array,
  from: number,
): void {
  const shares = product.some((share) => share > 0) ? product : byDensity;
  scaleToOne(shares);
  for (let j = 0; j < shares.length; j++) vectors[from + j] = shares[j] * total;
}
