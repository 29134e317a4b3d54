/**
 * The leading singular vectors of a sparse matrix, by block subspace iteration from a random start.
 *
 * Source: Halko, Martinsson & Tropp 2011, algorithm 4.4, on AᵀA.
 * Differs: the iterated block is orthonormalised by Cholesky's factor of its Gram matrix in float32, which is
 * enough to keep columns apart; the last step diagonalises in float64.
 */

import { pause } from './pause.ts';
import type { Random } from './random.ts';
import { Arena, paddedWidth, type SparseRows } from './sparse.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

export interface TruncatedSvd {
  /** Float64Array [k], descending; 0 beyond the rank. */
  values: Float64Array;
  /** Float32Array [v × k]: right singular vectors as columns; columns beyond the rank are 0. */
  components: Float32Array;
}

export interface SvdOptions {
  /** Singular values and components wanted; at least 1. */
  k: number;
  random: Random;
  /** Multiplications by AᵀA. */
  iterations?: number;
  signal?: AbortSignal | undefined;
}

/** Columns iterated beyond those asked for: they take up what the iteration cannot yet tell apart. */
const oversampling = 16;
/** Singular values smaller than this share of the largest are rounding of float32. */
const rankTolerance = 1e-5;
/** Rows in one call of the dense products. */
const blockRows = 512;

/**
 * @param matrix n × v; its arrays need not lie in an arena.
 * @throws Interrupted when the signal is raised.
 */
export async function truncatedSvd(
  matrix: SparseRows,
  v: number,
  { k, random, iterations = 5, signal }: SvdOptions,
): Promise<TruncatedSvd> {
  const { n } = matrix;
  const width = paddedWidth(k + oversampling);
  const entries = matrix.offsets[n];
  const arena = new Arena(
    Arena.bytesFor(n + 1, entries, entries, n * width, v * width, v * width, ...denseSizes(width)),
  );
  const rows: SparseRows = {
    n,
    offsets: arena.integers(n + 1),
    columns: arena.integers(entries),
    values: arena.floats(entries),
  };
  rows.offsets.set(matrix.offsets.subarray(0, n + 1));
  rows.columns.set(matrix.columns.subarray(0, entries));
  rows.values.set(matrix.values.subarray(0, entries));
  const byRow = arena.floats(n * width);
  const basis = arena.floats(v * width);
  const spare = arena.floats(v * width);
  const dense = createDense(arena, width);

  for (let at = 0; at < basis.length; at++) basis[at] = random.nextNormal();
  for (let iteration = 0; iteration < iterations; iteration++) {
    await pause(signal);
    byRow.fill(0);
    arena.multiplyInto(rows, basis, width, byRow);
    spare.fill(0);
    arena.multiplyTransposedInto(rows, byRow, width, spare);
    dense.multiply(spare, v, inverseCholesky(dense.gram(spare, v), width), basis);
  }

  // Rayleigh–Ritz: within the span of the basis, the singular vectors of A·basis are exact.
  byRow.fill(0);
  arena.multiplyInto(rows, basis, width, byRow);
  const eigen = symmetricEigen(Float64Array.from(dense.gram(byRow, n)), width);
  const rotation = new Float32Array(width * width);
  const values = new Float64Array(k);
  const largest = Math.sqrt(Math.max(eigen.values[0], 0));
  for (let q = 0; q < k; q++) {
    const value = Math.sqrt(Math.max(eigen.values[q], 0));
    if (value <= rankTolerance * largest) break;
    values[q] = value;
    for (let r = 0; r < width; r++) rotation[r * width + q] = eigen.vectors[r * width + q];
  }
  dense.multiply(basis, v, rotation, spare);
  const components = new Float32Array(v * k);
  for (let term = 0; term < v; term++) {
    components.set(spare.subarray(term * width, term * width + k), term * k);
  }
  return { values, components };
}

// Dense products, run by the sparse kernels with every column present -----------------------------

interface Dense {
  /** rowsᵀ · rows, Float32Array [width × width]. */
  gram(rows: Float32Array, count: number): Float32Array;
  /** rows · square, into `out`. */
  multiply(rows: Float32Array, count: number, square: Float32Array, out: Float32Array): void;
}

const denseSizes = (width: number): number[] => [
  blockRows + 1,
  blockRows * width,
  blockRows * width,
  width * width,
];

function createDense(arena: Arena, width: number): Dense {
  const block: SparseRows = {
    n: 0,
    offsets: arena.integers(blockRows + 1),
    columns: arena.integers(blockRows * width),
    values: arena.floats(blockRows * width),
  };
  for (let i = 0; i <= blockRows; i++) block.offsets[i] = i * width;
  for (let at = 0; at < blockRows * width; at++) block.columns[at] = at % width;
  const square = arena.floats(width * width);
  const eachBlock = (
    rows: Float32Array,
    count: number,
    visit: (start: number, end: number) => void,
  ): void => {
    for (let start = 0; start < count; start += blockRows) {
      const end = Math.min(count, start + blockRows);
      block.n = end - start;
      block.values.set(rows.subarray(start * width, end * width));
      visit(start * width, end * width);
    }
  };
  return {
    gram(rows, count) {
      square.fill(0);
      eachBlock(rows, count, (start, end) => {
        arena.multiplyTransposedInto(block, rows.subarray(start, end), width, square);
      });
      return square.slice();
    },
    multiply(rows, count, by, out) {
      square.set(by);
      out.fill(0);
      eachBlock(rows, count, (start, end) => {
        arena.multiplyInto(block, square, width, out.subarray(start, end));
      });
    },
  };
}

/**
 * R⁻¹ of a Gram matrix G = RᵀR: rows · R⁻¹ has orthonormal columns. A column that the others before it
 * span becomes 0.
 */
function inverseCholesky(gram: Float32Array, p: number): Float32Array {
  // Scaled to a unit diagonal first, so that one threshold serves columns of any length.
  const scale = new Float64Array(p);
  for (let q = 0; q < p; q++) scale[q] = gram[q * p + q] > 0 ? 1 / Math.sqrt(gram[q * p + q]) : 0;
  const upper = new Float64Array(p * p);
  const kept = new Uint8Array(p);
  for (let i = 0; i < p; i++) {
    let pivot = scale[i] > 0 ? 1 : 0;
    for (let r = 0; r < i; r++) pivot -= upper[r * p + i] ** 2;
    if (pivot <= 1e-5) continue;
    kept[i] = 1;
    const root = Math.sqrt(pivot);
    upper[i * p + i] = root;
    for (let j = i + 1; j < p; j++) {
      let sum = gram[i * p + j] * scale[i] * scale[j];
      for (let r = 0; r < i; r++) sum -= upper[r * p + i] * upper[r * p + j];
      upper[i * p + j] = sum / root;
    }
  }
  const inverse = new Float32Array(p * p);
  const column = new Float64Array(p);
  for (let j = 0; j < p; j++) {
    if (kept[j] === 0) continue;
    column.fill(0);
    column[j] = 1 / upper[j * p + j];
    for (let i = j - 1; i >= 0; i--) {
      if (kept[i] === 0) continue;
      let sum = 0;
      for (let r = i + 1; r <= j; r++) sum += upper[i * p + r] * column[r];
      column[i] = -sum / upper[i * p + i];
    }
    for (let i = 0; i <= j; i++) inverse[i * p + j] = column[i] * scale[i];
  }
  return inverse;
}
