/** A matrix in memory, to be read as one from a database is. */

import type { Matrix, MatrixRows } from '../pipeline/contract.ts';

export function matrixRows(matrix: Matrix): Matrix & MatrixRows {
  const { n, d, values } = matrix;
  return {
    n,
    d,
    values,
    all: () => matrix,
    read: (rows) => {
      const some = new Float32Array(rows.length * d);
      rows.forEach((i, r) => {
        some.set(values.subarray(i * d, (i + 1) * d), r * d);
      });
      return { n: rows.length, d, values: some };
    },
  };
}
