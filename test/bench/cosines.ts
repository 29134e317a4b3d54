/** Compares two sets of vectors, row by row. */

/** @param a Float32Array [n × d]. @param b Likewise. @returns One per row. */
export function cosines(a: Float32Array, b: Float32Array, d: number): number[] {
  return Array.from({ length: a.length / d }, (_, i) => {
    let product = 0;
    let squaresA = 0;
    let squaresB = 0;
    for (let j = i * d; j < (i + 1) * d; j++) {
      product += a[j] * b[j];
      squaresA += a[j] * a[j];
      squaresB += b[j] * b[j];
    }
    return product / Math.sqrt(squaresA * squaresB);
  });
}

/** @param vectors Float32Array [n × d]. @returns The same less the mean row of `of`. */
export function lessMean(vectors: Float32Array, of: Float32Array, d: number): Float32Array {
  const mean = new Float64Array(d);
  for (let i = 0; i < of.length; i++) mean[i % d] += of[i] / (of.length / d);
  return vectors.map((value, i) => value - mean[i % d]);
}
