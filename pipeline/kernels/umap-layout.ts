/**
 * UMAP's layout, four numbers at a time: the steps of pipeline/math/umap-moves.ts, to the same bits. Rows of
 * positions are padded with zeros to whole vectors of four; the snapshot holds four rows after another, each
 * coordinate of all four together. Addresses are bytes.
 */

/** As in pipeline/math/umap-moves.ts. */
const DROPPED_BITS: i32 = 16;
const FIRST_BIN: i32 = (127 - 20) << 7;
const TABLE_SIZE: i32 = 38 * 128 + 1;
const LONGEST_STEP: f32 = 4;

// What all draws of one call share.
let snapshot: usize = 0;
let groups: i32 = 0;
let attraction: usize = 0;
let repulsion: usize = 0;
let free: f32 = 0;
let pullStrength: f32 = 0;
let pushStrength: f32 = 0;
let meetings: i32 = 0;
// Chance rows are drawn from so many consecutive groups, the first of which is:
let windowGroups: u64 = 0;
let firstGroup: i32 = 0;
/** State of xorshift32. */
let random: u32 = 0;

/** A group of rows met by chance, by its number. */
function nextGroup(): i32 {
  random ^= random << 13;
  random ^= random >> 17;
  random ^= random << 5;
  const group = firstGroup + <i32>((<u64>random * windowGroups) >> 32);
  return group < groups ? group : group - groups;
}

/** The pull along a squared distance. */
function pullAt(squared: f32): v128 {
  const bin = (reinterpret<i32>(squared) >> DROPPED_BITS) - FIRST_BIN;
  const place = (<usize>min(max(bin, 0), TABLE_SIZE - 1)) << 2;
  return f32x4.splat(load<f32>(attraction + place) * pullStrength);
}

/** The pushes of a group's rows by their squared distances; none of the head's own row. */
function pushesAt(squared: v128, group: i32, headRow: i32): v128 {
  const bins = i32x4.sub(i32x4.shr_s(squared, DROPPED_BITS), i32x4.splat(FIRST_BIN));
  const within = i32x4.min_s(i32x4.max_s(bins, i32x4.splat(0)), i32x4.splat(TABLE_SIZE - 1));
  const places = i32x4.shl(within, 2);
  let found = v128.load32_zero(repulsion + <usize>i32x4.extract_lane(places, 0));
  found = v128.load32_lane(repulsion + <usize>i32x4.extract_lane(places, 1), found, 1);
  found = v128.load32_lane(repulsion + <usize>i32x4.extract_lane(places, 2), found, 2);
  found = v128.load32_lane(repulsion + <usize>i32x4.extract_lane(places, 3), found, 3);
  const rows = i32x4.add(i32x4.splat(group << 2), i32x4(0, 1, 2, 3));
  return v128.and(found, i32x4.ne(rows, i32x4.splat(headRow)));
}

/** Whether a step away from a row of the group can be too long. */
function isNear(squared: v128): bool {
  return v128.any_true(f32x4.lt(squared, f32x4.splat(free)));
}

/** A coordinate's steps away from four rows. */
function steps(pushes: v128, difference: v128): v128 {
  return f32x4.mul(pushes, difference);
}

/** The same, cut at the longest step. */
function cutSteps(pushes: v128, difference: v128): v128 {
  const step = f32x4.mul(pushes, difference);
  return f32x4.pmin(f32x4.splat(LONGEST_STEP), f32x4.pmax(f32x4.splat(-LONGEST_STEP), step));
}

/** (0 + 2) + (1 + 3), in every lane. */
function sumOf(lanes: v128): v128 {
  const halves = f32x4.add(lanes, v128.shuffle<f32>(lanes, lanes, 2, 3, 0, 1));
  return f32x4.add(halves, v128.shuffle<f32>(halves, halves, 1, 0, 3, 2));
}

/** The sums of four vectors, each as {@link sumOf} has it, side by side. */
function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

function moveInPlane(headRow: i32, head: usize, tail: usize): void {
  let h = v128.load(head);
  const t = v128.load(tail);
  const toTail = f32x4.sub(t, h);
  const pulled = f32x4.mul(pullAt(f32x4.extract_lane(sumOf(f32x4.mul(toTail, toTail)), 0)), toTail);
  h = f32x4.add(h, pulled);
  v128.store(tail, f32x4.sub(t, pulled));

  for (let meeting = 0; meeting < meetings; meeting++) {
    const group = nextGroup();
    const met = snapshot + ((<usize>group) << 5);
    const d0 = f32x4.sub(v128.shuffle<f32>(h, h, 0, 0, 0, 0), v128.load(met));
    const d1 = f32x4.sub(v128.shuffle<f32>(h, h, 1, 1, 1, 1), v128.load(met, 16));
    const squared = f32x4.add(f32x4.mul(d0, d0), f32x4.mul(d1, d1));
    const pushes = pushesAt(squared, group, headRow);
    const none = f32x4.splat(0);
    const moves = isNear(squared)
      ? sumsOf(cutSteps(pushes, d0), cutSteps(pushes, d1), none, none)
      : sumsOf(steps(pushes, d0), steps(pushes, d1), none, none);
    h = f32x4.add(h, f32x4.mul(f32x4.splat(pushStrength), moves));
  }
  v128.store(head, h);
}

function moveInFive(headRow: i32, head: usize, tail: usize): void {
  let h = v128.load(head);
  let last = v128.load(head, 16);
  const t = v128.load(tail);
  const u = v128.load(tail, 16);
  const toTail = f32x4.sub(t, h);
  const lastToTail = f32x4.sub(u, last);
  const squares = f32x4.add(f32x4.mul(toTail, toTail), f32x4.mul(lastToTail, lastToTail));
  const pull = pullAt(f32x4.extract_lane(sumOf(squares), 0));
  const pulled = f32x4.mul(pull, toTail);
  const lastPulled = f32x4.mul(pull, lastToTail);
  h = f32x4.add(h, pulled);
  last = f32x4.add(last, lastPulled);
  v128.store(tail, f32x4.sub(t, pulled));
  v128.store(tail, f32x4.sub(u, lastPulled), 16);

  for (let meeting = 0; meeting < meetings; meeting++) {
    const group = nextGroup();
    const met = snapshot + <usize>group * 80;
    const d0 = f32x4.sub(v128.shuffle<f32>(h, h, 0, 0, 0, 0), v128.load(met));
    const d1 = f32x4.sub(v128.shuffle<f32>(h, h, 1, 1, 1, 1), v128.load(met, 16));
    const d2 = f32x4.sub(v128.shuffle<f32>(h, h, 2, 2, 2, 2), v128.load(met, 32));
    const d3 = f32x4.sub(v128.shuffle<f32>(h, h, 3, 3, 3, 3), v128.load(met, 48));
    const d4 = f32x4.sub(v128.shuffle<f32>(last, last, 0, 0, 0, 0), v128.load(met, 64));
    let squared = f32x4.add(f32x4.mul(d0, d0), f32x4.mul(d1, d1));
    squared = f32x4.add(squared, f32x4.mul(d2, d2));
    squared = f32x4.add(squared, f32x4.mul(d3, d3));
    squared = f32x4.add(squared, f32x4.mul(d4, d4));
    const p = pushesAt(squared, group, headRow);
    let moves: v128;
    let lastMoves: v128;
    if (isNear(squared)) {
      moves = sumsOf(cutSteps(p, d0), cutSteps(p, d1), cutSteps(p, d2), cutSteps(p, d3));
      lastMoves = cutSteps(p, d4);
    } else {
      moves = sumsOf(steps(p, d0), steps(p, d1), steps(p, d2), steps(p, d3));
      lastMoves = steps(p, d4);
    }
    const first = v128.and(sumOf(lastMoves), i32x4(-1, 0, 0, 0));
    h = f32x4.add(h, f32x4.mul(f32x4.splat(pushStrength), moves));
    last = f32x4.add(last, f32x4.mul(f32x4.splat(pushStrength), first));
  }
  v128.store(head, h);
  v128.store(head, last, 16);
}

function moveInAny(headRow: i32, head: usize, tail: usize, dims: i32, bytes: usize): void {
  const pull = pullTo(head, tail, bytes);
  for (let x: usize = 0; x < bytes; x += 16) {
    const h = v128.load(head + x);
    const t = v128.load(tail + x);
    const pulled = f32x4.mul(pull, f32x4.sub(t, h));
    v128.store(head + x, f32x4.add(h, pulled));
    v128.store(tail + x, f32x4.sub(t, pulled));
  }
  for (let meeting = 0; meeting < meetings; meeting++) pushAway(headRow, head, dims);
}

/** The pull between two rows. */
function pullTo(head: usize, tail: usize, bytes: usize): v128 {
  let sum = f32x4.splat(0);
  for (let x: usize = 0; x < bytes; x += 16) {
    const toTail = f32x4.sub(v128.load(tail + x), v128.load(head + x));
    sum = f32x4.add(sum, f32x4.mul(toTail, toTail));
  }
  return pullAt(f32x4.extract_lane(sumOf(sum), 0));
}

/** Moves the head away from a group met by chance. */
function pushAway(headRow: i32, head: usize, dims: i32): void {
  const group = nextGroup();
  const met = snapshot + <usize>group * ((<usize>dims) << 4);
  let squared = f32x4.splat(0);
  for (let q: usize = 0; q < <usize>dims; q++) {
    const d = f32x4.sub(v128.load32_splat(head + (q << 2)), v128.load(met + (q << 4)));
    squared = f32x4.add(squared, f32x4.mul(d, d));
  }
  const pushes = pushesAt(squared, group, headRow);
  const near = isNear(squared);
  for (let q: usize = 0; q < <usize>dims; q++) {
    const at = head + (q << 2);
    const d = f32x4.sub(v128.load32_splat(at), v128.load(met + (q << 4)));
    const moves = sumOf(near ? cutSteps(pushes, d) : steps(pushes, d));
    store<f32>(at, load<f32>(at) + pushStrength * f32x4.extract_lane(moves, 0));
  }
}

/**
 * Sets what all draws of the following calls share.
 *
 * @param photographs, count The snapshot and the groups in it.
 * @param windowed Consecutive groups that one pair or new row meets.
 * @param pulls, pushes The gradient tables.
 * @param nearest Squared distance from which no push can exceed the longest step.
 * @param pull, push Shares of each step that are taken.
 * @param groupsMet Groups that push the head at each draw.
 */
export function prepare(
  photographs: usize,
  count: i32,
  windowed: i32,
  pulls: usize,
  pushes: usize,
  nearest: f32,
  pull: f32,
  push: f32,
  groupsMet: i32,
): void {
  snapshot = photographs;
  groups = count;
  windowGroups = windowed;
  attraction = pulls;
  repulsion = pushes;
  free = nearest;
  pullStrength = pull;
  pushStrength = push;
  meetings = groupsMet;
}

/**
 * Draws the edges of one block pair that are due.
 *
 * @param firstHead, firstTail First rows of the heads' and of the tails' block.
 * @param heads, tails, rates, clocks Where the pair's edges start, each 16 bits.
 * @param edges A multiple of eight.
 * @param first First group of those that are met.
 * @param randomStart Not 0.
 */
export function move(
  dims: i32,
  positions: usize,
  firstHead: i32,
  firstTail: i32,
  heads: usize,
  tails: usize,
  rates: usize,
  clocks: usize,
  edges: i32,
  first: i32,
  randomStart: u32,
): void {
  firstGroup = first;
  random = randomStart;
  const rowBytes: usize = (<usize>(dims + 3) >> 2) << 4;
  const end: usize = (<usize>edges) << 1;
  for (let at: usize = 0; at < end; at += 16) {
    // Clocks of eight edges go on; those that reach 2^15 are due, and go on with what is left over.
    const clock = i16x8.add(v128.load(clocks + at), v128.load(rates + at));
    v128.store(clocks + at, v128.and(clock, i16x8.splat(0x7fff)));
    for (let due = i16x8.bitmask(clock); due !== 0; due &= due - 1) {
      const edge: usize = at + ((<usize>ctz(due)) << 1);
      const headRow = firstHead + <i32>load<u16>(heads + edge);
      const head = positions + <usize>headRow * rowBytes;
      const tail = positions + <usize>(firstTail + <i32>load<u16>(tails + edge)) * rowBytes;
      if (dims === 5) moveInFive(headRow, head, tail);
      else if (dims === 2) moveInPlane(headRow, head, tail);
      else moveInAny(headRow, head, tail, dims, rowBytes);
    }
  }
}

/** Copies groups of four rows to the snapshot, each coordinate of the four together; after row n − 1 comes row 0. */
export function photograph(
  dims: i32,
  n: i32,
  positions: usize,
  photographs: usize,
  start: i32,
  end: i32,
): void {
  const rowBytes: usize = (<usize>(dims + 3) >> 2) << 4;
  let to = photographs + <usize>start * ((<usize>dims) << 4);
  for (let row = start << 2; row < end << 2; row += 4) {
    const a = positions + <usize>row * rowBytes;
    const b = positions + <usize>(row + 1 < n ? row + 1 : row + 1 - n) * rowBytes;
    const c = positions + <usize>(row + 2 < n ? row + 2 : row + 2 - n) * rowBytes;
    const d = positions + <usize>(row + 3 < n ? row + 3 : row + 3 - n) * rowBytes;
    for (let q: usize = 0; q < (<usize>dims) << 2; q += 4) {
      store<f32>(to, load<f32>(a + q));
      store<f32>(to + 4, load<f32>(b + q));
      store<f32>(to + 8, load<f32>(c + q));
      store<f32>(to + 12, load<f32>(d + q));
      to += 16;
    }
  }
}

/**
 * Places one new row among rows that stay: all its epochs, one after the other.
 *
 * @param positions Float32 [n × padded]: the rows that stay; {@link prepare} was given their snapshot.
 * @param row The new row, padded; where it starts, and where it ends up.
 * @param tails, rates Its k neighbours, int32, and how often they are drawn, 16 bits.
 * @param pull, push Shares of each step that are taken in the first epoch; they fall to 0.
 * @param first First group of those that are met.
 */
export function place(
  dims: i32,
  positions: usize,
  row: usize,
  tails: usize,
  rates: usize,
  k: i32,
  epochs: i32,
  pull: f32,
  push: f32,
  first: i32,
  randomStart: u32,
): void {
  firstGroup = first;
  random = randomStart;
  const rowBytes: usize = (<usize>(dims + 3) >> 2) << 4;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const left: f32 = 1 - <f32>epoch / <f32>epochs;
    pullStrength = pull * left;
    pushStrength = push * left;
    for (let x = 0; x < k; x++) {
      // Drawn when its clock, which starts where the golden ratio puts it, passes a multiple of 2^15.
      const rate = <i32>load<u16>(rates + ((<usize>x) << 1));
      const clock = <i32>(<u32>(x * 0x9e3779b1) >> 17) + epoch * rate;
      if ((clock + rate) >> 15 === clock >> 15) continue;
      const tail = positions + <usize>load<i32>(tails + ((<usize>x) << 2)) * rowBytes;
      const drawn = pullTo(row, tail, rowBytes);
      for (let y: usize = 0; y < rowBytes; y += 16) {
        const h = v128.load(row + y);
        v128.store(row + y, f32x4.add(h, f32x4.mul(drawn, f32x4.sub(v128.load(tail + y), h))));
      }
      for (let meeting = 0; meeting < meetings; meeting++) pushAway(-1, row, dims);
    }
  }
}
