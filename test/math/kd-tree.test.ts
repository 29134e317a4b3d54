import { describe, expect, test } from 'vitest';
import { buildKdTree, squaredDistanceToBox } from '../../pipeline/math/kd-tree.ts';
import { createRandom } from '../../pipeline/math/random.ts';

function randomPoints(n: number, d: number, seed: number, steps?: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: n * d }, () =>
    steps === undefined ? random.nextNormal() : random.nextBelow(steps),
  );
}

describe.each([
  ['no points', 0, 2, undefined],
  ['one point', 1, 3, undefined],
  ['a full leaf', 8, 2, undefined],
  ['one more than a leaf', 9, 2, undefined],
  ['many points', 1000, 5, undefined],
  ['duplicates', 700, 3, 2],
  ['all equal', 300, 2, 1],
])('a tree over %s', (_, n, d, steps) => {
  const points = randomPoints(n, d, 17, steps);
  const tree = buildKdTree(points, n, d);

  test('holds every row once, its coordinates beside it', () => {
    expect([...tree.rows].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    for (let p = 0; p < n; p++) {
      for (let c = 0; c < d; c++) expect(tree.points[p * d + c]).toBe(points[tree.rows[p] * d + c]);
    }
  });

  test('splits each inner node between its children and stops at eight points', () => {
    expect([tree.start[0], tree.end[0]]).toEqual([0, n]);
    for (let node = 0; node < tree.nodes; node++) {
      const right = tree.right[node];
      if (right === 0) {
        expect(tree.end[node] - tree.start[node]).toBeLessThanOrEqual(8);
        continue;
      }
      expect(tree.start[node + 1]).toBe(tree.start[node]);
      expect(tree.end[node + 1]).toBe(tree.start[right]);
      expect(tree.end[right]).toBe(tree.end[node]);
    }
  });

  test('draws the tightest box around each node', () => {
    for (let node = 0; node < tree.nodes; node++) {
      for (let c = 0; c < d; c++) {
        const side: number[] = [];
        for (let p = tree.start[node]; p < tree.end[node]; p++) side.push(tree.points[p * d + c]);
        expect(tree.low[node * d + c]).toBe(side.reduce((a, b) => Math.min(a, b), Infinity));
        expect(tree.high[node * d + c]).toBe(side.reduce((a, b) => Math.max(a, b), -Infinity));
      }
    }
  });
});

test('the distance to a box is 0 inside and that to its nearest corner or side outside', () => {
  const tree = buildKdTree(Float64Array.of(0, 0, 2, 1), 2, 2);
  const distanceFrom = (x: number, y: number) =>
    squaredDistanceToBox(tree, 0, Float64Array.of(x, y), 0, Infinity);
  expect(distanceFrom(1, 0.5)).toBe(0);
  expect(distanceFrom(1, 4)).toBe(9);
  expect(distanceFrom(-3, -4)).toBe(25);
  expect(distanceFrom(5, 5)).toBe(25);
});
