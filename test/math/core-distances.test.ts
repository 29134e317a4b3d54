import { describe, expect, test } from 'vitest';
import type { CoreDistances } from '../../pipeline/math/core-distances.ts';
import { treePays } from '../../pipeline/math/density-search.ts';
import { buildKdTree, type KdTree, pointStart } from '../../pipeline/math/kd-tree.ts';
import { copyPoint, squaredDistanceTo } from '../../pipeline/math/nearest-places.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { finish } from '../../pipeline/math/steps.ts';
import { searches } from './density-searches.ts';

function distanceBetween(tree: KdTree, p: number, q: number): number {
  const query = new Float64Array(tree.d);
  copyPoint(tree, p, query);
  return squaredDistanceTo(tree.points, pointStart(tree, q), query, Infinity);
}

/** All distances of each point, sorted: nothing to get wrong. */
function bruteForce(tree: KdTree): Float64Array[] {
  const places = Array.from({ length: tree.n }, (_, p) => p);
  return places.map((p) => Float64Array.from(places, (q) => distanceBetween(tree, p, q)).sort());
}

const sizes = [1, 2, 7, 8, 9, 33, 250];
const sweeps = sizes.flatMap((n) =>
  [1, 2, 5, 9, 20, 45].map((d, i): [number, number, number | undefined] => [n, d, i % 2 ? 3 : undefined]),
);

describe.each(searches)('%s', (_, open) => {
  describe.each(sweeps)('%i points in %i dimensions (steps %s)', (n, d, steps) => {
    const random = createRandom(n, d);
    const points = Float64Array.from({ length: n * d }, () =>
      steps === undefined ? random.nextNormal() : random.nextBelow(steps),
    );
    const search = open(points, n, d);
    const { tree } = search;
    const distances = bruteForce(tree);

    test.each([1, 2, 5, 24])('minSamples %i equals brute force, by tree and by pairs', (minSamples) => {
      const expected = distances.map((list) => list[minSamples - 1] ?? Infinity);
      expect([...finish(search.coreDistances(minSamples)).squared]).toEqual(expected);
      expect([...finish(search.denseCoreDistances(minSamples)).squared]).toEqual(expected);
    });

    test('kept neighbours are distinct and within the core distance', () => {
      const check = ({ squared, kept, neighbours }: CoreDistances) => {
        expect(kept).toBe(Math.min(n, 5));
        for (let p = 0; p < n; p++) {
          const list = neighbours.subarray(p * kept, (p + 1) * kept);
          expect(new Set(list).size).toBe(kept);
          for (const q of list) expect(distanceBetween(tree, p, q)).toBeLessThanOrEqual(squared[p]);
        }
      };
      check(finish(search.coreDistances(5)));
      check(finish(search.denseCoreDistances(5)));
    });
  });

  test('the point itself counts: minSamples 1 makes every core distance 0', () => {
    const search = open(Float64Array.of(0, 1, 3), 3, 1);
    expect([...finish(search.coreDistances(1)).squared]).toEqual([0, 0, 0]);
    expect([...finish(search.coreDistances(2)).squared]).toEqual([1, 1, 4]);
  });

  test('more samples than points make core distances infinite', () => {
    const search = open(Float64Array.of(0, 1, 3), 3, 1);
    expect([...finish(search.coreDistances(4)).squared]).toEqual([Infinity, Infinity, Infinity]);
    expect([...finish(search.denseCoreDistances(4)).squared]).toEqual([Infinity, Infinity, Infinity]);
  });
});

describe('whether searching the tree pays', () => {
  const random = createRandom(3);
  const n = 4000;
  const d = 40;

  test('in three dimensions, and on a surface of three in forty', () => {
    const flat = Float64Array.from({ length: n * 3 }, () => random.nextNormal());
    const turn = Float64Array.from({ length: 3 * d }, () => random.nextNormal());
    const turned = Float64Array.from({ length: n * d }, (_, i) => {
      const row = Math.floor(i / d);
      const c = i % d;
      return flat[3 * row] * turn[c] + flat[3 * row + 1] * turn[d + c] + flat[3 * row + 2] * turn[2 * d + c];
    });
    expect(treePays(buildKdTree(flat, n, 3), 5)).toBe(true);
    expect(treePays(buildKdTree(turned, n, d), 5)).toBe(true);
  });

  test('not where forty dimensions are all noise', () => {
    const noise = Float64Array.from({ length: n * d }, () => random.nextNormal());
    expect(treePays(buildKdTree(noise, n, d), 5)).toBe(false);
  });
});
