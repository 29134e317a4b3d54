/**
 * The slowest-varying vectors of a connected graph: the first eigenvectors of its normalised Laplacian after
 * the constant one. They lay a neighbour graph out so that what is far apart in it starts far apart.
 *
 * Method: Chebyshev-filtered subspace iteration (Zhou, Saad, Tiago & Chelikowsky 2006) on
 * M = D^-1/2 · A · D^-1/2, whose largest eigenvalues are the Laplacian's smallest. No factorisation,
 * memory for four blocks of vectors, and the same bytes every time. The filter works in float32, which suffices
 * to turn the block towards the vectors; what they and their eigenvalues are is settled in float64.
 */

import type { WeightedGraph } from './fuzzy-graph.ts';
import { createRandom } from './random.ts';
import { openFilter } from './spectral-filter.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

export interface SpectralOptions {
  /** Vectors wanted, from 1 to n − 1. */
  count: number;
  seed: number;
  /**
   * Residuals |Mx − λx| are brought below this share of the vector's own Laplacian eigenvalue 1 − λ.
   * The default is ample for a start that a layout will move anyway.
   */
  tolerance?: number;
  /** Filter rounds at most. */
  rounds?: number;
  /** Default 1; the result is the same for any number. */
  threads?: number;
  signal?: AbortSignal;
}

export interface SlowVectors {
  /** Float64Array [count]: eigenvalues of the normalised Laplacian, ascending, in 0 … 2. */
  values: Float64Array;
  /** Float64Array [n × count], row-major; each column of length 1, its largest entry positive. */
  vectors: Float64Array;
  /** Float64Array [count]: |Mx − λx| reached. */
  residuals: Float64Array;
}

const DEFAULT_TOLERANCE = 0.1;
const DEFAULT_ROUNDS = 8;
/** Vectors carried along beyond those wanted, at least; the filter's border lies at the last of them. */
const SPARE_VECTORS = 6;
/**
 * Multiplications by the graph in each round, all even: a graph that is not done after two rounds varies slowly, and
 * for such graphs one long filter does more than two short ones.
 */
const FILTER_DEGREES = [24, 24, 48, 96];
/** Where the first round's border lies, before anything is known of the spectrum. */
const FIRST_BORDER = 0.8;
/** Up to this many times the block's width, the whole matrix is decomposed instead. */
const DENSE_FACTOR = 4;

/**
 * @param graph Connected, n at least 2.
 * @throws RangeError when count is not in 1 … n − 1.
 */
export async function slowVectors(graph: WeightedGraph, options: SpectralOptions): Promise<SlowVectors> {
  const {
    count,
    seed,
    tolerance = DEFAULT_TOLERANCE,
    rounds = DEFAULT_ROUNDS,
    threads = 1,
    signal,
  } = options;
  const { n } = graph;
  if (!(count >= 1 && count < n)) {
    throw new RangeError(`Expected count to be from 1 to n − 1 = ${n - 1}, got ${count}.`);
  }
  const operator = normalize(graph);
  // The kernel takes vectors by fours.
  const p = 4 * Math.ceil((count + SPARE_VECTORS) / 4);
  if (n <= DENSE_FACTOR * p) return denseVectors(operator, count);

  const filter = openFilter(operator, p, { threads, signal });
  try {
    // A random block, first filtered blindly, then at the border that the last round found.
    const random = createRandom(seed, 0x73706563);
    const block = new Float64Array(n * p);
    for (let x = 0; x < block.length; x++) block[x] = random.nextFloat() - 0.5;
    removeConstant(operator, block, p);
    let border = FIRST_BORDER;
    for (let round = 1; ; round++) {
      filter.block.set(block);
      await filter.run({ degree: FILTER_DEGREES[Math.min(round, FILTER_DEGREES.length) - 1], border });
      block.set(filter.block);
      const ritz = rotateToRitz(operator, block, p);
      let worst = 0;
      for (let q = 0; q < count; q++) {
        worst = Math.max(worst, ritz.residuals[q] / Math.max(1 - ritz.values[q], Number.EPSILON));
      }
      if (worst <= tolerance || round >= rounds) return slowest(ritz, n, p, count);
      border = Math.max(ritz.values[p - 1], 0);
    }
  } finally {
    await filter.close();
  }
}

function slowest({ values, block, residuals }: Ritz, n: number, p: number, count: number): SlowVectors {
  const vectors = new Float64Array(n * count);
  for (let i = 0; i < n; i++) {
    for (let q = 0; q < count; q++) vectors[i * count + q] = block[i * p + q];
  }
  turnPositive(vectors, n, count);
  return {
    values: values.slice(0, count).map((value) => 1 - value),
    vectors,
    residuals: residuals.slice(0, count),
  };
}

/** D^-1/2 · A · D^-1/2 as compressed rows, and its constant vector. */
interface Operator {
  n: number;
  offsets: Int32Array;
  targets: Int32Array;
  /** Float64Array [entries]. */
  entries: Float64Array;
  /** Float64Array [n]: the eigenvector of eigenvalue 1, √degree scaled to length 1. */
  constant: Float64Array;
}

function normalize({ n, offsets, targets, weights }: WeightedGraph): Operator {
  const constant = new Float64Array(n);
  let total = 0;
  for (let i = 0; i < n; i++) {
    let degree = 0;
    for (let x = offsets[i]; x < offsets[i + 1]; x++) degree += weights[x];
    constant[i] = Math.sqrt(degree);
    total += degree;
  }
  const entries = new Float64Array(targets.length);
  for (let i = 0; i < n; i++) {
    for (let x = offsets[i]; x < offsets[i + 1]; x++) {
      entries[x] = weights[x] / (constant[i] * constant[targets[x]]);
    }
  }
  for (let i = 0; i < n; i++) constant[i] /= Math.sqrt(total);
  return { n, offsets, targets, entries, constant };
}

function denseVectors(operator: Operator, count: number): SlowVectors {
  const { n, offsets, targets, entries, constant } = operator;
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let x = offsets[i]; x < offsets[i + 1]; x++) matrix[i * n + targets[x]] = entries[x];
    // Moves the constant vector's eigenvalue from 1 to −2, behind all others.
    for (let j = 0; j < n; j++) matrix[i * n + j] -= 3 * constant[i] * constant[j];
  }
  const eigen = symmetricEigen(matrix, n);
  const vectors = new Float64Array(n * count);
  for (let i = 0; i < n; i++) {
    for (let q = 0; q < count; q++) vectors[i * count + q] = eigen.vectors[i * n + q];
  }
  turnPositive(vectors, n, count);
  return {
    values: eigen.values.slice(0, count).map((value) => 1 - value),
    vectors,
    residuals: new Float64Array(count),
  };
}

/** Takes the constant vector, which is known, out of every column. */
function removeConstant({ n, constant }: Operator, block: Float64Array, p: number): void {
  const shares = new Float64Array(p);
  for (let i = 0; i < n; i++) {
    for (let q = 0; q < p; q++) shares[q] += constant[i] * block[i * p + q];
  }
  for (let i = 0; i < n; i++) {
    for (let q = 0; q < p; q++) block[i * p + q] -= constant[i] * shares[q];
  }
}

/** M · block. */
function multiply({ n, offsets, targets, entries }: Operator, block: Float64Array, p: number): Float64Array {
  const product = new Float64Array(block.length);
  const sum = new Float64Array(p);
  for (let i = 0; i < n; i++) {
    sum.fill(0);
    for (let x = offsets[i]; x < offsets[i + 1]; x++) {
      const entry = entries[x];
      const from = targets[x] * p;
      for (let q = 0; q < p; q++) sum[q] += entry * block[from + q];
    }
    product.set(sum, i * p);
  }
  return product;
}

interface Ritz {
  /** Float64Array [p], descending; −1 for columns that are none. */
  values: Float64Array;
  /** Float64Array [n × p]: orthonormal columns, orthogonal to the constant vector. */
  block: Float64Array;
  /** Float64Array [p]. */
  residuals: Float64Array;
}

/** Rayleigh–Ritz: the best eigenvectors that the block's span holds; they take the block's place. */
function rotateToRitz(operator: Operator, block: Float64Array, p: number): Ritz {
  const { n } = operator;
  removeConstant(operator, block, p);
  const product = multiply(operator, block, p);

  // Orthonormal basis of the span from the Gram matrix; directions that rounding made are left out.
  const gram = symmetricEigen(innerProducts(block, block, n, p), p);
  const basis = new Float64Array(p * p);
  for (let q = 0; q < p; q++) {
    const scale = gram.values[q] > 1e-13 * gram.values[0] ? 1 / Math.sqrt(gram.values[q]) : 0;
    for (let r = 0; r < p; r++) basis[r * p + q] = gram.vectors[r * p + q] * scale;
  }
  const projected = sandwich(basis, innerProducts(block, product, n, p), p);
  for (let q = 0; q < p; q++) if (!(gram.values[q] > 1e-13 * gram.values[0])) projected[q * p + q] = -1;
  const eigen = symmetricEigen(projected, p);
  const turn = matrixProduct(basis, eigen.vectors, p);

  const residuals = new Float64Array(p);
  const at = new Float64Array(p);
  const image = new Float64Array(p);
  for (let i = 0; i < n; i++) {
    at.fill(0);
    image.fill(0);
    for (let r = 0; r < p; r++) {
      const value = block[i * p + r];
      const moved = product[i * p + r];
      for (let q = 0; q < p; q++) {
        at[q] += value * turn[r * p + q];
        image[q] += moved * turn[r * p + q];
      }
    }
    for (let q = 0; q < p; q++) {
      block[i * p + q] = at[q];
      residuals[q] += (image[q] - eigen.values[q] * at[q]) ** 2;
    }
  }
  for (let q = 0; q < p; q++) residuals[q] = Math.sqrt(residuals[q]);
  return { values: eigen.values, block, residuals };
}

/** aᵀ · b, which is symmetric but for rounding: [p × p]. */
function innerProducts(a: Float64Array, b: Float64Array, n: number, p: number): Float64Array {
  const products = new Float64Array(p * p);
  for (let i = 0; i < n; i++) {
    for (let q = 0; q < p; q++) {
      const value = a[i * p + q];
      for (let r = q; r < p; r++) products[q * p + r] += value * b[i * p + r];
    }
  }
  for (let q = 0; q < p; q++) for (let r = 0; r < q; r++) products[q * p + r] = products[r * p + q];
  return products;
}

function matrixProduct(a: Float64Array, b: Float64Array, p: number): Float64Array {
  const product = new Float64Array(p * p);
  for (let q = 0; q < p; q++) {
    for (let r = 0; r < p; r++) {
      const value = a[q * p + r];
      for (let s = 0; s < p; s++) product[q * p + s] += value * b[r * p + s];
    }
  }
  return product;
}

/** basisᵀ · matrix · basis. */
function sandwich(basis: Float64Array, matrix: Float64Array, p: number): Float64Array {
  const transposed = new Float64Array(p * p);
  for (let q = 0; q < p; q++) for (let r = 0; r < p; r++) transposed[q * p + r] = basis[r * p + q];
  return matrixProduct(transposed, matrixProduct(matrix, basis, p), p);
}

/** Fixes each column's sign, which the decomposition leaves open: its largest entry becomes positive. */
function turnPositive(vectors: Float64Array, n: number, count: number): void {
  for (let q = 0; q < count; q++) {
    let largest = 0;
    for (let i = 0; i < n; i++) {
      if (Math.abs(vectors[i * count + q]) > Math.abs(largest)) largest = vectors[i * count + q];
    }
    if (largest < 0) for (let i = 0; i < n; i++) vectors[i * count + q] = -vectors[i * count + q];
  }
}
