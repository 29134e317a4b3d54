import { expect, it } from 'vitest';
import { neighborhoodQuality } from '../../pipeline/math/neighborhood-quality.ts';

const line = Float32Array.of(0, 1, 2.1, 3.3, 4.6, 6);
const options = { n: 6, d: 1, nComponents: 1, k: 1, metric: 'euclidean' } as const;

it('is 1 where a layout changes no order', () => {
  expect(
    neighborhoodQuality(
      line,
      line.map((value) => value * 3),
      options,
    ),
  ).toEqual({
    trustworthiness: 1,
    neighborsKept: 1,
  });
});

it('counts a false neighbour by its rank', () => {
  // Rows 0 and 5 change places with their neighbours: worked by hand.
  const layout = Float32Array.of(0, 10, 20.1, 30.3, 40.6, 0.5);
  // Row 0 now finds row 5 (rank 5), row 5 row 0 (rank 5), row 1 finds row 5 (9.5 away, rank 5).
  const { trustworthiness, neighborsKept } = neighborhoodQuality(line, layout, options);
  expect(trustworthiness).toBeCloseTo(1 - (2 / (6 * (12 - 3 - 1))) * (4 + 4 + 4), 12);
  expect(neighborsKept).toBeCloseTo(3 / 6, 12);
});

it('refuses neighbourhoods of half the rows and more', () => {
  expect(() => neighborhoodQuality(line, line, { ...options, k: 3 })).toThrow('below n / 2 = 3, got 3');
});
