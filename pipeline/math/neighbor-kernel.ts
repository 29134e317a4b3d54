/**
 * Inner loops of the approximate nearest-neighbour search: in WebAssembly (pipeline/kernels/neighbors.ts), and in
 * plain typed arrays, which say what the first one does and stand in for it where the program was not built.
 * Both work on one shared memory and give equal bytes: all arithmetic is in whole numbers of at most 32 bits.
 *
 * Arguments are addresses in bytes, counts, or row numbers. Rows are int16, `rowBytes` apart, a multiple of 16.
 * Products of two rows stay within 2^30 (neighbor-points.ts sees to it).
 *
 * A list holds the `width` best candidates of a row, best first: their numbers (int32, -1 where none is yet) and
 * scores (int32). Width is a multiple of 4. A number may carry the mark {@link FRESH}.
 *
 * What is asked for is a table of int32 triples: the row that asks, the list that receives, and a candidate
 * that must not be offered (-1 for none).
 */

import { isKernelBuilt, type KernelMemory, loadKernel } from './kernel.ts';

/** Marks numbers in a list that were not looked through yet; row numbers stay below it. */
export const FRESH = 0x40000000;
/** Queries that are laid beside each other, and the rows that `gathered` needs room for. */
export const GATHERED = 64;
/** Numbers for each query in the table of those who ask. */
export const ASKED = 3;
/** Score in an empty place of a list. */
export const NO_SCORE = -0x80000000;

export interface NeighborKernel {
  /** out[r] = rows[ids[r]] · direction, int32. */
  project(rows: number, rowBytes: number, ids: number, count: number, direction: number, out: number): void;

  /** totals += the sum of rows[ids[r]]; int32, as many as a row has numbers. */
  addRows(rows: number, rowBytes: number, ids: number, count: number, totals: number): void;

  /**
   * Offers the answers first … first + answerCount − 1 to everyone who asks; an answer's score is its product with
   * the query plus its bias. Up to three rows and biases beyond the last may be read. `mark` is FRESH or 0.
   */
  scan(
    queries: number,
    rowBytes: number,
    asked: number,
    count: number,
    answers: number,
    biases: number,
    first: number,
    answerCount: number,
    listIds: number,
    listScores: number,
    width: number,
    mark: number,
    gathered: number,
  ): void;

  /**
   * Offers to the rows from … to − 1 the neighbours of their neighbours, where one of the two steps is fresh.
   * A row's neighbours are the first `reach` of its list as it was (`forward`), and those who name it (`backward`,
   * `backwardWidth` a row, `counts` of them in use). `stamps` is int32 [n], not holding row number + 1 of any row
   * of this call; `candidates` has room for all neighbours of neighbours of a row and 3 more.
   */
  join(
    rows: number,
    rowBytes: number,
    biases: number,
    from: number,
    to: number,
    listIds: number,
    listScores: number,
    width: number,
    forward: number,
    reach: number,
    backward: number,
    counts: number,
    backwardWidth: number,
    stamps: number,
    candidates: number,
  ): void;
}

/** The WebAssembly kernel where it was built, else the plain one. */
export function openNeighborKernel(memory: KernelMemory): NeighborKernel {
  return isKernelBuilt('neighbors')
    ? loadKernel<NeighborKernel>('neighbors', memory)
    : plainNeighborKernel(memory);
}

/** What the kernel does, in typed arrays. */
export function plainNeighborKernel(memory: KernelMemory): NeighborKernel {
  const int16 = new Int16Array(memory.buffer);
  const int32 = new Int32Array(memory.buffer);

  function product(a: number, b: number, rowBytes: number): number {
    let sum = 0;
    for (let x = 0; x < rowBytes / 2; x++) sum += int16[a / 2 + x] * int16[b / 2 + x];
    return sum;
  }

  /** Puts a candidate into the list that starts at these places, unless it is there or too far. */
  function offer(
    ids: number,
    scores: number,
    width: number,
    candidate: number,
    mark: number,
    score: number,
  ): void {
    let at = width - 1;
    if (score <= int32[scores + at]) return;
    for (let x = 0; x < width; x++) if ((int32[ids + x] & ~FRESH) === candidate) return;
    for (; at > 0 && int32[scores + at - 1] < score; at--) {
      int32[scores + at] = int32[scores + at - 1];
      int32[ids + at] = int32[ids + at - 1];
    }
    int32[scores + at] = score;
    int32[ids + at] = candidate | mark;
  }

  const project: NeighborKernel['project'] = (rows, rowBytes, ids, count, direction, out) => {
    for (let r = 0; r < count; r++) {
      int32[out / 4 + r] = product(rows + int32[ids / 4 + r] * rowBytes, direction, rowBytes);
    }
  };

  const addRows: NeighborKernel['addRows'] = (rows, rowBytes, ids, count, totals) => {
    for (let r = 0; r < count; r++) {
      const row = (rows + int32[ids / 4 + r] * rowBytes) / 2;
      for (let x = 0; x < rowBytes / 2; x++) int32[totals / 4 + x] += int16[row + x];
    }
  };

  const scan: NeighborKernel['scan'] = (
    ...[queries, rowBytes, asked, count, answers, biases, first, answerCount, ids, scores, width, mark]
  ) => {
    for (let q = 0; q < count; q++) {
      const [row, list, skipped] = int32.subarray(asked / 4 + q * ASKED, asked / 4 + (q + 1) * ASKED);
      for (let answer = first; answer < first + answerCount; answer++) {
        if (answer === skipped) continue;
        const score =
          product(queries + row * rowBytes, answers + answer * rowBytes, rowBytes) +
          int32[biases / 4 + answer];
        offer(ids / 4 + list * width, scores / 4 + list * width, width, answer, mark, score);
      }
    }
  };

  const join: NeighborKernel['join'] = (
    ...[rows, rowBytes, biases, from, to, ids, scores, width, forward, reach, backward, counts, ...rest]
  ) => {
    const [backwardWidth, stamps] = rest;
    /** Those whom a row names: its own neighbours of before, and those it is a neighbour of. */
    const named = (row: number): number[] => {
      const ahead = int32.subarray(forward / 4 + row * width, forward / 4 + row * width + reach);
      const behind = backward / 4 + row * backwardWidth;
      return [...ahead.filter((id) => id >= 0), ...int32.subarray(behind, behind + int32[counts / 4 + row])];
    };
    for (let i = from; i < to; i++) {
      const list = ids / 4 + i * width;
      const candidates: number[] = [];
      const note = (candidate: number): void => {
        if (int32[stamps / 4 + candidate] === i + 1) return;
        int32[stamps / 4 + candidate] = i + 1;
        candidates.push(candidate);
      };
      // The row itself and those in its list need not be looked at.
      int32[stamps / 4 + i] = i + 1;
      for (const id of int32.subarray(list, list + width)) {
        if (id >= 0) int32[stamps / 4 + (id & ~FRESH)] = i + 1;
      }
      const behind = backward / 4 + i * backwardWidth;
      for (const id of int32.subarray(behind, behind + int32[counts / 4 + i])) {
        if ((id & FRESH) !== 0) note(id & ~FRESH);
      }
      for (const via of named(i)) {
        for (const id of named(via & ~FRESH)) if (((via | id) & FRESH) !== 0) note(id & ~FRESH);
      }
      for (const candidate of candidates) {
        const score =
          product(rows + i * rowBytes, rows + candidate * rowBytes, rowBytes) + int32[biases / 4 + candidate];
        offer(list, scores / 4 + i * width, width, candidate, FRESH, score);
      }
    }
  };

  return { project, addRows, scan, join };
}
