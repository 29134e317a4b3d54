import { expect, it } from 'vitest';
import { contentOrder, hashOf } from '../../pipeline/math/content-order.ts';
import { createRandom, shuffled } from '../../pipeline/math/random.ts';

it('hashes words as an implementation in another language does', () => {
  expect(hashOf(Int32Array.of(0x74736574), 0, 1)).toBe(3840587467);
  expect(hashOf(Int32Array.of(9, 1, 2, 3), 1, 3)).toBe(3845774013);
});

it('puts rows in the same order wherever they stood', () => {
  const [n, d] = [200, 3];
  const random = createRandom(1);
  const vectors = Float32Array.from({ length: n * d }, () => random.nextNormal());
  const mixing = shuffled(n, random);
  const mixed = new Float32Array(n * d);
  mixing.forEach((i, r) => {
    mixed.set(vectors.subarray(i * d, (i + 1) * d), r * d);
  });
  const order = contentOrder(vectors, n, d);
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
  expect([...contentOrder(mixed, n, d)].map((r) => mixing[r])).toEqual([...order]);
});

it('leaves equal rows in the order they came in', () => {
  const order = [...contentOrder(Float32Array.of(1, 2, 1, 2, 1), 5, 1)];
  expect(order.filter((i) => i % 2 === 0)).toEqual([0, 2, 4]);
  expect(order.filter((i) => i % 2 === 1)).toEqual([1, 3]);
});
