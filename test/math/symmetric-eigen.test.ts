import { expect, it } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import { symmetricEigen } from '../../pipeline/math/symmetric-eigen.ts';

it('decomposes a matrix worked by hand', () => {
  const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
  expect(values[0]).toBeCloseTo(3, 12);
  expect(values[1]).toBeCloseTo(1, 12);
  expect(vectors[0] / vectors[2]).toBeCloseTo(1, 12);
  expect(vectors[1] / vectors[3]).toBeCloseTo(-1, 12);
});

it('puts a random matrix together again from values in falling order', () => {
  const p = 30;
  const random = createRandom(2);
  const matrix = new Float64Array(p * p);
  for (let i = 0; i < p; i++) {
    for (let j = 0; j <= i; j++) matrix[i * p + j] = matrix[j * p + i] = random.nextNormal();
  }
  const { values, vectors } = symmetricEigen(matrix, p);
  expect([...values]).toEqual([...values].sort((a, b) => b - a));
  for (let i = 0; i < p; i++) {
    for (let j = 0; j < p; j++) {
      let sum = 0;
      for (let q = 0; q < p; q++) sum += vectors[i * p + q] * values[q] * vectors[j * p + q];
      expect(sum).toBeCloseTo(matrix[i * p + j], 10);
    }
  }
});
