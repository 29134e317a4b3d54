import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  adjustedRandIndex,
  normalizedMutualInformation,
} from '../../pipeline/evaluate/clustering-agreement.ts';

interface Case {
  name: string;
  a: number[];
  b: number[];
  adjustedRandIndex: number;
  normalizedMutualInformation: number;
}

const fixture: { cases: Case[] } = JSON.parse(
  readFileSync(new URL('fixtures/clustering-agreement.json', import.meta.url), 'utf8'),
);

describe.each(fixture.cases)('$name', ({ a, b, ...expected }) => {
  test('agrees with scikit-learn', () => {
    expect(adjustedRandIndex(a, b)).toBeCloseTo(expected.adjustedRandIndex, 12);
    expect(normalizedMutualInformation(a, b)).toBeCloseTo(expected.normalizedMutualInformation, 12);
  });

  test('does not depend on which side is which', () => {
    expect(adjustedRandIndex(b, a)).toBeCloseTo(adjustedRandIndex(a, b), 14);
    expect(normalizedMutualInformation(b, a)).toBeCloseTo(normalizedMutualInformation(a, b), 14);
  });
});

test('values worked by hand', () => {
  // Pairs together: 2 in a, 1 in b, 1 in both; expected 2 × 1 / 6.
  expect(adjustedRandIndex([0, 0, 1, 1], [0, 0, 1, 2])).toBeCloseTo((1 - 2 / 6) / (1.5 - 2 / 6), 14);
  // I = ln 2; H = ln 2 and 1.5 ln 2.
  expect(normalizedMutualInformation([0, 0, 1, 1], [0, 0, 1, 2])).toBeCloseTo(1 / 1.25, 14);
});

test('nothing agrees with nothing', () => {
  expect(adjustedRandIndex([], [])).toBe(1);
  expect(normalizedMutualInformation([], [])).toBe(1);
});

test('lengths must be equal', () => {
  expect(() => adjustedRandIndex([1], [1, 2])).toThrow('Expected two labels for every row, got 1 and 2.');
  expect(() => normalizedMutualInformation([1, 2], [1])).toThrow(RangeError);
});
