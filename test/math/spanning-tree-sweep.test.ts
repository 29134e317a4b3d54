import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { densityHierarchy } from '../../pipeline/math/hdbscan.ts';
import { spanningTreeWeight } from '../../pipeline/math/spanning-tree.ts';

// Expected weights are scikit-learn's: test/oracle/spanning-trees.py, whose points are made again here.

interface Case {
  shape: 'even' | 'clumps' | 'steps' | 'plane';
  n: number;
  d: number;
  seed: number;
  weights: number[];
}

const fixture: { minSamples: number[]; cases: Case[] } = JSON.parse(
  readFileSync(new URL('fixtures/spanning-trees.json', import.meta.url), 'utf8'),
);

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 12) / 1024;
  };
}

function points({ shape, n, d, seed }: Case): Float64Array {
  const draw = generator(seed);
  const list = (length: number, value: () => number) => Array.from({ length }, value);
  if (shape === 'even') return Float64Array.from({ length: n * d }, draw);
  if (shape === 'steps') return Float64Array.from({ length: n * d }, () => Math.floor(draw()) % 4);
  if (shape === 'clumps') {
    const centers = list(7 * d, () => 64 * draw());
    return Float64Array.from(
      { length: n * d },
      (_, i) => centers[(Math.floor(i / d) % 7) * d + (i % d)] + draw(),
    );
  }
  const turn = list(2 * d, () => (Math.floor(draw()) % 9) - 4);
  const places = list(2 * n, draw);
  return Float64Array.from({ length: n * d }, (_, i) => {
    const row = Math.floor(i / d);
    return places[2 * row] * turn[i % d] + places[2 * row + 1] * turn[d + (i % d)];
  });
}

describe.each(fixture.cases)('$shape, $n points in $d dimensions', (one) => {
  const { n, d, weights } = one;
  const values = points(one);

  test.each(fixture.minSamples.map((minSamples, i): [number, number] => [minSamples, weights[i]]))(
    "minSamples %i: the tree weighs what scikit-learn's does",
    (minSamples, expected) => {
      const { spanningTree } = densityHierarchy(values, { n, d, minClusterSize: 5, minSamples });
      expect(Math.abs(spanningTreeWeight(spanningTree) - expected)).toBeLessThanOrEqual(1e-12 * expected);
    },
  );
});

test('the sweep covers four shapes, one to sixty dimensions, ties and none', () => {
  expect(new Set(fixture.cases.map(({ shape }) => shape)).size).toBe(4);
  expect(new Set(fixture.cases.map(({ d }) => d)).size).toBe(9);
  expect(fixture.cases.flatMap(({ weights }) => weights).every((weight) => weight > 0)).toBe(true);
});
