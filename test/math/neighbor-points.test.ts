import { expect, it } from 'vitest';
import { rowDistance } from '../../pipeline/math/distance.ts';
import { arrangeRows, quantizeRows } from '../../pipeline/math/neighbor-points.ts';
import { createRandom, shuffled } from '../../pipeline/math/random.ts';

const [n, d, width] = [300, 13, 16];
const chosen = Int32Array.from({ length: n }, (_, i) => i);

function quantized(vectors: Float32Array, metric: 'cosine' | 'euclidean') {
  const rows = new Int16Array(n * width);
  const biases = new Int32Array(n);
  quantizeRows(vectors, { chosen, d, metric }, rows, biases, width);
  const product = (i: number, j: number): number => {
    let sum = 0;
    for (let x = 0; x < width; x++) sum += rows[i * width + x] * rows[j * width + x];
    return sum;
  };
  return { rows, biases, product };
}

it.each(['cosine', 'euclidean'] as const)('makes scores fall as %s distances rise', (metric) => {
  const random = createRandom(2);
  const vectors = Float32Array.from({ length: n * d }, () => 40 + 9 * random.nextNormal());
  const { biases, product } = quantized(vectors, metric);
  const distance = rowDistance(vectors, n, d, metric);
  const others = [...chosen.subarray(1)].sort((a, b) => distance(0, a) - distance(0, b));
  const scores = others.map((j) => product(0, j) + biases[j]);
  // Rounding may swap neighbours of almost equal distance.
  const gap = Math.abs(scores[0] - (scores.at(-1) ?? 0)) / 500;
  for (let x = 1; x < scores.length; x++) expect(scores[x]).toBeLessThan(scores[x - 1] + gap);
});

it('keeps products within 30 bits, and sums with a bias within 32', () => {
  const random = createRandom(3);
  const vectors = Float32Array.from({ length: n * d }, (_, x) => random.nextNormal() * (x < d ? 1e20 : 1));
  const { rows, biases, product } = quantized(vectors, 'euclidean');
  for (let i = 0; i < n; i++) {
    expect(product(i, i)).toBeLessThan(2 ** 30);
    expect(Math.abs(biases[i] + product(i, i) / 2)).toBeLessThan(1);
  }
  // The others are told apart all the same.
  expect(new Set(rows.subarray(width)).size).toBeGreaterThan(1000);
});

it('brings every row to its place', () => {
  const rows = Int16Array.from({ length: n * width }, (_, x) => x % 30_000);
  const biases = Int32Array.from({ length: n }, (_, i) => -i);
  const order = shuffled(n, createRandom(9));
  const expected = Array.from(order, (row) => [...rows.subarray(row * width, (row + 1) * width)]);
  arrangeRows(rows, biases, order, width);
  expect(Array.from({ length: n }, (_, i) => [...rows.subarray(i * width, (i + 1) * width)])).toEqual(
    expected,
  );
  expect(biases).toEqual(order.map((row) => -row));
});
