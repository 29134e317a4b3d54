/**
 * UMAP's layout: rows that share an edge are drawn together, rows met by chance are pushed apart, epoch by
 * epoch with falling strength.
 *
 * Rows are cut into blocks (borders from n alone), and each epoch walks all ordered pairs of blocks: first
 * every block with itself, then rounds in which no two pairs share a block. Rows met by chance are read from a
 * snapshot taken when the epoch starts, and every (seed, epoch, pair) has random numbers of its own. So the
 * pairs of one round may run in any order, or at once, and give the same bytes.
 *
 * Source: McInnes, Healy & Melville 2018, section 3.2; umap-learn 0.5.3, optimize_layout_euclidean.
 * Differs: the order of updates; chance rows from the snapshot; gradients from a table (0.5% steps).
 */

import type { WeightedGraph } from './fuzzy-graph.ts';
import { pause } from './pause.ts';
import { createRandom, type Random, shuffled } from './random.ts';
import type { Curve } from './umap-curve.ts';
import {
  CHANCE_ROWS,
  gradientTables,
  type LayoutState,
  moveAlongEdges,
  type ScheduledEdges,
} from './umap-moves.ts';

export interface LayoutOptions {
  nComponents: number;
  curve: Curve;
  epochs: number;
  seed: number;
  signal?: AbortSignal;
  /** Called after each epoch with epochs done, of all. */
  onProgress?: (done: number, total: number) => void;
}

/** Rows per block, at least: blocks of this size in five dimensions stay in a core's own cache. */
const LEAST_BLOCK_ROWS = 1024;
/** Blocks at most; half as many pairs can run at once. Even, so that every round pairs all blocks. */
const MOST_BLOCKS = 32;

/** The epochs that umap-learn takes: few rows need more. */
export function defaultEpochs(n: number): number {
  return n <= 10_000 ? 500 : 200;
}

/**
 * @param start Float32Array [n × nComponents]; left as it is.
 * @returns Float32Array [n × nComponents].
 */
export async function layoutGraph(
  graph: WeightedGraph,
  start: Float32Array,
  options: LayoutOptions,
): Promise<Float32Array> {
  const { nComponents, curve, epochs, seed, signal, onProgress } = options;
  const { n } = graph;
  const positions = start.slice();
  const blocks = blockCount(n);
  const edges = scheduleEdges(graph, blocks, epochs);
  const rounds = tournament(blocks);
  const tables = gradientTables(curve);
  const order = shuffled(n, createRandom(seed, 0x73687566));
  const strides = createRandom(seed, 0x73747269);
  // A chance draw reads consecutive snapshot rows: the first few stand again behind the last.
  const snapshot = new Float32Array((n + CHANCE_ROWS - 1) * nComponents);
  const state: LayoutState = { n, nComponents, positions, snapshot, edges, tables };

  for (let epoch = 0; epoch < epochs; epoch++) {
    takeSnapshot(state, order, coprimeBelow(n, strides));
    // Strength falls from 1 to 0; like umap-learn's, it is 1 in the first two epochs.
    const strength = 1 - Math.max(0, epoch - 1) / epochs;
    for (const round of rounds) {
      for (const [p, q] of round) {
        const pair = p * blocks + q;
        moveAlongEdges(state, pair, epoch, strength, createRandom(seed, epoch, pair).nextUint32());
      }
    }
    onProgress?.(epoch + 1, epochs);
    await pause(signal);
  }
  return positions;
}

/** 1, or an even number of blocks. */
function blockCount(n: number): number {
  const fitting = Math.floor(n / LEAST_BLOCK_ROWS);
  return fitting < 2 ? 1 : Math.min(MOST_BLOCKS, fitting - (fitting % 2));
}

/**
 * Rounds of block pairs [head's block, tail's block]: each block with itself, then all others by the circle
 * method, each block once in every round. The heads of a pair's edges first lie in the lower block; the
 * opposite directions follow only after all those rounds. An edge drawn twice in a row would overshoot and
 * swing back, and on 51,396 abstracts that costs the map 0.007 of trustworthiness.
 */
export function tournament(blocks: number): [number, number][][] {
  const upward: [number, number][][] = [];
  for (let round = 0; round < blocks - 1; round++) {
    const pairs: [number, number][] = [[round, blocks - 1]];
    for (let step = 1; step < blocks / 2; step++) {
      const a = (round + step) % (blocks - 1);
      const b = (round - step + blocks - 1) % (blocks - 1);
      pairs.push([Math.min(a, b), Math.max(a, b)]);
    }
    upward.push(pairs);
  }
  const diagonal = Array.from({ length: blocks }, (_, b): [number, number] => [b, b]);
  const downward = upward.map((pairs) => pairs.map(([p, q]): [number, number] => [q, p]));
  return [diagonal, ...upward, ...downward];
}

function scheduleEdges(graph: WeightedGraph, blocks: number, epochs: number): ScheduledEdges {
  const { n, offsets: rows, targets, weights } = graph;
  let strongest = 0;
  for (const weight of weights) if (weight > strongest) strongest = weight;
  // An edge that would not be drawn once is left out.
  const weakest = strongest / epochs;
  const blockOf = Uint8Array.from({ length: n }, (_, i) => Math.floor((i * blocks) / n));
  const pairOf = (i: number, j: number): number => blockOf[i] * blocks + blockOf[j];

  const offsets = new Int32Array(blocks * blocks + 1);
  for (let i = 0; i < n; i++) {
    for (let x = rows[i]; x < rows[i + 1]; x++) {
      if (weights[x] >= weakest) offsets[pairOf(i, targets[x]) + 1]++;
    }
  }
  for (let pair = 0; pair < blocks * blocks; pair++) offsets[pair + 1] += offsets[pair];
  const m = offsets[blocks * blocks];
  const edges: ScheduledEdges = {
    offsets,
    heads: new Int32Array(m),
    tails: new Int32Array(m),
    periods: new Float32Array(m),
    due: new Float32Array(m),
  };
  const fill = offsets.slice(0, blocks * blocks);
  for (let i = 0; i < n; i++) {
    for (let x = rows[i]; x < rows[i + 1]; x++) {
      if (weights[x] < weakest) continue;
      const at = fill[pairOf(i, targets[x])]++;
      edges.heads[at] = i;
      edges.tails[at] = targets[x];
      edges.periods[at] = strongest / weights[x];
      edges.due[at] = edges.periods[at];
    }
  }
  return edges;
}

/** A random number from 1 to n − 1 that shares no factor with n, so that its multiples visit every row. */
function coprimeBelow(n: number, random: Random): number {
  for (;;) {
    const stride = 1 + random.nextBelow(Math.max(1, n - 1));
    let a = n;
    let b = stride;
    while (b > 0) [a, b] = [b, a % b];
    if (a === 1) return stride;
  }
}

/**
 * Copies the positions for the chance draws. A draw reads consecutive rows of the snapshot, which must be a
 * fair sample and in no epoch the same: so rows stand in a shuffled order, walked by this epoch's stride.
 */
function takeSnapshot(
  { n, nComponents, positions, snapshot }: LayoutState,
  order: Int32Array,
  stride: number,
): void {
  let at = 0;
  for (let r = 0; r < n + CHANCE_ROWS - 1; r++) {
    const from = order[at] * nComponents;
    for (let q = 0; q < nComponents; q++) snapshot[r * nComponents + q] = positions[from + q];
    at += stride;
    if (at >= n) at -= n;
  }
}
