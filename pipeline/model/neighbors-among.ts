/**
 * The nearest neighbours that some rows have among others, by matrix products: onnxruntime multiplies blocks of
 * rows in float32 and keeps each row's best, and those are measured again in float64. A row whose candidates are not
 * provably complete is compared with all. So a row's neighbours do not depend on the rows asked beside it.
 */

import { checkVectors, type Metric, rowDistance, rowLengths } from '../math/distance.ts';
import type { Neighbors } from '../math/nearest-neighbors.ts';
import { pause } from '../math/pause.ts';
import { GraphBuilder } from './onnx.ts';
import { openSession, type Session, type TensorValue } from './session.ts';

export interface AmongOptions {
  /** All rows, and numbers per row. */
  n: number;
  d: number;
  /** Rows that ask. */
  asking: Int32Array;
  /** Rows that answer. */
  answering: Int32Array;
  /** Neighbours wanted, from 1 to as many as answer. */
  k: number;
  metric: Metric;
  threads?: number;
  signal?: AbortSignal;
  /** Called with the rows through so far, of all that ask. */
  onProgress?: (done: number, total: number) => void;
}

/** Rows per block: a product of two is 16 MB. */
const ASKING_ROWS = 512;
const ANSWERING_ROWS = 8192;
/** Candidates kept beyond k, so that float32 rounding cannot push out a true neighbour unnoticed. */
const SPARE_CANDIDATES = 8;
/** Relative rounding of one float32 operation. */
const ROUNDING = 2 ** -24;
/** What fills the last block up scores this, below everything. */
const LEAST_SCORE = -1e30;
/** ONNX's number for int32. */
const INT32 = 6;

/**
 * @param vectors Float32Array [n × d], finite; no zero rows for cosine.
 * @returns Nearest first, ties to the lower index; indices count in `answering`.
 * @throws RangeError when k is out of range.
 */
export async function neighborsAmong(vectors: Float32Array, options: AmongOptions): Promise<Neighbors> {
  const { n, d, asking, answering, k, metric, threads = 1, signal, onProgress } = options;
  if (!(Number.isInteger(k) && k >= 1 && k <= answering.length)) {
    throw new RangeError(
      `Expected k to be a whole number from 1 to the ${answering.length} rows that answer, got ${k}.`,
    );
  }
  const found: Neighbors = {
    indices: new Int32Array(asking.length * k),
    distances: new Float32Array(asking.length * k),
  };
  checkVectors(vectors, n, d, metric);
  if (asking.length === 0) return found;
  const scored = scoreRows(vectors, options);
  const distance = rowDistance(vectors, n, d, metric);
  const width = Math.min(k + SPARE_CANDIDATES, answering.length);
  const session = await openSession(scoreGraph(d + 1, Math.min(width, ANSWERING_ROWS)), { threads });
  try {
    for (let first = 0; first < asking.length; first += ASKING_ROWS) {
      await pause(signal);
      const rows = asking.subarray(first, first + ASKING_ROWS);
      const candidates = await findCandidates(session, scored, d, rows, answering, width);
      rows.forEach((row, r) => {
        const places = candidates.places.subarray(r * width, (r + 1) * width);
        const near = new Nearest(k);
        for (const place of places) near.offer(place, distance(row, answering[place]));
        const bound = candidates.scores[(r + 1) * width - 1];
        if (width < answering.length && !scored.isBeyond(row, near.furthest, bound)) {
          near.clear();
          answering.forEach((other, place) => {
            near.offer(place, distance(row, other));
          });
        }
        near.write(found, (first + r) * k);
      });
      onProgress?.(Math.min(asking.length, first + ASKING_ROWS), asking.length);
    }
  } finally {
    await session.close();
  }
  return found;
}

/** The k nearest of what was offered. */
class Nearest {
  readonly #places: Int32Array;
  readonly #distances: Float64Array;
  #filled = 0;

  constructor(k: number) {
    this.#places = new Int32Array(k);
    this.#distances = new Float64Array(k);
  }

  get furthest(): number {
    return this.#distances[this.#filled - 1];
  }

  clear(): void {
    this.#filled = 0;
  }

  offer(place: number, distance: number): void {
    const places = this.#places;
    const distances = this.#distances;
    const isAfter = (at: number): boolean =>
      distances[at] > distance || (distances[at] === distance && places[at] > place);
    let at = this.#filled;
    if (at === places.length) {
      if (!isAfter(at - 1)) return;
      at--;
    } else {
      this.#filled++;
    }
    for (; at > 0 && isAfter(at - 1); at--) {
      places[at] = places[at - 1];
      distances[at] = distances[at - 1];
    }
    places[at] = place;
    distances[at] = distance;
  }

  write({ indices, distances }: Neighbors, at: number): void {
    indices.set(this.#places, at);
    distances.set(this.#distances, at);
  }
}

/** How rows are made ready so that their inner product rises as their distance falls: d + 1 numbers each. */
interface ScoredRows {
  /** Writes what a row is when it asks. */
  ask(row: number, to: Float32Array, at: number): void;
  /** The same when it answers. */
  answer(row: number, to: Float32Array, at: number): void;
  /** Whether a row is further from the asking one than `distance` when float32 gave it at most this score. */
  isBeyond(asking: number, distance: number, score: number): boolean;
}

/** For cosine, rows of length 1; for euclidean, rows about a centre, and minus half the squared length. */
function scoreRows(vectors: Float32Array, { n, d, answering, metric }: AmongOptions): ScoredRows {
  if (metric === 'cosine') {
    const lengths = rowLengths(vectors, n, d);
    const write = (row: number, to: Float32Array, at: number, last: number): void => {
      for (let x = 0; x < d; x++) to[at + x] = vectors[row * d + x] / lengths[row];
      to[at + d] = last;
    };
    return {
      ask: (row, to, at) => write(row, to, at, 1),
      answer: (row, to, at) => write(row, to, at, 0),
      // d roundings of a sum of products whose magnitudes add up to at most 1, and those of the scaling.
      isBeyond: (_, distance, score) => 1 - distance > score + (d + 5) * ROUNDING,
    };
  }
  const center = new Float64Array(d);
  for (const row of answering) {
    for (let x = 0; x < d; x++) center[x] += vectors[row * d + x] / answering.length;
  }
  const squareOf = (row: number): number => {
    let sum = 0;
    for (let x = 0; x < d; x++) sum += (vectors[row * d + x] - center[x]) ** 2;
    return sum;
  };
  const largest = Math.sqrt(answering.reduce((most, row) => Math.max(most, squareOf(row)), 0));
  const write = (row: number, to: Float32Array, at: number, last: number): void => {
    for (let x = 0; x < d; x++) to[at + x] = vectors[row * d + x] - center[x];
    to[at + d] = last;
  };
  return {
    ask: (row, to, at) => write(row, to, at, 1),
    answer: (row, to, at) => write(row, to, at, -squareOf(row) / 2),
    // A score is (|a|² − distance²) / 2; magnitudes summed are at most |a||b| + |b|² / 2.
    isBeyond: (row, distance, score) => {
      const square = squareOf(row);
      const error = (d + 5) * ROUNDING * (Math.sqrt(square) * largest + (square + largest ** 2) / 2);
      return (square - distance * distance) / 2 > score + error;
    },
  };
}

interface Candidates {
  /** Int32Array [rows × width]: places in `answering`, best first. */
  places: Int32Array;
  /** Float32Array [rows × width]. */
  scores: Float32Array;
}

/** The rows that score highest with each of some rows. */
async function findCandidates(
  session: Session,
  scored: ScoredRows,
  d: number,
  rows: Int32Array,
  answering: Int32Array,
  width: number,
): Promise<Candidates> {
  const asked = new Float32Array(ASKING_ROWS * (d + 1));
  rows.forEach((row, r) => {
    scored.ask(row, asked, r * (d + 1));
  });
  const best: Candidates = {
    places: new Int32Array(rows.length * width),
    scores: new Float32Array(rows.length * width).fill(-Infinity),
  };
  const block = new Float32Array(ANSWERING_ROWS * (d + 1));
  for (let first = 0; first < answering.length; first += ANSWERING_ROWS) {
    const others = answering.subarray(first, first + ANSWERING_ROWS);
    others.forEach((row, r) => {
      scored.answer(row, block, r * (d + 1));
    });
    for (let r = others.length; r < ANSWERING_ROWS; r++) {
      block.fill(0, r * (d + 1), (r + 1) * (d + 1));
      block[r * (d + 1) + d] = LEAST_SCORE;
    }
    const { scores, places } = await session.run({
      asking: { dims: [ASKING_ROWS, d + 1], data: asked },
      answering: { dims: [ANSWERING_ROWS, d + 1], data: block },
    });
    merge(best, { scores: floats(scores), places: integers(places) }, rows.length, width, first);
  }
  return best;
}

/** Takes the best of a block, whose places count from `first`, in among the best so far. */
function merge(best: Candidates, block: Candidates, rows: number, width: number, first: number): void {
  const blockWidth = block.scores.length / ASKING_ROWS;
  const places = new Int32Array(width);
  const scores = new Float32Array(width);
  for (let r = 0; r < rows; r++) {
    let a = r * width;
    let b = r * blockWidth;
    const endOfBlock = b + blockWidth;
    for (let at = 0; at < width; at++) {
      if (b < endOfBlock && block.scores[b] > best.scores[a]) {
        places[at] = first + block.places[b];
        scores[at] = block.scores[b++];
      } else {
        places[at] = best.places[a];
        scores[at] = best.scores[a++];
      }
    }
    best.places.set(places, r * width);
    best.scores.set(scores, r * width);
  }
}

/** Scores of two blocks, the best of each row first. */
function scoreGraph(numbers: number, width: number): Uint8Array {
  const graph = new GraphBuilder('neighbors-among');
  const asking = graph.input('asking', 'float32', [ASKING_ROWS, numbers]);
  const answering = graph.input('answering', 'float32', [ANSWERING_ROWS, numbers]);
  const product = graph.node('Gemm', [asking, answering], { transB: 1 });
  const names = graph.names('TopK', 2);
  graph.node('TopK', [product, graph.int64([width])], {}, names);
  graph.output(names[0], 'float32', [ASKING_ROWS, width], 'scores');
  graph.output(graph.node('Cast', [names[1]], { to: INT32 }), 'int32', [ASKING_ROWS, width], 'places');
  return graph.encode();
}

function floats({ data }: TensorValue): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new Error('neighbors-among: expected float32 scores from the graph.');
}

function integers({ data }: TensorValue): Int32Array {
  if (data instanceof Int32Array) return data;
  throw new Error('neighbors-among: expected int32 places from the graph.');
}
