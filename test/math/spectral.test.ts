import { expect, it } from 'vitest';
import type { WeightedGraph } from '../../pipeline/math/fuzzy-graph.ts';
import { slowVectors } from '../../pipeline/math/spectral.ts';

/** Rows in a circle, each tied to its two neighbours. */
function circle(n: number): WeightedGraph {
  const targets = new Int32Array(2 * n);
  for (let i = 0; i < n; i++) {
    const pair = [(i + n - 1) % n, (i + 1) % n].sort((a, b) => a - b);
    targets.set(pair, 2 * i);
  }
  return {
    n,
    offsets: Int32Array.from({ length: n + 1 }, (_, i) => 2 * i),
    targets,
    weights: new Float32Array(2 * n).fill(0.5),
  };
}

it.each([12, 400])('finds the known eigenvalues of a circle of %i rows', (n) => {
  const { values, residuals } = slowVectors(circle(n), { count: 4, seed: 1, tolerance: 1e-3, rounds: 60 });
  [1, 1, 2, 2].forEach((wave, q) => {
    expect(values[q]).toBeCloseTo(1 - Math.cos((2 * Math.PI * wave) / n), 6);
    expect(residuals[q]).toBeLessThan(1e-4);
  });
});

it('gives orthonormal vectors that satisfy the eigenvalue equation', () => {
  const n = 300;
  const count = 3;
  const { values, vectors } = slowVectors(circle(n), { count, seed: 1, tolerance: 1e-4, rounds: 100 });
  for (let q = 0; q < count; q++) {
    for (let r = 0; r <= q; r++) {
      let product = 0;
      for (let i = 0; i < n; i++) product += vectors[i * count + q] * vectors[i * count + r];
      expect(product).toBeCloseTo(q === r ? 1 : 0, 9);
    }
    for (let i = 0; i < n; i++) {
      const [before, after] = [(i + n - 1) % n, (i + 1) % n];
      const image = vectors[i * count + q] - (vectors[before * count + q] + vectors[after * count + q]) / 2;
      expect(image).toBeCloseTo(values[q] * vectors[i * count + q], 6);
    }
  }
});

it('gives the same bytes every time', () => {
  const options = { count: 3, seed: 7 };
  expect(slowVectors(circle(500), options)).toEqual(slowVectors(circle(500), options));
});

it('refuses as many vectors as rows', () => {
  expect(() => slowVectors(circle(5), { count: 5, seed: 1 })).toThrow('from 1 to n − 1 = 4, got 5');
});
