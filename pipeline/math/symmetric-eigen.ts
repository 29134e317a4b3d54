/** Eigenvalues and eigenvectors of small dense symmetric matrices, by Jacobi rotations. */

export interface Eigen {
  /** Float64Array [p], descending. */
  values: Float64Array;
  /** Float64Array [p × p]: column q is the vector of value q, of length 1. */
  vectors: Float64Array;
}

/** Sweeps converge quadratically; ten are enough for a few hundred rows, the rest is reserve. */
const MOST_SWEEPS = 40;

/**
 * Cyclic Jacobi (Golub & Van Loan, section 8.5). Cubic per sweep; meant for p up to some hundreds.
 *
 * @param matrix Float64Array [p × p], symmetric, finite; left as it is.
 */
export function symmetricEigen(matrix: Float64Array, p: number): Eigen {
  const a = matrix.slice();
  const v = new Float64Array(p * p);
  let scale = 0;
  for (let q = 0; q < p; q++) v[q * p + q] = 1;
  for (let x = 0; x < p * p; x++) scale += a[x] * a[x];

  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let off = 0;
    for (let i = 0; i < p; i++) for (let j = i + 1; j < p; j++) off += a[i * p + j] * a[i * p + j];
    // Squares: 1e-30 of the whole is 1e-15 in the entries, the resolution of float64.
    if (off <= 1e-30 * scale) break;
    for (let i = 0; i < p; i++) for (let j = i + 1; j < p; j++) rotate(a, v, p, i, j);
  }

  const order = Array.from({ length: p }, (_, q) => q).sort((x, y) => a[y * p + y] - a[x * p + x] || x - y);
  const values = new Float64Array(p);
  const vectors = new Float64Array(p * p);
  order.forEach((from, to) => {
    values[to] = a[from * p + from];
    for (let r = 0; r < p; r++) vectors[r * p + to] = v[r * p + from];
  });
  return { values, vectors };
}

/** Makes a[i, j] zero by a rotation of rows and columns i and j; v gathers the rotations. */
function rotate(a: Float64Array, v: Float64Array, p: number, i: number, j: number): void {
  const aij = a[i * p + j];
  if (aij === 0) return;
  const theta = (a[j * p + j] - a[i * p + i]) / (2 * aij);
  // The smaller root: rotations of at most 45° keep the sweep stable.
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let r = 0; r < p; r++) {
    const ri = a[r * p + i];
    const rj = a[r * p + j];
    a[r * p + i] = c * ri - s * rj;
    a[r * p + j] = s * ri + c * rj;
  }
  for (let r = 0; r < p; r++) {
    const ir = a[i * p + r];
    const jr = a[j * p + r];
    a[i * p + r] = c * ir - s * jr;
    a[j * p + r] = s * ir + c * jr;
    const vi = v[r * p + i];
    const vj = v[r * p + j];
    v[r * p + i] = c * vi - s * vj;
    v[r * p + j] = s * vi + c * vj;
  }
}
