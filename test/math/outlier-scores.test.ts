import { expect, test } from 'vitest';
import { densityHierarchy } from '../../pipeline/math/hdbscan.ts';
import { outlierScores } from '../../pipeline/math/outlier-scores.ts';

function scores(values: number[], minClusterSize: number): number[] {
  const n = values.length;
  const { condensedTree } = densityHierarchy(Float64Array.from(values), {
    n,
    d: 1,
    minClusterSize,
    minSamples: 1,
  });
  return [...outlierScores(condensedTree)];
}

test('compares each row with the densest place in its group or below (worked by hand)', () => {
  expect(scores([0, 1, 10, 11, 30], 2)).toEqual([0, 0, 0, 0, Math.fround(1 - 1 / 19)]);
  expect(scores([0, 1, 3, 30, 30.5, 35], 2)).toEqual([0, 0, 0.5, 0, 0, Math.fround(1 - 0.5 / 4.5)]);
});

test('equal points score 0 and their surroundings 1', () => {
  expect(scores([4, 4, 4, 5, 9, 9, 9], 3)).toEqual([0, 0, 0, 1, 0, 0, 0]);
});

test('rows that never come together score 0', () => {
  expect(scores([3], 2)).toEqual([0]);
});
