/**
 * Gives new documents places in a layout whose other documents stay where they are: each starts between its
 * neighbours and is drawn and pushed as in UMAP's layout, while nothing else moves.
 *
 * Source: McInnes, Healy & Melville 2018, and umap-learn 0.5.3, UMAP.transform.
 * Differs: the pull of an edge comes every epoch in proportion to its weight; new documents see each other where
 * they stood when the epoch began, so the order in which they are moved does not matter.
 */

import type { WeightedGraph } from '../../pipeline/math/fuzzy-graph.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { fitCurve } from '../../pipeline/math/umap-curve.ts';

export interface PlaceOptions {
  /** Numbers per place. */
  d: number;
  minDist: number;
  seed: number;
}

const EPOCHS = 100;
/** First learning rate, a quarter of a layout's own: a place among settled documents needs adjusting only. */
const RATE = 0.25;
/** Documents met by chance for each edge, as in umap-learn. */
const CHANCE_ROWS = 5;
/** Longest move along one coordinate before the rate, as in umap-learn. */
const CLIP = 4;

/**
 * @param graph Of all n documents.
 * @param positions Float32Array [n × d]; rows that are placed are read, the others are written.
 * @param placed Uint8Array [n]; 1 for a row that has its place.
 * @returns Rows that no edge joins to any placed row, even through others; they stay unwritten.
 */
export function placeRows(
  graph: WeightedGraph,
  positions: Float32Array,
  placed: Uint8Array,
  options: PlaceOptions,
): number[] {
  const { d, minDist, seed } = options;
  const { n, offsets, targets, weights } = graph;
  const lost = startAmongNeighbours(graph, positions, placed, d);
  const isLost = new Uint8Array(n);
  for (const i of lost) isLost[i] = 1;
  const rows: number[] = [];
  for (let i = 0; i < n; i++) if (placed[i] === 0 && isLost[i] === 0) rows.push(i);

  const { a, b } = fitCurve(minDist);
  const snapshot = positions.slice();
  const place = new Float64Array(d);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const rate = RATE * (1 - epoch / EPOCHS);
    for (const i of rows) {
      for (let q = 0; q < d; q++) place[q] = snapshot[i * d + q];
      let strongest = 0;
      for (let x = offsets[i]; x < offsets[i + 1]; x++) strongest = Math.max(strongest, weights[x]);
      let pulls = 0;
      for (let x = offsets[i]; x < offsets[i + 1]; x++) {
        const j = targets[x];
        if (isLost[j] === 1) continue;
        const share = weights[x] / strongest;
        pulls += share;
        let square = 0;
        for (let q = 0; q < d; q++) square += (place[q] - snapshot[j * d + q]) ** 2;
        if (square === 0) continue;
        const pull = (-2 * a * b * square ** (b - 1)) / (1 + a * square ** b);
        for (let q = 0; q < d; q++) {
          place[q] += rate * share * clipped(pull * (place[q] - snapshot[j * d + q]));
        }
      }
      // As many chance meetings as the pulls add up to, a broken one by its share.
      const random = createRandom(seed, i, epoch);
      const meetings = CHANCE_ROWS * pulls;
      for (let m = 0; m < meetings; m++) {
        const j = random.nextBelow(n);
        if (j === i || isLost[j] === 1) continue;
        const share = Math.min(1, meetings - m);
        let square = 0;
        for (let q = 0; q < d; q++) square += (place[q] - snapshot[j * d + q]) ** 2;
        if (square === 0) continue;
        const push = (2 * b) / ((0.001 + square) * (1 + a * square ** b));
        for (let q = 0; q < d; q++) {
          place[q] += rate * share * clipped(push * (place[q] - snapshot[j * d + q]));
        }
      }
      for (let q = 0; q < d; q++) positions[i * d + q] = place[q];
    }
    for (const i of rows) for (let q = 0; q < d; q++) snapshot[i * d + q] = positions[i * d + q];
  }
  return lost;
}

/** Puts each new row at the weighted mean of its placed neighbours; rows without any wait for a new one that has some. */
function startAmongNeighbours(
  { n, offsets, targets, weights }: WeightedGraph,
  positions: Float32Array,
  placed: Uint8Array,
  d: number,
): number[] {
  const reached = placed.slice();
  let waiting: number[] = [];
  for (let i = 0; i < n; i++) if (placed[i] === 0) waiting.push(i);
  while (waiting.length > 0) {
    const found: number[] = [];
    for (const i of waiting) {
      const sum = new Float64Array(d);
      let total = 0;
      for (let x = offsets[i]; x < offsets[i + 1]; x++) {
        if (reached[targets[x]] === 0) continue;
        total += weights[x];
        for (let q = 0; q < d; q++) sum[q] += weights[x] * positions[targets[x] * d + q];
      }
      if (total === 0) continue;
      for (let q = 0; q < d; q++) positions[i * d + q] = sum[q] / total;
      found.push(i);
    }
    if (found.length === 0) break;
    for (const i of found) reached[i] = 1;
    waiting = waiting.filter((i) => reached[i] === 0);
  }
  return waiting;
}

function clipped(step: number): number {
  return Math.max(-CLIP, Math.min(CLIP, step));
}
