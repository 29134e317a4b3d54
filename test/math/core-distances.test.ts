import { describe, expect, test } from 'vitest';
import { type CoreDistances, coreDistances, denseCoreDistances } from '../../pipeline/math/core-distances.ts';
import { buildKdTree, type KdTree } from '../../pipeline/math/kd-tree.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { squaredDistance } from '../../pipeline/math/squared-distance.ts';

/** Sorts all distances of each point: nothing to get wrong. */
function bruteForce(tree: KdTree, minSamples: number): Float64Array {
  const { n, d, points } = tree;
  return Float64Array.from({ length: n }, (_, p) => {
    const distances = Array.from({ length: n }, (_, q) =>
      squaredDistance(points, p * d, points, q * d, d, Infinity),
    );
    return distances.sort((a, b) => a - b)[minSamples - 1] ?? Infinity;
  });
}

const sizes = [1, 2, 7, 8, 9, 33, 250];
const sweeps = sizes.flatMap((n) =>
  [1, 2, 5, 9, 20, 45].map((d, i): [number, number, number | undefined] => [n, d, i % 2 ? 3 : undefined]),
);

describe.each(sweeps)('%i points in %i dimensions (steps %s)', (n, d, steps) => {
  const random = createRandom(n, d);
  const points = Float64Array.from({ length: n * d }, () =>
    steps === undefined ? random.nextNormal() : random.nextBelow(steps),
  );
  const tree = buildKdTree(points, n, d);

  test.each([1, 2, 5, 24])('minSamples %i equals brute force, by tree and by pairs', (minSamples) => {
    const expected = bruteForce(tree, minSamples);
    expect(coreDistances(tree, minSamples).squared).toEqual(expected);
    expect(denseCoreDistances(tree, minSamples).squared).toEqual(expected);
  });

  test('kept neighbours are distinct and within the core distance', () => {
    const check = ({ squared, kept, neighbours }: CoreDistances) => {
      expect(kept).toBe(Math.min(n, 5));
      for (let p = 0; p < n; p++) {
        const list = neighbours.subarray(p * kept, (p + 1) * kept);
        expect(new Set(list).size).toBe(kept);
        for (const q of list) {
          expect(squaredDistance(tree.points, p * d, tree.points, q * d, d, Infinity)).toBeLessThanOrEqual(
            squared[p],
          );
        }
      }
    };
    check(coreDistances(tree, 5));
    check(denseCoreDistances(tree, 5));
  });
});

test('the point itself counts: minSamples 1 makes every core distance 0', () => {
  const tree = buildKdTree(Float64Array.of(0, 1, 3), 3, 1);
  expect([...coreDistances(tree, 1).squared]).toEqual([0, 0, 0]);
  expect([...coreDistances(tree, 2).squared]).toEqual([1, 1, 4]);
});

test('more samples than points make core distances infinite', () => {
  const tree = buildKdTree(Float64Array.of(0, 1, 3), 3, 1);
  expect([...coreDistances(tree, 4).squared]).toEqual([Infinity, Infinity, Infinity]);
  expect([...denseCoreDistances(tree, 4).squared]).toEqual([Infinity, Infinity, Infinity]);
});
