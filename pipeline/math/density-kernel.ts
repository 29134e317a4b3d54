/** The searches of density-search.ts in WebAssembly, eight points at a time. */

import { type KernelArrays, kernelArrays } from './array-maker.ts';
import { boruvkaSteps, emptyRound, type Round } from './boruvka.ts';
import { type CoreDistances, noCoreDistances } from './core-distances.ts';
import { CORES_PER_STEP, type DensitySearch } from './density-search.ts';
import type { ForeignSearch } from './foreign-search.ts';
import { buildKdTree, type KdTree, LEAF_SIZE } from './kd-tree.ts';
import { isKernelBuilt, kernelPageBytes, loadKernel, maxKernelPages } from './kernel.ts';
import { edgesPerStep } from './prim.ts';
import { edgeList, type SpanningTree } from './spanning-tree.ts';
import type { Steps } from './steps.ts';

const KERNEL = 'density';

/** Functions of pipeline/kernels/density.ts; arguments that are no counts, places or leaves are addresses. */
interface DensityKernel {
  roomBytes(d: number, depth: number): number;
  openTree(...dPointsBoxesStartEndRightRoomDepth: number[]): void;
  coreDistances(...fromToKKeptHeapDistanceHeapPlaceSquaredNeighbours: number[]): void;
  compareLeaf(...leafKHeapDistanceHeapPlaceFarthest: number[]): void;
  openRounds(...squaredKeptNeighboursRound: number[]): void;
  searchBelow(node: number, pending: number): void;
  openPrim(...coreReachSourceLeastReachOpenLeavesLeaves: number[]): void;
  primEdges(count: number, edgeFrom: number, edgeTo: number, edgeSquared: number): void;
}

/** Nodes waiting at once on the way down a tree: at most two for each level, and a balanced one has at most 29. */
const STACK_DEPTH = 64;

/** Whether the kernel was built and its memory can hold what the points take. */
export function kernelServes(n: number, d: number, minSamples: number): boolean {
  // Points and boxes, what is kept of each point, and heaps, with room to spare.
  const bytes = n * (12 * d + 12 * Math.min(n, minSamples) + 160) + 512 * d;
  return bytes < maxKernelPages * kernelPageBytes && isKernelBuilt(KERNEL);
}

/** @param points [n × d], row-major, finite. */
export function kernelSearch(points: Float32Array | Float64Array, n: number, d: number): DensitySearch {
  const arrays = kernelArrays();
  const tree = buildKdTree(points, n, d, arrays);
  const kernel = loadKernel<DensityKernel>(KERNEL, arrays.memory);
  const room = arrays.float64(kernel.roomBytes(d, STACK_DEPTH) / 8);
  kernel.openTree(
    ...[d, ...addresses(tree.points, tree.boxes, tree.start, tree.end, tree.right, room), STACK_DEPTH],
  );
  return {
    tree,
    coreDistances: (minSamples) => searchedCores(kernel, arrays, tree, minSamples),
    denseCoreDistances: (minSamples) => comparedCores(kernel, arrays, tree, minSamples),
    boruvka: (core) => {
      const round = emptyRound(tree, core, arrays);
      return boruvkaSteps(tree, core, round, roundSearch(kernel, arrays, core, round));
    },
    prim: (core) => primWalk(kernel, arrays, tree, core),
  };
}

/** As findCoreDistances of core-distances.ts. */
function* searchedCores(
  kernel: DensityKernel,
  arrays: KernelArrays,
  { n }: KdTree,
  minSamples: number,
): Steps<CoreDistances> {
  const core = noCoreDistances(n, minSamples, arrays);
  const k = Math.min(minSamples, n);
  const room = addresses(arrays.float64(k), arrays.int32(k), core.squared, core.neighbours);
  for (let from = 0; from < n; from += CORES_PER_STEP) {
    kernel.coreDistances(from, Math.min(n, from + CORES_PER_STEP), k, core.kept, ...room);
    yield 0;
  }
  if (minSamples > n) core.squared.fill(Infinity);
  return core;
}

/** The same by looking at every pair; memory n × minSamples × 12 bytes beyond the result. */
function* comparedCores(
  kernel: DensityKernel,
  arrays: KernelArrays,
  { n }: KdTree,
  minSamples: number,
): Steps<CoreDistances> {
  const core = noCoreDistances(n, minSamples, arrays);
  const k = Math.min(minSamples, n);
  const leaves = Math.ceil(n / LEAF_SIZE);
  const distance = arrays.float64(n * k).fill(Infinity);
  const place = arrays.int32(n * k).fill(-1);
  const farthest = arrays
    .float64(leaves * LEAF_SIZE)
    .fill(Infinity, 0, n)
    .fill(-Infinity, n);
  for (let leaf = 0; leaf < leaves; leaf++) {
    kernel.compareLeaf(leaf, k, ...addresses(distance, place, farthest));
    yield 0;
  }
  for (let p = 0; p < n; p++) {
    core.squared[p] = minSamples > n ? Infinity : farthest[p];
    for (let i = 0; i < core.kept; i++) core.neighbours[p * core.kept + i] = place[p * k + i];
  }
  return core;
}

/** As searchRound of foreign-search.ts; among equal edges it may find another. */
function roundSearch(
  kernel: DensityKernel,
  arrays: KernelArrays,
  core: CoreDistances,
  round: Round,
): ForeignSearch {
  kernel.openRounds(
    ...[...addresses(core.squared), core.kept],
    ...addresses(core.neighbours, round.component, round.candidate, round.lowerBound),
    ...addresses(round.bestFrom, round.bestTo, round.bestSquared),
    ...addresses(round.nodeComponent, round.leastCore, round.leastForeign),
  );
  const [pending] = addresses(arrays.int32(STACK_DEPTH));
  return (_tree, _core, _round, node) => kernel.searchBelow(node, pending);
}

/** As primSteps of prim.ts; among equal reaches the walk may go another way. */
function* primWalk(
  kernel: DensityKernel,
  arrays: KernelArrays,
  { n, rows }: KdTree,
  core: CoreDistances,
): Steps<SpanningTree> {
  const edges = edgeList(n);
  if (n < 2) return edges.sorted(rows);
  const leaves = Math.ceil(n / LEAF_SIZE);
  // Points in the tree are marked by a reach that nothing undercuts, and so are places past the last point.
  const reach = arrays
    .float64(leaves * LEAF_SIZE)
    .fill(Infinity, 0, n)
    .fill(-Infinity, n);
  const source = arrays.int32(leaves * LEAF_SIZE);
  const leastReach = arrays.float64(leaves).fill(Infinity);
  const openLeaves = arrays.int32(leaves);
  for (let leaf = 0; leaf < leaves; leaf++) openLeaves[leaf] = leaf;
  kernel.openPrim(...addresses(core.squared, reach, source, leastReach, openLeaves), leaves);
  const perStep = edgesPerStep(n);
  const from = arrays.int32(perStep);
  const to = arrays.int32(perStep);
  const squared = arrays.float64(perStep);
  while (edges.count() < n - 1) {
    const count = Math.min(perStep, n - 1 - edges.count());
    kernel.primEdges(count, from.byteOffset, to.byteOffset, squared.byteOffset);
    for (let e = 0; e < count; e++) edges.add(from[e], to[e], squared[e]);
    yield edges.count();
  }
  return edges.sorted(rows);
}

function addresses(...arrays: readonly (Int32Array | Float64Array)[]): number[] {
  return arrays.map(({ byteOffset }) => byteOffset);
}
