import { expect, test } from 'vitest';
import { ascendingOrder } from '../../pipeline/math/radix-sort.ts';
import { createRandom } from '../../pipeline/math/random.ts';

test('sorts doubles of every magnitude, infinity last', () => {
  const values = Float64Array.of(3, Infinity, 1e-300, 0, 5e-324, 1e300, 2.5);
  expect([...ascendingOrder(values)]).toEqual([3, 4, 2, 6, 0, 5, 1]);
});

test('keeps the order of equal values', () => {
  expect([...ascendingOrder(Float64Array.of(2, 1, 2, 1, 2))]).toEqual([1, 3, 0, 2, 4]);
});

test('agrees with a comparison sort on random numbers', () => {
  const random = createRandom(1);
  const values = Float64Array.from({ length: 5000 }, () => Math.abs(random.nextNormal()) ** 5);
  const expected = [...values.keys()].sort((a, b) => values[a] - values[b]);
  expect([...ascendingOrder(values)]).toEqual(expected);
});

test('an empty list has an empty order', () => {
  expect(ascendingOrder(new Float64Array(0))).toHaveLength(0);
});
