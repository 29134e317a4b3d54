/**
 * New rows placed into a layout that stays as it is: each starts at the weighted mean of its neighbours among the
 * old rows, and then moves for some epochs as rows of the layout did. Where a row comes to stand depends on the
 * old rows and itself alone, so rows may be placed in any batches, in any order and anywhere.
 *
 * Source: umap-learn 0.5.3, UMAP.transform; weights agree with it (test/oracle/umap.py).
 * Differs: how often a row is drawn to a neighbour follows from that row's own strongest weight, not from the
 * batch's, and so does the least scale; chance rows as in umap-layout.ts.
 */

import { hashOf } from './content-order.ts';
import { kernelMemory } from './kernel.ts';
import type { Neighbors } from './nearest-neighbors.ts';
import { createRandom } from './random.ts';
import { compiledModule, startTeam } from './thread-team.ts';
import { fitCurve } from './umap-curve.ts';
import {
  CHANCE_ROWS,
  type Chance,
  chanceOf,
  DUE,
  gradientTables,
  type NewRow,
  paddedDimensions,
  TABLE_SIZE,
  takeSnapshot,
} from './umap-moves.ts';
import { open, type PlacingWork, placingPlaces } from './umap-placing.ts';

export interface TransformOptions {
  /** Rows of the layout. */
  n: number;
  nComponents: number;
  /** New rows. */
  count: number;
  /** Neighbours of each. UMAP's own n_neighbors; umap-learn counts no row itself here. */
  k: number;
  /** As the layout was made with. */
  minDist: number;
  /** Default 1. */
  spread?: number;
  /** Default 100. */
  epochs?: number;
  seed: number;
  /** Default 1; the result is the same for any number. */
  threads?: number;
  signal?: AbortSignal;
  /** Called now and then with rows placed, of all. */
  onProgress?: (done: number, total: number) => void;
}

/** Share of each step that is taken in the first epoch, as in umap-learn. */
const FIRST_STRENGTH = 0.25;
/** umap-learn takes 30 for more than 10,000 new rows; 100 keep a tenth more of the neighbours. */
const DEFAULT_EPOCHS = 100;
/** New rows between two turns of the event loop. */
const ROWS_PER_TURN = 20_000;
/** For fewer new rows, threads would be longer in starting than at work. */
const LEAST_THREADED_ROWS = 5_000;
/** How far Σ membership may stay from its target, and the bisection steps at most, as in umap-learn. */
const MEMBERSHIP_TOLERANCE = 1e-5;
const BISECTION_STEPS = 64;
/** σ is at least this share of the mean distance. */
const SMALLEST_SIGMA = 1e-3;

/**
 * @param layout Float32Array [n × nComponents]: where the old rows stand.
 * @param neighbors The k nearest old rows of each new row, nearest first.
 * @returns Float32Array [count × nComponents].
 * @throws RangeError when an array has another length than expected, or an index is none of an old row.
 */
export async function placeNewPoints(
  layout: Float32Array,
  neighbors: Neighbors,
  options: TransformOptions,
): Promise<Float32Array> {
  const { n, nComponents, count, k, minDist, spread = 1 } = options;
  const { epochs = DEFAULT_EPOCHS, threads = 1, signal, onProgress } = options;
  checkPlacing(layout, neighbors, options);
  if (count === 0) return new Float32Array(0);

  const places = placingPlaces(n, nComponents, count, k);
  const memory = kernelMemory(places.end);
  const { buffer } = memory;
  const padded = paddedDimensions(nComponents);
  const positions = new Float32Array(buffer, places.positions, n * padded);
  const groups = Math.ceil(n / CHANCE_ROWS);
  const snapshot = new Float32Array(buffer, places.snapshot, groups * CHANCE_ROWS * nComponents);
  for (let i = 0; i < n; i++) {
    positions.set(layout.subarray(i * nComponents, (i + 1) * nComponents), i * padded);
  }
  takeSnapshot({ n, nComponents, positions, snapshot }, 0, groups);
  const tables = gradientTables(fitCurve(minDist, spread), {
    attraction: new Float32Array(buffer, places.attraction, TABLE_SIZE),
    repulsion: new Float32Array(buffer, places.repulsion, TABLE_SIZE),
  });

  const rows = new Float32Array(buffer, places.rows, count * padded);
  const tails = new Int32Array(buffer, places.tails, count * k);
  const rates = new Uint16Array(buffer, places.rates, count * k);
  const chances = new Int32Array(buffer, places.chances, 2 * count);
  for (let i = 0; i < count; i++) {
    const row = prepareNewRow(layout, neighbors, i, options);
    rows.set(row.position, i * padded);
    tails.set(row.tails, i * k);
    rates.set(row.rates, i * k);
    chances[2 * i] = row.chance.first;
    chances[2 * i + 1] = row.chance.start;
  }

  const { free } = tables;
  const data: PlacingWork = {
    ...{ memory, places, n, nComponents, m: count, k, epochs, free },
    strength: FIRST_STRENGTH,
  };
  const team = startTeam({
    ...{ module: () => compiledModule('umap-placing'), open, data, signal },
    threads: count < LEAST_THREADED_ROWS ? 1 : threads,
  });
  try {
    for (let first = 0; first < count; first += ROWS_PER_TURN) {
      const end = Math.min(count, first + ROWS_PER_TURN);
      await team.run({ first, end });
      onProgress?.(end, count);
    }
  } finally {
    await team.close();
  }
  const placed = new Float32Array(count * nComponents);
  for (let i = 0; i < count; i++) {
    placed.set(rows.subarray(i * padded, i * padded + nComponents), i * nComponents);
  }
  return placed;
}

/** A new row's neighbours, how often it is drawn to each, where it starts, and its own chance. */
export function prepareNewRow(
  layout: Float32Array,
  { indices, distances }: Neighbors,
  row: number,
  { n, nComponents, k, epochs = DEFAULT_EPOCHS, seed }: TransformOptions,
): NewRow & { chance: Chance } {
  const tails = indices.slice(row * k, (row + 1) * k);
  const weights = transformWeights(distances.subarray(row * k, (row + 1) * k));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const strongest = Math.max(...weights);
  const position = new Float32Array(paddedDimensions(nComponents));
  for (let q = 0; q < nComponents; q++) {
    let mean = 0;
    for (let x = 0; x < k; x++) mean += (weights[x] / total) * layout[tails[x] * nComponents + q];
    position[q] = mean;
  }
  // A neighbour that the row would not be drawn to once is left out.
  const rates = Uint16Array.from(weights, (weight) =>
    (weight / strongest) * epochs < 1 ? 0 : Math.round((weight / strongest) * DUE),
  );
  const chance = chanceOf(createRandom(seed, hashOf(tails, 0, k)), Math.ceil(n / CHANCE_ROWS));
  return { position, tails, rates, chance };
}

/**
 * How much a new row belongs to its neighbours: exp(−distance / σ), σ such that the memberships, the nearest
 * neighbour's left out, sum to log2(k). The nearest is left out because umap-learn takes it for the row itself.
 *
 * @param distances Float32Array [k], ascending.
 * @returns Float64Array [k], in 0 … 1; 1 for an only neighbour.
 */
export function transformWeights(distances: Float32Array): Float64Array {
  const k = distances.length;
  if (k === 1) return Float64Array.of(1);
  const target = Math.log2(k);
  // Bisection; the upper end is unknown at first, so it doubles.
  let low = 0;
  let high = Infinity;
  let sigma = 1;
  for (let step = 0; step < BISECTION_STEPS; step++) {
    let membership = 0;
    for (let x = 1; x < k; x++) membership += Math.exp(-distances[x] / sigma);
    if (Math.abs(membership - target) < MEMBERSHIP_TOLERANCE) break;
    if (membership > target) high = sigma;
    else low = sigma;
    sigma = high === Infinity ? sigma * 2 : (low + high) / 2;
  }
  const mean = distances.reduce((sum, distance) => sum + distance, 0) / k;
  sigma = Math.max(sigma, SMALLEST_SIGMA * mean);
  return Float64Array.from(distances, (distance) => (distance > 0 ? Math.exp(-distance / sigma) : 1));
}

function checkPlacing(
  layout: Float32Array,
  { indices, distances }: Neighbors,
  { n, nComponents, count, k, epochs }: TransformOptions,
): void {
  if (!(Number.isInteger(k) && k >= 1 && k <= n)) {
    throw new RangeError(`Expected k to be a whole number from 1 to n = ${n}, got ${k}.`);
  }
  if (epochs !== undefined && (!Number.isInteger(epochs) || epochs < 1)) {
    throw new RangeError(`Expected epochs to be a whole number from 1 up, got ${epochs}.`);
  }
  if (layout.length !== n * nComponents) {
    throw new RangeError(
      `Expected a layout of ${n} rows × ${nComponents} = ${n * nComponents} numbers, got ${layout.length}.`,
    );
  }
  if (indices.length !== count * k || distances.length !== count * k) {
    throw new RangeError(
      `Expected ${count} new rows × ${k} neighbours = ${count * k} indices and distances, ` +
        `got ${indices.length} and ${distances.length}.`,
    );
  }
  const wrong = indices.findIndex((i) => !(i >= 0 && i < n));
  if (wrong >= 0) {
    throw new RangeError(`Expected neighbours to be rows below ${n}, got ${indices[wrong]} at ${wrong}.`);
  }
}
