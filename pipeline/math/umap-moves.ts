/**
 * The inner loop of UMAP's layout: draws the due edges of one pair of row blocks and moves their rows. The
 * two shapes that every run of the job lays out, 2 and 5 coordinates, are written out, which takes little
 * more than half the time; the loop for any number of coordinates gives the same bytes.
 */

import type { Curve } from './umap-curve.ts';

/** Rows met by chance for each draw along an edge, as in umap-learn. */
export const CHANCE_ROWS = 5;
/** No coordinate moves further than this in one step, before the step is weighted with the epoch's strength. */
const LONGEST_STEP = 4;
/** Directed edges by block pair, then head, then tail. */
export interface ScheduledEdges {
  /** Int32Array [blocks² + 1]: at p · blocks + q, where the edges with head in block p, tail in q start. */
  offsets: Int32Array;
  heads: Int32Array;
  tails: Int32Array;
  /** Float32Array [m]: epochs between two draws of the edge; the strongest edge is drawn every epoch. */
  periods: Float32Array;
  /** Float32Array [m]: epoch at which the edge is drawn next. */
  due: Float32Array;
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
  /** First bin from which no push can exceed LONGEST_STEP. */
  firstFreeBin: number;
}

/** Squared distances from 2^-20 to 2^18; what lies outside takes the first or last bin. */
const DROPPED_BITS = 16;
const FIRST_BIN = (127 - 20) << 7;
const TABLE_SIZE = 38 * 128 + 1;

export function gradientTables({ a, b }: Curve): GradientTables {
  const attraction = new Float32Array(TABLE_SIZE);
  const repulsion = new Float32Array(TABLE_SIZE);
  const bits = new Int32Array(1);
  const value = new Float32Array(bits.buffer);
  let firstFreeBin = 0;
  for (let bin = 0; bin < TABLE_SIZE; bin++) {
    bits[0] = ((FIRST_BIN + bin) << DROPPED_BITS) | (1 << (DROPPED_BITS - 1));
    const squared = value[0];
    const bound = LONGEST_STEP / Math.sqrt(squared);
    const curve = 1 + a * squared ** b;
    attraction[bin] = Math.min(bound, (2 * a * b * squared ** (b - 1)) / curve);
    repulsion[bin] = (2 * b) / ((0.001 + squared) * curve);
    // A bin's far end is at most 1/256 of an octave beyond its middle.
    if (repulsion[bin] * 1.01 > bound) firstFreeBin = bin + 1;
  }
  return { attraction, repulsion, firstFreeBin };
}

export interface LayoutState {
  n: number;
  nComponents: number;
  /** Float32Array [n × nComponents]: moved in place. */
  positions: Float32Array;
  /** Float32Array [(n + CHANCE_ROWS − 1) × nComponents]: where rows stood when the epoch began. */
  snapshot: Float32Array;
  edges: ScheduledEdges;
  tables: GradientTables;
}

interface PairDraw {
  state: LayoutState;
  /** Edges from `first` up to, not including, `end`. */
  first: number;
  end: number;
  epoch: number;
  strength: number;
  /** State of xorshift32 (Marsaglia 2003), not 0. */
  randomStart: number;
}

/**
 * Draws the edges of one block pair that are due in this epoch, in their order.
 *
 * @param pair p · blocks + q: heads in block p, tails in block q.
 * @param strength Share of each step that is taken.
 * @param seed Any 32-bit number: seeds the chance draws of this pair and epoch.
 * @param writtenOut False takes the loop for any number of coordinates; the result is the same.
 */
export function moveAlongEdges(
  state: LayoutState,
  pair: number,
  epoch: number,
  strength: number,
  seed: number,
  writtenOut = true,
): void {
  const { offsets } = state.edges;
  const draw: PairDraw = {
    state,
    first: offsets[pair],
    end: offsets[pair + 1],
    epoch,
    strength,
    randomStart: seed | 1,
  };
  if (writtenOut && state.nComponents === 5) moveInFive(draw);
  else if (writtenOut && state.nComponents === 2) moveInPlane(draw);
  else moveInAny(draw);
}

/** Any number of coordinates: the loop that the two below spell out. */
function moveInAny(draw: PairDraw): void {
  const { first, end, epoch, strength } = draw;
  const { n, nComponents: dims, positions, snapshot, edges, tables } = draw.state;
  const { heads, tails, periods, due } = edges;
  const { attraction, repulsion, firstFreeBin } = tables;
  const bits = new Int32Array(1);
  const squared = new Float32Array(bits.buffer);
  const difference = new Float64Array(dims);
  const head = new Float64Array(dims);
  const perDraw = n / 4294967296;
  let random = draw.randomStart;

  for (let edge = first; edge < end; edge++) {
    if (due[edge] > epoch) continue;
    due[edge] += periods[edge];
    const from = heads[edge] * dims;
    const to = tails[edge] * dims;

    // Head and tail move towards each other.
    let sum = 0;
    for (let q = 0; q < dims; q++) {
      head[q] = positions[from + q];
      difference[q] = positions[to + q] - head[q];
      sum += difference[q] * difference[q];
    }
    squared[0] = sum;
    let bin = (bits[0] >> DROPPED_BITS) - FIRST_BIN;
    bin = bin < 0 ? 0 : bin < TABLE_SIZE ? bin : TABLE_SIZE - 1;
    const pull = attraction[bin] * strength;
    for (let q = 0; q < dims; q++) {
      head[q] += pull * difference[q];
      positions[to + q] -= pull * difference[q];
    }

    // The head moves away from a few rows met by chance.
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    let other = Math.floor((random >>> 0) * perDraw) * dims;
    for (let met = 0; met < CHANCE_ROWS; met++, other += dims) {
      sum = 0;
      for (let q = 0; q < dims; q++) {
        difference[q] = head[q] - snapshot[other + q];
        sum += difference[q] * difference[q];
      }
      squared[0] = sum;
      bin = (bits[0] >> DROPPED_BITS) - FIRST_BIN;
      bin = bin < 0 ? 0 : bin < TABLE_SIZE ? bin : TABLE_SIZE - 1;
      const push = repulsion[bin];
      if (bin >= firstFreeBin) {
        const move = strength * push;
        for (let q = 0; q < dims; q++) head[q] += move * difference[q];
      } else {
        for (let q = 0; q < dims; q++) head[q] += strength * within(push * difference[q]);
      }
    }
    for (let q = 0; q < dims; q++) positions[from + q] = head[q];
  }
}

/** Two coordinates: the map. */
function moveInPlane(draw: PairDraw): void {
  const { first, end, epoch, strength } = draw;
  const { n, positions, snapshot, edges, tables } = draw.state;
  const { heads, tails, periods, due } = edges;
  const { attraction, repulsion, firstFreeBin } = tables;
  const bits = new Int32Array(1);
  const squared = new Float32Array(bits.buffer);
  const perDraw = n / 4294967296;
  let random = draw.randomStart;

  for (let edge = first; edge < end; edge++) {
    if (due[edge] > epoch) continue;
    due[edge] += periods[edge];
    const from = heads[edge] * 2;
    const to = tails[edge] * 2;

    // Head and tail move towards each other.
    let h0 = positions[from];
    let h1 = positions[from + 1];
    let d0 = positions[to] - h0;
    let d1 = positions[to + 1] - h1;
    squared[0] = d0 * d0 + d1 * d1;
    let bin = (bits[0] >> DROPPED_BITS) - FIRST_BIN;
    bin = bin < 0 ? 0 : bin < TABLE_SIZE ? bin : TABLE_SIZE - 1;
    const pull = attraction[bin] * strength;
    h0 += pull * d0;
    h1 += pull * d1;
    positions[to] -= pull * d0;
    positions[to + 1] -= pull * d1;

    // The head moves away from a few rows met by chance.
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    let other = Math.floor((random >>> 0) * perDraw) * 2;
    for (let met = 0; met < CHANCE_ROWS; met++, other += 2) {
      d0 = h0 - snapshot[other];
      d1 = h1 - snapshot[other + 1];
      squared[0] = d0 * d0 + d1 * d1;
      bin = (bits[0] >> DROPPED_BITS) - FIRST_BIN;
      bin = bin < 0 ? 0 : bin < TABLE_SIZE ? bin : TABLE_SIZE - 1;
      const push = repulsion[bin];
      if (bin >= firstFreeBin) {
        const move = strength * push;
        h0 += move * d0;
        h1 += move * d1;
      } else {
        h0 += strength * within(push * d0);
        h1 += strength * within(push * d1);
      }
    }
    positions[from] = h0;
    positions[from + 1] = h1;
  }
}

/** Five coordinates: what clustering works on by default. */
function moveInFive(draw: PairDraw): void {
  const { first, end, epoch, strength } = draw;
  const { n, positions, snapshot, edges, tables } = draw.state;
  const { heads, tails, periods, due } = edges;
  const { attraction, repulsion, firstFreeBin } = tables;
  const bits = new Int32Array(1);
  const squared = new Float32Array(bits.buffer);
  const perDraw = n / 4294967296;
  let random = draw.randomStart;

  for (let edge = first; edge < end; edge++) {
    if (due[edge] > epoch) continue;
    due[edge] += periods[edge];
    const from = heads[edge] * 5;
    const to = tails[edge] * 5;

    // Head and tail move towards each other.
    let h0 = positions[from];
    let h1 = positions[from + 1];
    let h2 = positions[from + 2];
    let h3 = positions[from + 3];
    let h4 = positions[from + 4];
    let d0 = positions[to] - h0;
    let d1 = positions[to + 1] - h1;
    let d2 = positions[to + 2] - h2;
    let d3 = positions[to + 3] - h3;
    let d4 = positions[to + 4] - h4;
    squared[0] = d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3 + d4 * d4;
    let bin = (bits[0] >> DROPPED_BITS) - FIRST_BIN;
    bin = bin < 0 ? 0 : bin < TABLE_SIZE ? bin : TABLE_SIZE - 1;
    const pull = attraction[bin] * strength;
    h0 += pull * d0;
    h1 += pull * d1;
    h2 += pull * d2;
    h3 += pull * d3;
    h4 += pull * d4;
    positions[to] -= pull * d0;
    positions[to + 1] -= pull * d1;
    positions[to + 2] -= pull * d2;
    positions[to + 3] -= pull * d3;
    positions[to + 4] -= pull * d4;

    // The head moves away from a few rows met by chance.
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    let other = Math.floor((random >>> 0) * perDraw) * 5;
    for (let met = 0; met < CHANCE_ROWS; met++, other += 5) {
      d0 = h0 - snapshot[other];
      d1 = h1 - snapshot[other + 1];
      d2 = h2 - snapshot[other + 2];
      d3 = h3 - snapshot[other + 3];
      d4 = h4 - snapshot[other + 4];
      squared[0] = d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3 + d4 * d4;
      bin = (bits[0] >> DROPPED_BITS) - FIRST_BIN;
      bin = bin < 0 ? 0 : bin < TABLE_SIZE ? bin : TABLE_SIZE - 1;
      const push = repulsion[bin];
      if (bin >= firstFreeBin) {
        const move = strength * push;
        h0 += move * d0;
        h1 += move * d1;
        h2 += move * d2;
        h3 += move * d3;
        h4 += move * d4;
      } else {
        h0 += strength * within(push * d0);
        h1 += strength * within(push * d1);
        h2 += strength * within(push * d2);
        h3 += strength * within(push * d3);
        h4 += strength * within(push * d4);
      }
    }
    positions[from] = h0;
    positions[from + 1] = h1;
    positions[from + 2] = h2;
    positions[from + 3] = h3;
    positions[from + 4] = h4;
  }
}

/** A coordinate's step, cut at the longest. */
function within(step: number): number {
  return Math.max(-LONGEST_STEP, Math.min(LONGEST_STEP, step));
}
