/** Where new points would join a hierarchy that does not know them: at the point they reach first. */

import type { DensityHierarchy, HdbscanModel } from './hdbscan.ts';
import { nearestPlaces } from './nearest-places.ts';

/** Nearest points that are looked through, as multiples of minSamples; as in the hdbscan package. */
const LOOKED_THROUGH = 2;

export interface ReachNeighbors {
  /** [n] Row of the model's point that each new point reaches first. */
  rows: Int32Array;
  /** [n] λ of that reach: 1 / mutual reachability, Infinity where that is 0. */
  lambdas: Float64Array;
}

/**
 * The model's point with the least mutual reachability to each new one, among its 2 · minSamples nearest; the
 * nearer on a tie. A new point's core distance is what it would be if the point, alone, were added.
 *
 * @param points [n × d], row-major, d as in the model.
 * @throws RangeError for a size that does not fit, or a NaN or infinite coordinate (naming the row).
 */
export function reachNeighbors(
  { hierarchy, options }: HdbscanModel,
  points: Float32Array | Float64Array,
  caller: string,
): ReachNeighbors {
  const { kdTree, squaredCore } = hierarchy;
  const { n: known, d } = kdTree;
  checkNewPoints(points, hierarchy, caller);
  const minSamples = options.minSamples ?? options.minClusterSize;
  const n = points.length / d;
  const rows = new Int32Array(n);
  const lambdas = new Float64Array(n);
  const nearest = nearestPlaces(kdTree, Math.min(known, LOOKED_THROUGH * minSamples));
  const query = new Float64Array(d);
  const order = Array.from(nearest.places.keys());
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < d; c++) query[c] = points[i * d + c];
    nearest.search(query, 0);
    const { squared, places } = nearest;
    order.sort((a, b) => squared[a] - squared[b] || kdTree.rows[places[a]] - kdTree.rows[places[b]]);
    // The point itself counts, so it needs one neighbour fewer.
    const ownCore = minSamples === 1 ? 0 : (squared[order[minSamples - 2]] ?? Infinity);
    let best = 0;
    let least = Infinity;
    for (const entry of order) {
      // A distance whose square overflows is never found.
      if (places[entry] < 0) break;
      const reach = Math.max(ownCore, squaredCore[places[entry]], squared[entry]);
      if (reach >= least) continue;
      least = reach;
      best = kdTree.rows[places[entry]];
    }
    rows[i] = best;
    lambdas[i] = 1 / Math.sqrt(least);
  }
  return { rows, lambdas };
}

function checkNewPoints(
  points: Float32Array | Float64Array,
  { kdTree: { n, d } }: DensityHierarchy,
  caller: string,
): void {
  if (n === 0) throw new RangeError(`${caller}: expected a model of at least one point, got one of none.`);
  if (points.length % d !== 0) {
    throw new RangeError(
      `${caller}: expected points of ${d} numbers each, as the model's are, got ${points.length} numbers.`,
    );
  }
  for (let i = 0; i < points.length; i++) {
    if (Number.isFinite(points[i])) continue;
    throw new RangeError(
      `${caller}: expected finite coordinates, got ${points[i]} in row ${Math.floor(i / d)}, column ${i % d}.`,
    );
  }
}
