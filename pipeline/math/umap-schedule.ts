/**
 * When and in which order UMAP's layout draws its edges: blocks of rows, rounds of block pairs, and the edges of
 * each pair with the share of epochs in which they are drawn.
 */

import type { WeightedGraph } from './fuzzy-graph.ts';
import { DUE, EDGE_STEP, firstRowOf, GOLDEN_RATIO, type ScheduledEdges } from './umap-moves.ts';

/**
 * Blocks that rows are cut into; half as many threads find work in a round. Each visit of a pair fetches rows from
 * memory anew, and the fewer the blocks, the more draws share a visit: 16 blocks take two thirds of the time of 32
 * at 200,000 rows in five dimensions. At a million the two are equal.
 */
const BLOCKS = 16;
const MANY_BLOCKS = 32;
const MANY_ROWS = 500_000;
/** Smaller blocks are through before a thread has woken up. */
const LEAST_BLOCK_ROWS = 1024;
/** Rows of a block are counted in 16 bits. */
const MOST_BLOCK_ROWS = 65_536;

/** A power of two, so that every round pairs all of them by their bits. */
export function blockCount(n: number): number {
  const usual = n < MANY_ROWS ? Math.min(BLOCKS, Math.floor(n / LEAST_BLOCK_ROWS)) : MANY_BLOCKS;
  let blocks = 1;
  while (2 * blocks <= usual || n > blocks * MOST_BLOCK_ROWS) blocks *= 2;
  return blocks;
}

/**
 * Rounds of block pairs [head's block, tail's block]: each block with itself, then all others, each block once in
 * every round. The heads of a pair's edges first lie in the lower block; the opposite directions follow only after
 * all those rounds. An edge drawn twice in a row would overshoot and swing back, and on 51,396 abstracts that costs
 * the map 0.007 of trustworthiness.
 *
 * Halves of all blocks meet first, then the quarters of each half, and so on. Partners differ by the bits of one
 * number in each round, so that a quarter of the tasks, in their order, works for many rounds on the same blocks.
 */
export function tournament(blocks: number): [number, number][][] {
  const upward: [number, number][][] = [];
  for (let half = blocks / 2; half >= 1; half /= 2) {
    for (let bits = 0; bits < half; bits++) {
      upward.push(
        Array.from({ length: blocks / 2 }, (_, task): [number, number] => {
          const [group, place] = [Math.floor(task / half), task % half];
          const first = group * 2 * half;
          return [first + place, first + half + (place ^ bits)];
        }),
      );
    }
  }
  const diagonal = Array.from({ length: blocks }, (_, b): [number, number] => [b, b]);
  const downward = upward.map((pairs) => pairs.map(([p, q]): [number, number] => [q, p]));
  return [diagonal, ...upward, ...downward];
}

/** Where the edges of each pair start, and how many there are: see {@link ScheduledEdges.offsets}. */
export function edgeOffsets(graph: WeightedGraph, blocks: number, epochs: number): Int32Array {
  const offsets = new Int32Array(blocks * blocks + 1);
  eachDrawnEdge(graph, blocks, epochs, (pair) => {
    offsets[pair + 1]++;
  });
  for (let pair = 0; pair < blocks * blocks; pair++) {
    offsets[pair + 1] = offsets[pair] + EDGE_STEP * Math.ceil(offsets[pair + 1] / EDGE_STEP);
  }
  return offsets;
}

/** Fills in what `edges.offsets` has places for; all places are 0 before, and those that fill pairs up stay so. */
export function scheduleEdges(
  graph: WeightedGraph,
  blocks: number,
  epochs: number,
  edges: ScheduledEdges,
): void {
  const fill = edges.offsets.slice(0, blocks * blocks);
  const firstRows = Int32Array.from({ length: blocks }, (_, block) => firstRowOf(block, graph.n, blocks));
  eachDrawnEdge(graph, blocks, epochs, (pair, head, tail, share) => {
    const at = fill[pair]++;
    edges.heads[at] = head - firstRows[Math.floor(pair / blocks)];
    edges.tails[at] = tail - firstRows[pair % blocks];
    edges.rates[at] = Math.round(share * DUE);
    edges.clocks[at] = Math.imul(at, GOLDEN_RATIO) >>> 17;
  });
}

/** Calls `take` for each directed edge with its share of the strongest weight; an edge that would not be drawn once is left out. */
function eachDrawnEdge(
  { n, offsets, targets, weights }: WeightedGraph,
  blocks: number,
  epochs: number,
  take: (pair: number, head: number, tail: number, share: number) => void,
): void {
  let strongest = 0;
  for (const weight of weights) if (weight > strongest) strongest = weight;
  const weakest = strongest / epochs;
  const blockOf = Uint16Array.from({ length: n }, (_, i) => Math.floor((i * blocks) / n));
  for (let i = 0; i < n; i++) {
    for (let x = offsets[i]; x < offsets[i + 1]; x++) {
      if (weights[x] < weakest) continue;
      take(blockOf[i] * blocks + blockOf[targets[x]], i, targets[x], weights[x] / strongest);
    }
  }
}
