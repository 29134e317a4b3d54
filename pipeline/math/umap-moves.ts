/**
 * The inner loop of UMAP's layout in plain code: draws the due edges of one pair of row blocks and moves their
 * rows. The kernel of the same steps, kernels/umap-layout.ts, gives the same bits four to five times as fast;
 * this one is what it is read and tested by. Sums are therefore taken in the order of vector lanes, and every
 * operation is rounded to float32.
 */

import type { Random } from './random.ts';
import type { Curve } from './umap-curve.ts';

/** Rows met by chance at once: one vector of them. */
export const CHANCE_ROWS = 4;
/** Groups of such rows that a draw meets: among few rows, chance has to be averaged over more of them. */
export const meetingsOf = (n: number): number => (n <= 10_000 ? 2 : 1);
/**
 * One pair of blocks in one epoch, or one new row, meets groups from this many consecutive ones, as fair a sample as
 * all where rows are in random order: they stay near the core, and all of a million rows would not. Windows of 256
 * groups cost the map 0.004 of the neighbours kept.
 */
export const WINDOW_GROUPS = 8192;
/** umap-learn has each draw meet five rows: all groups together push as much as five would. */
export const pushFactor = (meetings: number): number => 5 / (CHANCE_ROWS * meetings);
/** No coordinate moves further than this in one step, before the step is weighted with the epoch's strength. */
const LONGEST_STEP = 4;
/** A clock at this is due: 15 bits of fraction. */
export const DUE = 1 << 15;
/**
 * 2^32 divided by the golden ratio: its multiples, cut to 15 bits, are spread evenly, and so do clocks start.
 * If all started at 0, edges of equal weight would all be drawn in the same epochs, and weak ones too seldom.
 */
export const GOLDEN_RATIO = 0x9e3779b1;
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

/** What draws have in hand. */
interface Draws {
  nComponents: number;
  snapshot: Float32Array;
  groups: number;
  /** First of the groups that are met. */
  first: number;
  tables: GradientTables;
  pullStrength: number;
  pushStrength: number;
  meetings: number;
  /** State of xorshift32 (Marsaglia 2003), never 0. */
  random: number;
  /** Squared distances from four rows, and the same as bits. */
  lanes: Float32Array;
  bits: Int32Array;
  /** One coordinate's steps away from four rows. */
  steps: Float32Array;
}

/** Chance of one pair and epoch, or of one new row. */
export interface Chance {
  /** First of the groups that are met. */
  first: number;
  /** First state of xorshift32, not 0. */
  start: number;
}

export function chanceOf(random: Random, groups: number): Chance {
  return { start: random.nextUint32() | 1, first: random.nextBelow(groups) };
}

function startDraws(draws: Omit<Draws, 'lanes' | 'bits' | 'steps'>): Draws {
  const bits = new Int32Array(CHANCE_ROWS);
  return { ...draws, bits, lanes: new Float32Array(bits.buffer), steps: new Float32Array(CHANCE_ROWS) };
}

/**
 * Draws the edges of one block pair that are due in this epoch, in their order.
 *
 * @param pair p · blocks + q: heads in block p, tails in block q.
 * @param strength Share of each step that is taken.
 * @param chance Of this pair and epoch.
 */
export function moveAlongEdges(state: LayoutState, pair: number, strength: number, chance: Chance): void {
  const { n, nComponents, blocks, positions, snapshot, edges, tables } = state;
  const { offsets, heads, tails, rates, clocks } = edges;
  const padded = paddedDimensions(nComponents);
  const firstHead = firstRowOf(Math.floor(pair / blocks), n, blocks);
  const firstTail = firstRowOf(pair % blocks, n, blocks);
  const meetings = meetingsOf(n);
  const draws = startDraws({
    ...{ nComponents, snapshot, groups: Math.ceil(n / CHANCE_ROWS), tables, meetings },
    pullStrength: f32(strength),
    pushStrength: f32(pushFactor(meetings) * strength),
    first: chance.first,
    random: chance.start,
  });

  for (let edge = offsets[pair]; edge < offsets[pair + 1]; edge++) {
    const clock = clocks[edge] + rates[edge];
    clocks[edge] = clock & (DUE - 1);
    if (clock < DUE) continue;
    const headRow = firstHead + heads[edge];
    const head = headRow * padded;
    const tail = (firstTail + tails[edge]) * padded;

    // Head and tail move towards each other.
    const pull = pullTo(draws, positions, head, positions, tail);
    for (let q = 0; q < padded; q++) {
      const step = f32(pull * f32(positions[tail + q] - positions[head + q]));
      positions[head + q] += step;
      positions[tail + q] -= step;
    }
    for (let meeting = 0; meeting < meetings; meeting++) pushAway(draws, headRow, positions, head);
  }
}

/** Rows that stay, for new ones to be placed among. */
export interface FixedRows {
  n: number;
  nComponents: number;
  /** Float32Array [n × paddedDimensions]. */
  positions: Float32Array;
  /** As {@link LayoutState.snapshot}. */
  snapshot: Float32Array;
  tables: GradientTables;
}

/** A new row. */
export interface NewRow {
  /** Float32Array [paddedDimensions]: where it starts, and where it ends up. */
  position: Float32Array;
  /** Int32Array [k]: its neighbours among the rows that stay. */
  tails: Int32Array;
  /** Uint16Array [k]: shares of the epochs in which it is drawn to them, in units of 1 / DUE. */
  rates: Uint16Array;
}

/**
 * Places one new row: all its epochs, one after the other.
 *
 * @param strength Share of each step that is taken in the first epoch; it falls to 0.
 */
export function placeRow(
  fixed: FixedRows,
  { position, tails, rates }: NewRow,
  { epochs, strength, chance }: { epochs: number; strength: number; chance: Chance },
): void {
  const { n, nComponents, positions, snapshot, tables } = fixed;
  const padded = paddedDimensions(nComponents);
  const meetings = 1;
  const push = f32(pushFactor(meetings) * strength);
  const draws = startDraws({
    ...{ nComponents, snapshot, groups: Math.ceil(n / CHANCE_ROWS), tables, meetings },
    ...{ pullStrength: 0, pushStrength: 0, first: chance.first, random: chance.start },
  });
  for (let epoch = 0; epoch < epochs; epoch++) {
    const left = f32(1 - f32(epoch / epochs));
    draws.pullStrength = f32(f32(strength) * left);
    draws.pushStrength = f32(push * left);
    for (let x = 0; x < tails.length; x++) {
      const clock = (Math.imul(x, GOLDEN_RATIO) >>> 17) + epoch * rates[x];
      if (Math.floor((clock + rates[x]) / DUE) === Math.floor(clock / DUE)) continue;
      const tail = tails[x] * padded;
      const pull = pullTo(draws, position, 0, positions, tail);
      for (let q = 0; q < padded; q++) {
        position[q] += f32(pull * f32(positions[tail + q] - position[q]));
      }
      for (let meeting = 0; meeting < meetings; meeting++) pushAway(draws, -1, position, 0);
    }
  }
}

/** The pull between two rows, per unit of difference. */
function pullTo(
  { nComponents, tables, pullStrength, lanes, bits }: Draws,
  heads: Float32Array,
  head: number,
  tails: Float32Array,
  tail: number,
): number {
  lanes.fill(0);
  for (let q = 0; q < paddedDimensions(nComponents); q++) {
    const difference = f32(tails[tail + q] - heads[head + q]);
    lanes[q % 4] += f32(difference * difference);
  }
  lanes[0] = sumOf(lanes);
  return f32(tables.attraction[binOf(bits[0])] * pullStrength);
}

/** Moves a row away from a group of rows met by chance, from all of them at once. */
function pushAway(draws: Draws, headRow: number, heads: Float32Array, head: number): void {
  const { nComponents: dims, snapshot, groups, first, tables, pushStrength, lanes, bits, steps } = draws;
  draws.random ^= draws.random << 13;
  draws.random ^= draws.random >>> 17;
  draws.random ^= draws.random << 5;
  const windowed = Math.min(groups, WINDOW_GROUPS);
  const group = (first + Math.floor(((draws.random >>> 0) * windowed) / 2 ** 32)) % groups;
  const met = group * dims * CHANCE_ROWS;
  lanes.fill(0);
  for (let q = 0; q < dims; q++) {
    for (let r = 0; r < CHANCE_ROWS; r++) {
      const difference = f32(heads[head + q] - snapshot[met + q * CHANCE_ROWS + r]);
      lanes[r] += f32(difference * difference);
    }
  }
  const near = lanes.some((squared) => squared < tables.free);
  for (let q = 0; q < dims; q++) {
    for (let r = 0; r < CHANCE_ROWS; r++) {
      const difference = f32(heads[head + q] - snapshot[met + q * CHANCE_ROWS + r]);
      // Not from where it stood itself a snapshot ago.
      const push = group * CHANCE_ROWS + r === headRow ? 0 : tables.repulsion[binOf(bits[r])];
      const step = f32(push * difference);
      steps[r] = near ? Math.max(-LONGEST_STEP, Math.min(LONGEST_STEP, step)) : step;
    }
    heads[head + q] += f32(pushStrength * sumOf(steps));
  }
}

/** Of four numbers, in the order that vectors are summed in. */
function sumOf(lanes: Float32Array): number {
  return f32(f32(lanes[0] + lanes[2]) + f32(lanes[1] + lanes[3]));
}

/** Copies some groups of rows for the chance draws. */
export function takeSnapshot(
  state: Pick<LayoutState, 'n' | 'nComponents' | 'positions' | 'snapshot'>,
  firstGroup: number,
  endGroup: number,
): void {
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
