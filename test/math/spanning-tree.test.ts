import { describe, expect, test } from 'vitest';
import { coreDistances } from '../../pipeline/math/core-distances.ts';
import { buildKdTree } from '../../pipeline/math/kd-tree.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import {
  boruvkaSpanningTree,
  primSpanningTree,
  type SpanningTree,
  spanningTreeWeight,
} from '../../pipeline/math/spanning-tree.ts';
import { createUnionFind } from '../../pipeline/math/union-find.ts';

type Shape = 'normal' | 'clumps' | 'few values' | 'all equal';

function points(shape: Shape, n: number, d: number): Float64Array {
  const random = createRandom(n, d);
  return Float64Array.from({ length: n * d }, (_, i) => {
    if (shape === 'few values') return random.nextBelow(4);
    if (shape === 'all equal') return 2.5;
    const clump = shape === 'clumps' ? (Math.floor(i / d) % 5) * 20 : 0;
    return clump + random.nextNormal();
  });
}

/** Kruskal over all pairs, in rows: slow and plain. */
function allPairsWeight(values: Float64Array, n: number, d: number, minSamples: number): number {
  const distance = (i: number, j: number) => {
    let sum = 0;
    for (let c = 0; c < d; c++) sum += (values[i * d + c] - values[j * d + c]) ** 2;
    return Math.sqrt(sum);
  };
  const rows = Array.from({ length: n }, (_, i) => i);
  const core = rows.map((i) => rows.map((j) => distance(i, j)).sort((a, b) => a - b)[minSamples - 1]);
  const edges = rows.flatMap((i) =>
    rows.slice(i + 1).map((j) => ({ i, j, weight: Math.max(core[i], core[j], distance(i, j)) })),
  );
  edges.sort((a, b) => a.weight - b.weight);
  const sets = createUnionFind(n);
  let total = 0;
  for (const { i, j, weight } of edges) if (sets.union(i, j)) total += weight;
  return total;
}

function expectSpanning(tree: SpanningTree, n: number): void {
  expect(tree.weight).toHaveLength(Math.max(0, n - 1));
  const sets = createUnionFind(n);
  for (let e = 0; e < tree.weight.length; e++) {
    expect(tree.from[e]).toBeLessThan(tree.to[e]);
    expect(sets.union(tree.from[e], tree.to[e])).toBe(true);
    if (e > 0) expect(tree.weight[e]).toBeGreaterThanOrEqual(tree.weight[e - 1]);
  }
}

const shapes: Shape[] = ['normal', 'clumps', 'few values', 'all equal'];
const sweeps = shapes.flatMap((shape) =>
  [1, 2, 10, 60, 150].flatMap((n) => [1, 3, 8, 20].map((d): [Shape, number, number] => [shape, n, d])),
);

describe.each(sweeps)('%s: %i points in %i dimensions', (shape, n, d) => {
  const values = points(shape, n, d);
  const kdTree = buildKdTree(values, n, d);

  test.each([1, 2, 5, 20].filter((k) => k <= n))('minSamples %i: both ways span at the least weight', (k) => {
    const core = coreDistances(kdTree, k);
    const expected = allPairsWeight(values, n, d, k);
    for (const tree of [boruvkaSpanningTree(kdTree, core), primSpanningTree(kdTree, core)]) {
      expectSpanning(tree, n);
      expect(Math.abs(spanningTreeWeight(tree) - expected)).toBeLessThanOrEqual(1e-12 * expected);
    }
  });
});

test('both ways agree on 5,000 points with noise between the clumps', () => {
  const random = createRandom(5);
  const n = 5000;
  const d = 4;
  const values = Float64Array.from({ length: n * d }, (_, i) =>
    Math.floor(i / d) % 10 === 0
      ? 30 * random.nextFloat()
      : (Math.floor(i / d) % 7) * 4 + random.nextNormal(),
  );
  const kdTree = buildKdTree(values, n, d);
  for (const minSamples of [1, 5, 40]) {
    const core = coreDistances(kdTree, minSamples);
    const expected = spanningTreeWeight(primSpanningTree(kdTree, core));
    const weight = spanningTreeWeight(boruvkaSpanningTree(kdTree, core));
    expect(Math.abs(weight / expected - 1)).toBeLessThan(1e-12);
  }
});

test('infinite core distances give infinite edges', () => {
  const kdTree = buildKdTree(Float64Array.of(0, 1, 2, 5), 4, 1);
  const core = coreDistances(kdTree, 9);
  for (const tree of [boruvkaSpanningTree(kdTree, core), primSpanningTree(kdTree, core)]) {
    expectSpanning(tree, 4);
    expect([...tree.weight]).toEqual([Infinity, Infinity, Infinity]);
  }
});

test('distances whose squares overflow join last', () => {
  const kdTree = buildKdTree(Float64Array.of(-1e200, -1e200, 0, 1, 1e200), 5, 1);
  const core = coreDistances(kdTree, 1);
  for (const tree of [boruvkaSpanningTree(kdTree, core), primSpanningTree(kdTree, core)]) {
    expectSpanning(tree, 5);
    expect([...tree.weight]).toEqual([0, 1, Infinity, Infinity]);
  }
});

test('progress never goes back and ends at n − 1 edges', () => {
  const kdTree = buildKdTree(points('normal', 300, 3), 300, 3);
  const seen: number[] = [];
  boruvkaSpanningTree(kdTree, coreDistances(kdTree, 5), (edges) => seen.push(edges));
  expect(seen.at(-1)).toBe(299);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});
