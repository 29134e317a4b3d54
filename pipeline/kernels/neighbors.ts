/**
 * Inner loops of the approximate nearest-neighbour search, eight products at a time: the functions of
 * pipeline/math/neighbor-kernel.ts, to the same bits. Rows are int16, padded with zeros to whole vectors of
 * eight; all sums are whole numbers that stay within 32 bits. Addresses are bytes.
 */

/** As in pipeline/math/neighbor-kernel.ts. */
const FRESH: i32 = 0x40000000;
const GATHERED: i32 = 64;
const ASKED_BYTES: usize = 12;

/** The four sums of four vectors. */
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

function addProducts(sum: v128, a: v128, b: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(a, b));
}

function entry(base: usize, index: i32): i32 {
  return load<i32>(base + ((<usize>index) << 2));
}

export function project(
  rows: usize,
  rowBytes: usize,
  ids: usize,
  count: i32,
  direction: usize,
  out: usize,
): void {
  for (let r = 0; r < count; r++) {
    const row = rows + <usize>entry(ids, r) * rowBytes;
    let sum = i32x4.splat(0);
    for (let x: usize = 0; x < rowBytes; x += 16) {
      sum = addProducts(sum, v128.load(row + x), v128.load(direction + x));
    }
    store<i32>(out + ((<usize>r) << 2), i32x4.extract_lane(sums(sum, sum, sum, sum), 0));
  }
}

export function addRows(rows: usize, rowBytes: usize, ids: usize, count: i32, totals: usize): void {
  for (let r = 0; r < count; r++) {
    const row = rows + <usize>entry(ids, r) * rowBytes;
    for (let x: usize = 0; x < rowBytes; x += 16) {
      const values = v128.load(row + x);
      const at = totals + 2 * x;
      v128.store(at, i32x4.add(v128.load(at), i32x4.extend_low_i16x8_s(values)));
      v128.store(at, i32x4.add(v128.load(at, 16), i32x4.extend_high_i16x8_s(values)), 16);
    }
  }
}

/** Puts a candidate into a list, unless it is there or too far. */
function offer(ids: usize, scores: usize, width: i32, candidate: i32, mark: i32, score: i32): void {
  let at = (<usize>(width - 1)) << 2;
  if (score <= load<i32>(scores + at)) return;
  const same = i32x4.splat(candidate);
  const plain = i32x4.splat(~FRESH);
  for (let x: usize = 0; x <= at; x += 16) {
    if (v128.any_true(i32x4.eq(v128.and(v128.load(ids + x), plain), same))) return;
  }
  for (; at > 0 && load<i32>(scores + at - 4) < score; at -= 4) {
    store<i32>(scores + at, load<i32>(scores + at - 4));
    store<i32>(ids + at, load<i32>(ids + at - 4));
  }
  store<i32>(scores + at, score);
  store<i32>(ids + at, candidate | mark);
}

/** Offers `count` candidates after `first` to the list of the row asked for. */
function offerSome(
  asked: usize,
  scores: v128,
  first: i32,
  count: i32,
  listIds: usize,
  listScores: usize,
  width: i32,
  mark: i32,
): void {
  const list = (<usize>(entry(asked, 1) * width)) << 2;
  const skipped = entry(asked, 2);
  for (let j = 0; j < count; j++) {
    if (first + j !== skipped) {
      offer(listIds + list, listScores + list, width, first + j, mark, i32x4.extract_lane(scores, 0));
    }
    scores = v128.shuffle<i32>(scores, scores, 1, 2, 3, 0);
  }
}

function leastScore(asked: usize, listScores: usize, width: i32): v128 {
  return v128.load32_splat(listScores + ((<usize>((entry(asked, 1) + 1) * width - 1)) << 2));
}

export function scan(
  queries: usize,
  rowBytes: usize,
  asked: usize,
  count: i32,
  answers: usize,
  biases: usize,
  first: i32,
  answerCount: i32,
  listIds: usize,
  listScores: usize,
  width: i32,
  mark: i32,
  gathered: usize,
): void {
  for (let from = 0; from < count; from += GATHERED) {
    const some = min(GATHERED, count - from);
    const table = asked + <usize>from * ASKED_BYTES;
    // Queries beside each other, in pairs; the last may be its own partner.
    for (let q = 0; q < ((some + 1) & ~1); q++) {
      const row = entry(table + <usize>min(q, some - 1) * ASKED_BYTES, 0);
      memory.copy(gathered + <usize>q * rowBytes, queries + <usize>row * rowBytes, rowBytes);
    }
    for (let j = 0; j < answerCount; j += 4) {
      const live = min(4, answerCount - j);
      const b0 = answers + <usize>(first + j) * rowBytes;
      const b1 = b0 + rowBytes;
      const b2 = b1 + rowBytes;
      const b3 = b2 + rowBytes;
      const bias = v128.load(biases + ((<usize>(first + j)) << 2));
      for (let q = 0; q < some; q += 2) {
        const a0 = gathered + <usize>q * rowBytes;
        const a1 = a0 + rowBytes;
        let s00 = i32x4.splat(0);
        let s01 = s00;
        let s02 = s00;
        let s03 = s00;
        let s10 = s00;
        let s11 = s00;
        let s12 = s00;
        let s13 = s00;
        for (let x: usize = 0; x < rowBytes; x += 16) {
          const p0 = v128.load(a0 + x);
          const p1 = v128.load(a1 + x);
          let p = v128.load(b0 + x);
          s00 = addProducts(s00, p0, p);
          s10 = addProducts(s10, p1, p);
          p = v128.load(b1 + x);
          s01 = addProducts(s01, p0, p);
          s11 = addProducts(s11, p1, p);
          p = v128.load(b2 + x);
          s02 = addProducts(s02, p0, p);
          s12 = addProducts(s12, p1, p);
          p = v128.load(b3 + x);
          s03 = addProducts(s03, p0, p);
          s13 = addProducts(s13, p1, p);
        }
        let at = table + <usize>q * ASKED_BYTES;
        let scores = i32x4.add(sums(s00, s01, s02, s03), bias);
        if (v128.any_true(i32x4.gt_s(scores, leastScore(at, listScores, width)))) {
          offerSome(at, scores, first + j, live, listIds, listScores, width, mark);
        }
        if (q + 1 === some) continue;
        at += ASKED_BYTES;
        scores = i32x4.add(sums(s10, s11, s12, s13), bias);
        if (v128.any_true(i32x4.gt_s(scores, leastScore(at, listScores, width)))) {
          offerSome(at, scores, first + j, live, listIds, listScores, width, mark);
        }
      }
    }
  }
}

// What all rows of one call of `join` share.
let candidateList: usize = 0;
let forward: usize = 0;
let forwardWidth: i32 = 0;
let forwardReach: i32 = 0;
let backward: usize = 0;
let backwardCounts: usize = 0;
let backwardLimit: i32 = 0;
let seen: usize = 0;

/**
 * Notes `count` candidates, all of them or the fresh ones, which were not seen for this row. Whether one was is a
 * matter of chance, so there is no branch for the processor to guess.
 */
function noteSome(base: usize, count: i32, isFresh: i32, stamp: i32, found: i32): i32 {
  for (let x = 0; x < count; x++) {
    const named = entry(base, x);
    if (named < 0) break;
    const candidate = named & ~FRESH;
    const at = seen + ((<usize>candidate) << 2);
    const last = load<i32>(at);
    const isTaken = <i32>(last !== stamp) & (isFresh | <i32>((named & FRESH) !== 0));
    store<i32>(at, select<i32>(stamp, last, isTaken));
    store<i32>(candidateList + ((<usize>found) << 2), candidate);
    found += isTaken;
  }
  return found;
}

/** Notes those whom a row names, and those who name it. */
function noteNamed(named: i32, stamp: i32, found: i32): i32 {
  const isFresh = <i32>((named & FRESH) !== 0);
  const via = named & ~FRESH;
  found = noteSome(forward + ((<usize>(via * forwardWidth)) << 2), forwardReach, isFresh, stamp, found);
  const count = entry(backwardCounts, via);
  return noteSome(backward + ((<usize>(via * backwardLimit)) << 2), count, isFresh, stamp, found);
}

export function join(
  rows: usize,
  rowBytes: usize,
  biases: usize,
  from: i32,
  to: i32,
  listIds: usize,
  listScores: usize,
  width: i32,
  forwardIds: usize,
  reach: i32,
  backwardIds: usize,
  counts: usize,
  backwardWidth: i32,
  stamps: usize,
  candidates: usize,
): void {
  candidateList = candidates;
  forward = forwardIds;
  forwardWidth = width;
  forwardReach = reach;
  backward = backwardIds;
  backwardCounts = counts;
  backwardLimit = backwardWidth;
  seen = stamps;
  for (let i = from; i < to; i++) {
    const stamp = i + 1;
    const ids = listIds + ((<usize>(i * width)) << 2);
    const scores = listScores + ((<usize>(i * width)) << 2);
    const ahead = forwardIds + ((<usize>(i * width)) << 2);
    const behind = backwardIds + ((<usize>(i * backwardWidth)) << 2);
    const behindCount = entry(counts, i);

    // The row itself and those in its list need not be looked at.
    store<i32>(stamps + ((<usize>i) << 2), stamp);
    for (let x = 0; x < width; x++) {
      const named = entry(ids, x);
      if (named >= 0) store<i32>(stamps + ((<usize>(named & ~FRESH)) << 2), stamp);
    }
    let found = noteSome(behind, behindCount, 0, stamp, 0);
    for (let x = 0; x < reach; x++) {
      const named = entry(ahead, x);
      if (named < 0) break;
      found = noteNamed(named, stamp, found);
    }
    for (let x = 0; x < behindCount; x++) found = noteNamed(entry(behind, x), stamp, found);

    // Four at a time; the row itself, which is never offered, fills the last four.
    for (let x = found; x < found + 3; x++) store<i32>(candidates + ((<usize>x) << 2), i);
    const a = rows + <usize>i * rowBytes;
    const least = scores + ((<usize>(width - 1)) << 2);
    for (let x = 0; x < found; x += 4) {
      const at = candidates + ((<usize>x) << 2);
      const c0 = entry(at, 0);
      const c1 = entry(at, 1);
      const c2 = entry(at, 2);
      const c3 = entry(at, 3);
      const b0 = rows + <usize>c0 * rowBytes;
      const b1 = rows + <usize>c1 * rowBytes;
      const b2 = rows + <usize>c2 * rowBytes;
      const b3 = rows + <usize>c3 * rowBytes;
      let s0 = i32x4.splat(0);
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      for (let y: usize = 0; y < rowBytes; y += 16) {
        const p = v128.load(a + y);
        s0 = addProducts(s0, p, v128.load(b0 + y));
        s1 = addProducts(s1, p, v128.load(b1 + y));
        s2 = addProducts(s2, p, v128.load(b2 + y));
        s3 = addProducts(s3, p, v128.load(b3 + y));
      }
      const bias = i32x4(entry(biases, c0), entry(biases, c1), entry(biases, c2), entry(biases, c3));
      let reached = i32x4.add(sums(s0, s1, s2, s3), bias);
      if (!v128.any_true(i32x4.gt_s(reached, v128.load32_splat(least)))) continue;
      for (let y = 0; y < 4; y++) {
        const candidate = entry(at, y);
        if (candidate !== i) offer(ids, scores, width, candidate, FRESH, i32x4.extract_lane(reached, 0));
        reached = v128.shuffle<i32>(reached, reached, 1, 2, 3, 0);
      }
    }
  }
}
