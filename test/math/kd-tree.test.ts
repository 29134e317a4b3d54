import { describe, expect, test } from 'vitest';
import { buildKdTree, childBoxes, pointStart, squaredDistanceToChild } from '../../pipeline/math/kd-tree.ts';
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

  const coordinate = (place: number, c: number) => tree.points[pointStart(tree, place) + 8 * c];

  test('holds every row once, its coordinates at its place, and infinity past the last', () => {
    expect([...tree.rows].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    for (let place = 0; place < tree.points.length / d; place++) {
      for (let c = 0; c < d; c++) {
        expect(coordinate(place, c)).toBe(place < n ? points[tree.rows[place] * d + c] : Infinity);
      }
    }
  });

  test('splits each inner node between its children; leaves are full but for the last', () => {
    expect([tree.start[0], tree.end[0]]).toEqual([0, n]);
    expect(tree.nodes).toBe(Math.max(1, 2 * Math.ceil(n / 8) - 1));
    for (let node = 0; node < tree.nodes; node++) {
      const right = tree.right[node];
      if (right === 0) {
        expect(tree.start[node] % 8).toBe(0);
        expect(tree.end[node]).toBe(Math.min(n, tree.start[node] + 8));
        continue;
      }
      expect(tree.start[node + 1]).toBe(tree.start[node]);
      expect(tree.end[node + 1]).toBe(tree.start[right]);
      expect(tree.end[right]).toBe(tree.end[node]);
    }
  });

  test('draws the tightest box around each child', () => {
    const inner = [...tree.right.keys()].filter((node) => tree.right[node] > 0);
    expect(inner.map((node) => childBoxes(tree, node))).toEqual(inner.map((_, i) => i * 4 * d));
    for (const node of inner) {
      for (const [side, child] of [node + 1, tree.right[node]].entries()) {
        for (let c = 0; c < d; c++) {
          const values: number[] = [];
          for (let p = tree.start[child]; p < tree.end[child]; p++) values.push(coordinate(p, c));
          const box = childBoxes(tree, node) + 4 * c + side;
          expect(tree.boxes[box]).toBe(Math.min(...values));
          expect(tree.boxes[box + 2]).toBe(Math.max(...values));
        }
      }
    }
  });
});

test('the distance to a box is 0 inside and that to its nearest corner or side outside', () => {
  // The right child holds the last two of ten: (20, 0) and (22, 1).
  const tree = buildKdTree(
    Float64Array.from({ length: 20 }, (_, i) => (i < 16 ? i % 2 : [20, 0, 22, 1][i - 16])),
    10,
    2,
  );
  const distanceFrom = (x: number, y: number) => squaredDistanceToChild(tree, 0, 1, Float64Array.of(x, y));
  expect(distanceFrom(21, 0.5)).toBe(0);
  expect(distanceFrom(21, 4)).toBe(9);
  expect(distanceFrom(17, -4)).toBe(25);
  expect(distanceFrom(25, 5)).toBe(25);
});
