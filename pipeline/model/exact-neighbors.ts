/**
 * Exact nearest neighbours at the speed of matrix products: onnxruntime multiplies blocks of rows in float32,
 * and what stands out is measured again in float64. The result is that of math/nearest-neighbors.ts to the
 * bit, whatever the block size and the number of threads, because a row whose candidates are not provably
 * complete is compared with all others.
 */

import type { Metric } from '../math/distance.ts';
import { rowDistance, rowLengths } from '../math/distance.ts';
import {
  checkSearch,
  type DistinctRows,
  distinctRows,
  expandGroups,
  insertGroup,
  type NearestGroups,
  type NeighborSearch,
  scanGroup,
  nearestNeighbors as searchPlainly,
} from '../math/nearest-neighbors.ts';
import { pause } from '../math/pause.ts';
import { GraphBuilder } from './onnx.ts';
import { openSession, type TensorValue } from './session.ts';

/** Up to this many rows, opening a session costs more than comparing all pairs. */
const MOST_PLAIN_ROWS = 512;
/** Rows per block, about: a product of two blocks is 4 MB, which stays near the core. */
const BLOCK_ROWS = 1024;
/** Scores of this many neighbouring columns (or rows) are first judged by their maximum. */
const STRIP = 16;
/** Candidates kept beyond k, so that float32 rounding cannot push out a true neighbour unnoticed. */
const SPARE_CANDIDATES = 8;
/** Relative rounding of one float32 operation. */
const ROUNDING = 2 ** -24;
/** Multiply-adds between two turns of the event loop, where rows are compared in plain code. */
const WORK_PER_TURN = 5e7;

/** The k nearest other rows of each row; options, order and errors as in math/nearest-neighbors.ts. */
export const nearestNeighbors: NeighborSearch = async (vectors, options) => {
  const { n, d, k, metric, threads = 1, signal, onProgress } = options;
  checkSearch(vectors, options);
  if (n <= MOST_PLAIN_ROWS) return searchPlainly(vectors, options);
  const distinct = distinctRows(vectors, n, d);
  const u = distinct.count;
  const width = Math.min(k, u - 1);
  const rows = scoredRows(vectors, n, d, metric, distinct);
  const candidates = await findCandidates(rows, u, width + SPARE_CANDIDATES, threads, signal, (done) =>
    // Ranking is the last tenth.
    onProgress?.(Math.floor(0.9 * done * n), n),
  );

  // The candidates' true distances decide.
  const distance = rowDistance(vectors, n, d, metric);
  const nearest: NearestGroups = {
    width,
    groups: new Int32Array(u * width),
    distances: new Float64Array(u * width),
  };
  let work = 0;
  for (let g = 0; g < u; g++) {
    const row = distinct.first[g];
    let filled = 0;
    for (let x = g * candidates.width; x < g * candidates.width + candidates.filled[g]; x++) {
      const other = candidates.groups[x];
      filled = insertGroup(nearest, g, filled, other, distance(row, distinct.first[other]));
    }
    work += candidates.width * d;
    if (!isComplete(candidates, nearest, rows, g, u, metric)) {
      scanGroup(g, distinct, distance, nearest);
      work += u * d;
    }
    if (work > WORK_PER_TURN) {
      work = 0;
      await pause(signal);
      onProgress?.(Math.floor((0.9 + (0.1 * g) / u) * n), n);
    }
  }
  onProgress?.(n, n);
  return expandGroups(distinct, nearest, n, k);
};

/** Rows made ready so that their inner product rises as their distance falls. */
interface ScoredRows {
  /** Numbers per row. */
  d: number;
  /** Rows per block, a multiple of STRIP; all blocks are equally large, the last padded with zero rows. */
  block: number;
  blocks: number;
  /** Float32Array [blocks × block × d]: what a row is when it asks. */
  asking: Float32Array;
  /** The same of a row when it answers; the same array for cosine. */
  answering: Float32Array;
  /** Float64Array [u]: no score of this row is further than this from the true one. */
  error: Float64Array;
}

/**
 * For cosine, rows of length 1: the score is the cosine. For euclidean, rows about their centre with two
 * numbers more, such that the score is −distance² / 2.
 */
function scoredRows(
  vectors: Float32Array,
  n: number,
  d: number,
  metric: Metric,
  { count: u, first }: DistinctRows,
): ScoredRows {
  const blocks = Math.ceil(u / BLOCK_ROWS);
  const block = STRIP * Math.ceil(u / blocks / STRIP);
  const error = new Float64Array(u);
  if (metric === 'cosine') {
    const lengths = rowLengths(vectors, n, d);
    const asking = new Float32Array(blocks * block * d);
    for (let g = 0; g < u; g++) {
      const scale = 1 / lengths[first[g]];
      for (let x = 0; x < d; x++) asking[g * d + x] = vectors[first[g] * d + x] * scale;
    }
    // d roundings of a sum of products whose magnitudes add up to at most 1, and those of the scaling.
    error.fill((d + 4) * ROUNDING);
    return { d, block, blocks, asking, answering: asking, error };
  }

  // About the centre, lengths are small beside distances, and so is rounding.
  const center = new Float64Array(d);
  for (let g = 0; g < u; g++) {
    for (let x = 0; x < d; x++) center[x] += vectors[first[g] * d + x] / u;
  }
  const wide = d + 2;
  const asking = new Float32Array(blocks * block * wide);
  const answering = new Float32Array(asking.length);
  const squares = new Float64Array(u);
  let largest = 0;
  for (let g = 0; g < u; g++) {
    for (let x = 0; x < d; x++) {
      const value = vectors[first[g] * d + x] - center[x];
      asking[g * wide + x] = value;
      answering[g * wide + x] = value;
      squares[g] += value * value;
    }
    asking[g * wide + d] = -squares[g] / 2;
    asking[g * wide + d + 1] = 1;
    answering[g * wide + d] = 1;
    answering[g * wide + d + 1] = -squares[g] / 2;
    largest = Math.max(largest, squares[g]);
  }
  // The magnitudes summed are at most |a||b| + |a|²/2 + |b|²/2 = (|a| + |b|)² / 2.
  for (let g = 0; g < u; g++) {
    error[g] = ((wide + 4) * ROUNDING * (Math.sqrt(squares[g]) + Math.sqrt(largest)) ** 2) / 2;
  }
  return { d: wide, block, blocks, asking, answering, error };
}

/** For each distinct row, those others that score highest in float32. */
interface Candidates {
  width: number;
  /** Int32Array [u × width], best first. */
  groups: Int32Array;
  /** Float32Array [u × width]. */
  scores: Float32Array;
  /** Int32Array [u]: entries in use. */
  filled: Int32Array;
}

/** Multiplies every block with itself and those after it; each product serves the rows of both. */
async function findCandidates(
  rows: ScoredRows,
  u: number,
  width: number,
  threads: number,
  signal: AbortSignal | undefined,
  onShare: (done: number) => void,
): Promise<Candidates> {
  const { d, block, blocks, asking, answering } = rows;
  const candidates: Candidates = {
    width,
    groups: new Int32Array(u * width),
    scores: new Float32Array(u * width),
    filled: new Int32Array(u),
  };
  const blockOf = (all: Float32Array, b: number): TensorValue => ({
    dims: [block, d],
    data: all.subarray(b * block * d, (b + 1) * block * d),
  });
  const session = await openSession(scoreGraph(block, d), { threads });
  try {
    let done = 0;
    for (let a = 0; a < blocks; a++) {
      for (let b = a; b < blocks; b++) {
        const feeds = { asking: blockOf(asking, a), answering: blockOf(answering, b) };
        const { scores, byRow, byColumn } = await session.run(feeds);
        takeRows(candidates, u, block, a * block, b * block, floats(scores), floats(byRow));
        if (a !== b)
          takeColumns(candidates, u, block, a * block, b * block, floats(scores), floats(byColumn));
        done++;
      }
      await pause(signal);
      onShare(done / ((blocks * (blocks + 1)) / 2));
    }
  } finally {
    await session.close();
  }
  return candidates;
}

/** Scores of two blocks, and the maxima of their strips along rows and along columns. */
function scoreGraph(block: number, d: number): Uint8Array {
  const strips = block / STRIP;
  const graph = new GraphBuilder('neighbor-scores');
  const asking = graph.input('asking', 'float32', [block, d]);
  const answering = graph.input('answering', 'float32', [block, d]);
  const scores = graph.node('Gemm', [asking, answering], { transB: 1 });
  const rowStrips = graph.node('Reshape', [scores, graph.int64([block, strips, STRIP])]);
  const byRow = graph.node('ReduceMax', [rowStrips, graph.int64([2])], { keepdims: 0 });
  const columnStrips = graph.node('Reshape', [scores, graph.int64([strips, STRIP, block])]);
  const byColumn = graph.node('ReduceMax', [columnStrips, graph.int64([1])], { keepdims: 0 });
  graph.output(scores, 'float32', [block, block], 'scores');
  graph.output(byRow, 'float32', [block, strips], 'byRow');
  graph.output(byColumn, 'float32', [strips, block], 'byColumn');
  return graph.encode();
}

function floats(value: TensorValue): Float32Array {
  if (value.data instanceof Float32Array) return value.data;
  throw new Error('exact-neighbors: expected float32 scores from the graph.');
}

/** Offers the columns of a product to its rows. */
function takeRows(
  candidates: Candidates,
  u: number,
  block: number,
  firstRow: number,
  firstColumn: number,
  scores: Float32Array,
  byRow: Float32Array,
): void {
  const strips = block / STRIP;
  const rows = Math.min(block, u - firstRow);
  const columns = Math.min(block, u - firstColumn);
  for (let r = 0; r < rows; r++) {
    const g = firstRow + r;
    let least = leastScore(candidates, g);
    for (let strip = 0; strip * STRIP < columns; strip++) {
      if (byRow[r * strips + strip] <= least) continue;
      const end = Math.min((strip + 1) * STRIP, columns);
      for (let c = strip * STRIP; c < end; c++) {
        const score = scores[r * block + c];
        if (score > least && firstColumn + c !== g) {
          insertCandidate(candidates, g, firstColumn + c, score);
          least = leastScore(candidates, g);
        }
      }
    }
  }
}

/** Offers the rows of a product to its columns. */
function takeColumns(
  candidates: Candidates,
  u: number,
  block: number,
  firstRow: number,
  firstColumn: number,
  scores: Float32Array,
  byColumn: Float32Array,
): void {
  const rows = Math.min(block, u - firstRow);
  const columns = Math.min(block, u - firstColumn);
  const least = new Float32Array(columns);
  for (let c = 0; c < columns; c++) least[c] = leastScore(candidates, firstColumn + c);
  for (let strip = 0; strip * STRIP < rows; strip++) {
    const end = Math.min((strip + 1) * STRIP, rows);
    for (let c = 0; c < columns; c++) {
      if (byColumn[strip * block + c] <= least[c]) continue;
      for (let r = strip * STRIP; r < end; r++) {
        const score = scores[r * block + c];
        if (score > least[c]) {
          insertCandidate(candidates, firstColumn + c, firstRow + r, score);
          least[c] = leastScore(candidates, firstColumn + c);
        }
      }
    }
  }
}

/** What a score has to exceed to be kept. */
function leastScore({ width, scores, filled }: Candidates, g: number): number {
  return filled[g] < width ? -Infinity : scores[(g + 1) * width - 1];
}

function insertCandidate(candidates: Candidates, g: number, other: number, score: number): void {
  const { width, groups, scores, filled } = candidates;
  const start = g * width;
  let at = start + Math.min(filled[g], width - 1);
  for (; at > start && scores[at - 1] < score; at--) {
    scores[at] = scores[at - 1];
    groups[at] = groups[at - 1];
  }
  scores[at] = score;
  groups[at] = other;
  if (filled[g] < width) filled[g]++;
}

/**
 * Whether no row outside the candidates can be among the nearest: each of them scored at most as much as the
 * last candidate, and so, allowing for rounding, is further away than the last of the nearest.
 */
function isComplete(
  candidates: Candidates,
  nearest: NearestGroups,
  rows: ScoredRows,
  g: number,
  u: number,
  metric: Metric,
): boolean {
  if (candidates.filled[g] === u - 1) return true;
  const furthest = nearest.distances[(g + 1) * nearest.width - 1];
  const score = metric === 'cosine' ? 1 - furthest : -(furthest * furthest) / 2;
  return score > candidates.scores[(g + 1) * candidates.width - 1] + rows.error[g];
}
