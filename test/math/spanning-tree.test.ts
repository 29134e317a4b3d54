import { describe, expect, test } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import { type SpanningTree, spanningTreeWeight } from '../../pipeline/math/spanning-tree.ts';
import { finish } from '../../pipeline/math/steps.ts';
import { createUnionFind } from '../../pipeline/math/union-find.ts';
import { searches } from './density-searches.ts';

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

describe.each(searches)('%s', (_, open) => {
  /** Both ways to a tree. */
  const trees = (values: Float64Array, n: number, d: number, minSamples: number): SpanningTree[] => {
    const search = open(values, n, d);
    const core = finish(search.coreDistances(minSamples));
    return [finish(search.boruvka(core)), finish(search.prim(core))];
  };

  describe.each(sweeps)('%s: %i points in %i dimensions', (shape, n, d) => {
    const values = points(shape, n, d);

    test.each([1, 2, 5, 20].filter((k) => k <= n))('minSamples %i: both span at the least weight', (k) => {
      const expected = allPairsWeight(values, n, d, k);
      for (const tree of trees(values, n, d, k)) {
        expectSpanning(tree, n);
        expect(Math.abs(spanningTreeWeight(tree) - expected)).toBeLessThanOrEqual(1e-12 * expected);
      }
    });
  });

  test('both ways agree on 2,000 points with noise between the clumps, edge by edge in weight', () => {
    const random = createRandom(5);
    const n = 2000;
    const d = 4;
    const values = Float64Array.from({ length: n * d }, (_, i) =>
      Math.floor(i / d) % 10 === 0
        ? 30 * random.nextFloat()
        : (Math.floor(i / d) % 7) * 4 + random.nextNormal(),
    );
    for (const minSamples of [1, 5, 40]) {
      const [boruvka, prim] = trees(values, n, d, minSamples);
      expectSpanning(boruvka, n);
      expect(boruvka.weight).toEqual(prim.weight);
    }
  });

  test('infinite core distances give infinite edges', () => {
    for (const tree of trees(Float64Array.of(0, 1, 2, 5), 4, 1, 9)) {
      expectSpanning(tree, 4);
      expect([...tree.weight]).toEqual([Infinity, Infinity, Infinity]);
    }
  });

  test('distances whose squares overflow join last', () => {
    for (const tree of trees(Float64Array.of(-1e200, -1e200, 0, 1, 1e200), 5, 1, 1)) {
      expectSpanning(tree, 5);
      expect([...tree.weight]).toEqual([0, 1, Infinity, Infinity]);
    }
  });

  test('steps never go back and end at n − 1 edges', () => {
    const search = open(points('normal', 300, 3), 300, 3);
    const core = finish(search.coreDistances(5));
    const seen: number[] = [];
    finish(search.boruvka(core), { onStep: (edges) => seen.push(edges) });
    expect(seen.at(-1)).toBe(299);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});

test('typed arrays and WebAssembly give equal weights, edge by edge', () => {
  for (const [d, minSamples] of [
    [2, 1],
    [5, 5],
    [17, 15],
    [40, 3],
  ]) {
    const values = points('clumps', 700, d);
    const weights = searches.flatMap(([, open]) => {
      const search = open(values, 700, d);
      const core = finish(search.denseCoreDistances(minSamples));
      return [finish(search.boruvka(core)).weight, finish(search.prim(core)).weight];
    });
    for (const weight of weights) expect(weight).toEqual(weights[0]);
  }
});
