import { expect, it } from 'vitest';
import { principalComponents } from '../../pipeline/math/principal-components.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { symmetricEigen } from '../../pipeline/math/symmetric-eigen.ts';

const [n, d, count] = [500, 40, 3];
const random = createRandom(1);
/** Axis x varies by 10 / (1 + x), about a centre far from zero. */
const vectors = Float32Array.from(
  { length: n * d },
  (_, at) => 100 + (random.nextNormal() * 10) / (1 + (at % d)),
);

it('has the variances of the covariance matrix', () => {
  const scores = principalComponents(vectors, { n, d, count, metric: 'euclidean', seed: 1 });
  const covariance = new Float64Array(d * d);
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let x = 0; x < d; x++) mean[x] += vectors[i * d + x] / n;
  for (let i = 0; i < n; i++) {
    for (let x = 0; x < d; x++) {
      for (let y = 0; y < d; y++) {
        covariance[x * d + y] += (vectors[i * d + x] - mean[x]) * (vectors[i * d + y] - mean[y]);
      }
    }
  }
  const { values } = symmetricEigen(covariance, d);
  for (let q = 0; q < count; q++) {
    let variance = 0;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      variance += scores[i * count + q] ** 2;
      sum += scores[i * count + q];
    }
    expect(variance / values[q]).toBeCloseTo(1, 3);
    expect(Math.abs(sum / n)).toBeLessThan(1e-4);
  }
});

it('does not see lengths under cosine', () => {
  const scaled = vectors.map((value, at) => value * (1 + (Math.floor(at / d) % 4)));
  const options = { n, d, count, metric: 'cosine', seed: 1 } as const;
  const [a, b] = [principalComponents(vectors, options), principalComponents(scaled, options)];
  a.forEach((value, x) => {
    expect(b[x]).toBeCloseTo(value, 5);
  });
});

it('fills axes that the rows do not have with zeros', () => {
  const scores = principalComponents(Float32Array.of(1, 2, 4), {
    n: 3,
    d: 1,
    count: 3,
    metric: 'euclidean',
    seed: 1,
  });
  for (let i = 0; i < 3; i++) {
    expect(scores[3 * i]).toBeCloseTo([1, 2, 4][i] - 7 / 3, 5);
    expect([...scores.subarray(3 * i + 1, 3 * i + 3)]).toEqual([0, 0]);
  }
});

it('places equal rows at zero', () => {
  const scores = principalComponents(new Float32Array(20).fill(3), {
    n: 10,
    d: 2,
    count: 2,
    metric: 'euclidean',
    seed: 1,
  });
  expect(scores.every((value) => value === 0)).toBe(true);
});
