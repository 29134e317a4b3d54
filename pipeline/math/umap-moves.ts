/**
 * The inner loop of UMAP's layout in plain code: draws the due edges of one pair of row blocks and moves their
 * rows. The kernel of the same steps, kernels/umap-layout.ts, gives the same bits four to five times as fast;
 * this one is what it is read and tested by. Sums are therefore taken in the order of vector lanes, and every
 * operation is rounded to float32.
 */

import type { Curve } from './umap-curve.ts';

/** Rows met by chance at once: one vector of them. */
export const CHANCE_ROWS = 4;
/** Groups of such rows that a draw meets: among few rows, chance has to be averaged over more of them. */
export const meetingsOf = (n: number): number => (n <= 10_000 ? 2 : 1);
/** umap-learn has each draw meet five rows: all groups together push as much as five would. */
export const pushFactor = (meetings: number): number => 5 / (CHANCE_ROWS * meetings);
/** No coordinate moves further than this in one step, before the step is weighted with the epoch's strength. */
const LONGEST_STEP = 4;
/** A clock at this is due: 15 bits of fraction. */
export const DUE = 1 << 15;
/** Edges of a pair are walked by vectors of this many; a pair is filled up with edges that are never due. */
export const EDGE_STEP = 8;

const f32 = Math.fround;

/** Numbers that a row of positions takes up: whole vectors, the rest zeros. */
export const paddedDimensions = (nComponents: number): number => 4 * Math.ceil(nComponents / 4);

/** Directed edges by block pair, then head, then tail. */
export interface ScheduledEdges {
  /**
   * Int32Array [blocks² + 1]: at p · blocks + q, where the edges with head in block p, tail in q start; multiples
   * of EDGE_STEP.
   */
  offsets: Int32Array;
  /** Uint16Array [m]: row of the head, counted from the first of its block. */
  heads: Uint16Array;
  tails: Uint16Array;
  /** Uint16Array [m]: share of the epochs in which the edge is drawn, in units of 1 / DUE. */
  rates: Uint16Array;
  /** Uint16Array [m]: goes on by the rate in each epoch; the edge is drawn when it reaches DUE. */
  clocks: Uint16Array;
}

/**
 * Both gradients by the squared distance's own bits: the exponent and the first 7 bits of the fraction are
 * the index, so bins are 128 to the octave and no logarithm is taken. Values are those of bin middles.
 */
export interface GradientTables {
  /**
   * Float32Array [TABLE_SIZE]: pull per unit of difference, at most LONGEST_STEP / distance. Curves of
   * ordinary spreads stay far below that.
   */
  attraction: Float32Array;
  /** Float32Array [TABLE_SIZE]: push per unit of difference. */
  repulsion: Float32Array;
  /** Squared distance from which no push can exceed LONGEST_STEP. */
  free: number;
}

/** Squared distances from 2^-20 to 2^18; what lies outside takes the first or last bin. */
const DROPPED_BITS = 16;
const FIRST_BIN = (127 - 20) << 7;
export const TABLE_SIZE = 38 * 128 + 1;

/** @param tables Where to write; TABLE_SIZE numbers each. */
export function gradientTables(
  { a, b }: Curve,
  tables: Pick<GradientTables, 'attraction' | 'repulsion'> = {
    attraction: new Float32Array(TABLE_SIZE),
    repulsion: new Float32Array(TABLE_SIZE),
  },
): GradientTables {
  const { attraction, repulsion } = tables;
  const bits = new Int32Array(1);
  const value = new Float32Array(bits.buffer);
  let free = 0;
  for (let bin = 0; bin < TABLE_SIZE; bin++) {
    bits[0] = ((FIRST_BIN + bin) << DROPPED_BITS) | (1 << (DROPPED_BITS - 1));
    const squared = value[0];
    const bound = LONGEST_STEP / Math.sqrt(squared);
    const curve = 1 + a * squared ** b;
    attraction[bin] = Math.min(bound, (2 * a * b * squared ** (b - 1)) / curve);
    repulsion[bin] = (2 * b) / ((0.001 + squared) * curve);
    // A bin's far end is at most 1/256 of an octave beyond its middle.
    if (repulsion[bin] * 1.01 > bound) {
      bits[0] = (FIRST_BIN + bin + 1) << DROPPED_BITS;
      free = value[0];
    }
  }
  return { attraction, repulsion, free };
}

/** The bin of a squared distance, given as float32 bits. */
function binOf(bits: number): number {
  const bin = (bits >> DROPPED_BITS) - FIRST_BIN;
  return bin < 0 ? 0 : bin < TABLE_SIZE ? bin : TABLE_SIZE - 1;
}

export interface LayoutState {
  n: number;
  nComponents: number;
  /** Blocks that rows are cut into; block p starts at row ⌈p · n / blocks⌉. */
  blocks: number;
  /** Float32Array [n × paddedDimensions]: moved in place. */
  positions: Float32Array;
  /**
   * Float32Array [⌈n / 4⌉ × nComponents × 4]: where rows stood when the epoch began, in groups of four rows in
   * their order, the last filled up from row 0 on. Each coordinate of a group's rows stands together.
   */
  snapshot: Float32Array;
  edges: ScheduledEdges;
  tables: GradientTables;
}

export const firstRowOf = (block: number, n: number, blocks: number): number =>
  Math.ceil((block * n) / blocks);

/**
 * Draws the edges of one block pair that are due in this epoch, in their order.
 *
 * @param pair p · blocks + q: heads in block p, tails in block q.
 * @param strength Share of each step that is taken.
 * @param seed Any 32-bit number: seeds the chance draws of this pair and epoch.
 */
export function moveAlongEdges(state: LayoutState, pair: number, strength: number, seed: number): void {
  const { n, nComponents: dims, blocks, positions, snapshot, edges, tables } = state;
  const { offsets, heads, tails, rates, clocks } = edges;
  const { attraction, repulsion, free } = tables;
  const padded = paddedDimensions(dims);
  const groups = Math.ceil(n / CHANCE_ROWS);
  const firstHead = firstRowOf(Math.floor(pair / blocks), n, blocks);
  const firstTail = firstRowOf(pair % blocks, n, blocks);
  const pullStrength = f32(strength);
  const meetings = meetingsOf(n);
  const pushStrength = f32(pushFactor(meetings) * strength);
  const bits = new Int32Array(4);
  const lanes = new Float32Array(bits.buffer);
  /** What one coordinate is pushed by each of the rows met. */
  const steps = new Float32Array(CHANCE_ROWS);
  // xorshift32 (Marsaglia 2003), whose state is never 0.
  let random = seed | 1;

  for (let edge = offsets[pair]; edge < offsets[pair + 1]; edge++) {
    const clock = clocks[edge] + rates[edge];
    clocks[edge] = clock & (DUE - 1);
    if (clock < DUE) continue;
    const headRow = firstHead + heads[edge];
    const head = headRow * padded;
    const tail = (firstTail + tails[edge]) * padded;

    // Head and tail move towards each other.
    lanes.fill(0);
    for (let q = 0; q < padded; q++) {
      const difference = f32(positions[tail + q] - positions[head + q]);
      lanes[q % 4] += f32(difference * difference);
    }
    lanes[0] = sumOf(lanes);
    const pull = f32(attraction[binOf(bits[0])] * pullStrength);
    for (let q = 0; q < padded; q++) {
      const step = f32(pull * f32(positions[tail + q] - positions[head + q]));
      positions[head + q] += step;
      positions[tail + q] -= step;
    }

    // The head moves away from a group of rows met by chance, from all of them at once.
    for (let meeting = 0; meeting < meetings; meeting++) {
      random ^= random << 13;
      random ^= random >>> 17;
      random ^= random << 5;
      const group = Math.floor(((random >>> 0) * groups) / 2 ** 32);
      const met = group * dims * CHANCE_ROWS;
      lanes.fill(0);
      for (let q = 0; q < dims; q++) {
        for (let r = 0; r < CHANCE_ROWS; r++) {
          const difference = f32(positions[head + q] - snapshot[met + q * CHANCE_ROWS + r]);
          lanes[r] += f32(difference * difference);
        }
      }
      const near = lanes.some((squared) => squared < free);
      for (let q = 0; q < dims; q++) {
        for (let r = 0; r < CHANCE_ROWS; r++) {
          const difference = f32(positions[head + q] - snapshot[met + q * CHANCE_ROWS + r]);
          // Not from where it stood itself a snapshot ago.
          const push = group * CHANCE_ROWS + r === headRow ? 0 : repulsion[binOf(bits[r])];
          const step = f32(push * difference);
          steps[r] = near ? Math.max(-LONGEST_STEP, Math.min(LONGEST_STEP, step)) : step;
        }
        positions[head + q] += f32(pushStrength * sumOf(steps));
      }
    }
  }
}

/** Of four numbers, in the order that vectors are summed in. */
function sumOf(lanes: Float32Array): number {
  return f32(f32(lanes[0] + lanes[2]) + f32(lanes[1] + lanes[3]));
}

/** Copies some groups of rows for the chance draws. */
export function takeSnapshot(state: LayoutState, firstGroup: number, endGroup: number): void {
  const { n, nComponents: dims, positions, snapshot } = state;
  const padded = paddedDimensions(dims);
  for (let group = firstGroup; group < endGroup; group++) {
    for (let r = 0; r < CHANCE_ROWS; r++) {
      const from = ((group * CHANCE_ROWS + r) % n) * padded;
      for (let q = 0; q < dims; q++) {
        snapshot[(group * dims + q) * CHANCE_ROWS + r] = positions[from + q];
      }
    }
  }
}
