/**
 * The searches that core distances and spanning trees take, in steps: over typed arrays here, in WebAssembly in
 * density-kernel.ts, with the same distances to the last bit.
 */

import { boruvkaSteps } from './boruvka.ts';
import { type CoreDistances, findCoreDistances, noCoreDistances } from './core-distances.ts';
import { buildKdTree, type KdTree } from './kd-tree.ts';
import { primSteps } from './prim.ts';
import type { SpanningTree } from './spanning-tree.ts';
import type { Steps } from './steps.ts';

/** Of one set of points. Steps give the edges of the spanning tree found so far. */
export interface DensitySearch {
  tree: KdTree;
  /** By searching the tree, or by looking at every pair: the same distances. */
  coreDistances(minSamples: number): Steps<CoreDistances>;
  denseCoreDistances(minSamples: number): Steps<CoreDistances>;
  /** Over the tree, or over every pair: trees of the same weight. */
  boruvka(core: CoreDistances): Steps<SpanningTree>;
  prim(core: CoreDistances): Steps<SpanningTree>;
}

/** Core distances searched for between two steps. */
export const CORES_PER_STEP = 4096;

/** @param points [n × d], row-major, finite. */
export function plainSearch(points: Float32Array | Float64Array, n: number, d: number): DensitySearch {
  const tree = buildKdTree(points, n, d);
  function* coreDistances(minSamples: number): Steps<CoreDistances> {
    const core = noCoreDistances(n, minSamples);
    for (let from = 0; from < n; from += CORES_PER_STEP) {
      findCoreDistances(tree, core, from, Math.min(n, from + CORES_PER_STEP));
      yield 0;
    }
    return core;
  }
  return {
    tree,
    coreDistances,
    denseCoreDistances: coreDistances,
    boruvka: (core) => boruvkaSteps(tree, core),
    prim: (core) => primSteps(tree, core),
  };
}

/** Points asked how much of the tree a search looks at. */
const SAMPLED_SEARCHES = 32;

/** Share of the leaves beyond which looking at every pair is cheaper than searching. */
const MOST_LEAVES_SEARCHED = 0.05;

/**
 * Whether boxes rule out enough to pay for themselves: in few dimensions, and in many where the points lie near
 * a surface of few, as layouts do. Told by the leaves that some searches look at, so it depends on the points
 * alone.
 */
export function treePays(tree: KdTree, minSamples: number): boolean {
  const { n } = tree;
  const core = noCoreDistances(n, minSamples);
  let leaves = 0;
  let searches = 0;
  for (let p = 0; p < n; p += Math.ceil(n / SAMPLED_SEARCHES)) {
    leaves += findCoreDistances(tree, core, p, p + 1);
    searches++;
  }
  return leaves <= MOST_LEAVES_SEARCHED * searches * ((tree.nodes + 1) / 2);
}
