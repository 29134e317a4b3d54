import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fitCurve } from '../../pipeline/math/umap-curve.ts';

const { curves }: { curves: { minDist: number; spread: number; a: number; b: number }[] } = JSON.parse(
  readFileSync(new URL('fixtures/umap-learn.json', import.meta.url), 'utf8'),
);

it.each(curves)('fits a and b as umap-learn does for min_dist $minDist, spread $spread', (expected) => {
  const { a, b } = fitCurve(expected.minDist, expected.spread);
  expect(a).toBeCloseTo(expected.a, 4);
  expect(b).toBeCloseTo(expected.b, 4);
});

it('scales with spread, however small', () => {
  const { a, b } = fitCurve(0.001, 0.01);
  const whole = fitCurve(0.1, 1);
  expect(b).toBeCloseTo(whole.b, 9);
  expect(a * 0.01 ** (2 * b)).toBeCloseTo(whole.a, 9);
});

it.each([
  [-0.1, 1, 'minDist to be from 0 to spread = 1, got -0.1'],
  [1.5, 1, 'got 1.5'],
  [NaN, 1, 'got NaN'],
  [0, 0, 'spread to be a number above 0, got 0'],
])('refuses min_dist %d with spread %d', (minDist, spread, message) => {
  expect(() => fitCurve(minDist, spread)).toThrow(message);
});
