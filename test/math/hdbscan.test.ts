import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../pipeline/errors.ts';
import { adjustedRandIndex } from '../../pipeline/evaluate/clustering-agreement.ts';
import {
  densityHierarchy,
  type HdbscanOptions,
  hdbscan,
  hdbscanWithPauses,
} from '../../pipeline/math/hdbscan.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { spanningTreeWeight } from '../../pipeline/math/spanning-tree.ts';

interface Parameters {
  min_cluster_size: number;
  min_samples?: number;
  cluster_selection_method?: 'eom' | 'leaf';
  cluster_selection_epsilon?: number;
  allow_single_cluster?: boolean;
  max_cluster_size?: number;
}

interface Expected {
  parameters: Parameters;
  ties: boolean;
  treeWeight: number;
  labels: string;
  probabilities?: number[];
  outlierScores?: number[];
  selfAgreement?: number;
}

interface PointSet {
  name: string;
  n: number;
  d: number;
  points: number[];
  results: Expected[];
}

const fixture: { sets: PointSet[] } = JSON.parse(
  readFileSync(new URL('fixtures/hdbscan.json', import.meta.url), 'utf8'),
);

function options(n: number, d: number, parameters: Parameters): HdbscanOptions {
  return {
    n,
    d,
    minClusterSize: parameters.min_cluster_size,
    minSamples: parameters.min_samples,
    clusterSelectionMethod: parameters.cluster_selection_method,
    clusterSelectionEpsilon: parameters.cluster_selection_epsilon,
    allowSingleCluster: parameters.allow_single_cluster,
    maxClusterSize: parameters.max_cluster_size,
  };
}

/** Clusters renumbered in order of their lowest row: scikit-learn numbers them by place in its hierarchy. */
function labelsByLowestRow(labels: string): number[] {
  const seen = new Map<string, number>();
  return [...labels].map((character) => {
    if (character === '.') return -1;
    const label = seen.get(character) ?? seen.size;
    seen.set(character, label);
    return label;
  });
}

function largestDifference(found: Float32Array, expected: number[]): number {
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0);
}

describe.each(fixture.sets)('$name', ({ n, d, points, results }) => {
  const values = Float32Array.from(points);

  describe.each(results)('$parameters', ({ parameters, ties, ...expected }) => {
    const found = hdbscan(values, options(n, d, parameters));

    test("the spanning tree weighs what scikit-learn's does", () => {
      const weight = spanningTreeWeight(densityHierarchy(values, options(n, d, parameters)).spanningTree);
      expect(Math.abs(weight - expected.treeWeight)).toBeLessThanOrEqual(1e-12 * expected.treeWeight);
    });

    if (ties) {
      test('labels agree as well as those of scikit-learn on other row orders', () => {
        const agreement = adjustedRandIndex(found.labels, labelsByLowestRow(expected.labels));
        expect(agreement).toBeGreaterThanOrEqual(Math.min(0.95, (expected.selfAgreement ?? 1) - 0.02));
      });
    } else {
      test('nothing ties: labels, probabilities and outlier scores are equal', () => {
        expect([...found.labels]).toEqual(labelsByLowestRow(expected.labels));
        expect(largestDifference(found.probabilities, expected.probabilities ?? [])).toBeLessThan(1e-5);
        expect(largestDifference(found.outlierScores, expected.outlierScores ?? [])).toBeLessThan(1e-5);
      });
    }
  });
});

test('the fixture has both tied and untied results on at least ten point sets', () => {
  expect(fixture.sets.length).toBeGreaterThanOrEqual(10);
  const results = fixture.sets.flatMap((set) => set.results);
  expect(results.filter(({ ties }) => ties).length).toBeGreaterThan(50);
  expect(results.filter(({ probabilities }) => probabilities !== undefined).length).toBeGreaterThan(80);
});

describe('ties', () => {
  const random = createRandom(8);
  const n = 500;
  const points = Float32Array.from(
    { length: n * 2 },
    (_, i) => (Math.floor(i / 2) % 5) * 4 + random.nextNormal(),
  );

  test.each(['eom', 'leaf'] as const)('%s: no row order changes which rows are together', (method) => {
    const setting = { n, d: 2, minClusterSize: 10, minSamples: 5, clusterSelectionMethod: method };
    const expected = hdbscan(points, setting);
    for (let round = 0; round < 5; round++) {
      const order = Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = random.nextBelow(i + 1);
        [order[i], order[j]] = [order[j], order[i]];
      }
      const shuffled = Float32Array.from({ length: n * 2 }, (_, i) => points[order[i >> 1] * 2 + (i % 2)]);
      const found = hdbscan(shuffled, setting);
      expect(
        adjustedRandIndex(
          found.labels,
          order.map((row) => expected.labels[row]),
        ),
      ).toBe(1);
      expect([...found.probabilities]).toEqual(order.map((row) => expected.probabilities[row]));
      expect([...found.outlierScores]).toEqual(order.map((row) => expected.outlierScores[row]));
    }
  });

  test('a second run gives the same bytes', () => {
    const setting = { n, d: 2, minClusterSize: 10 };
    expect(hdbscan(points, setting)).toEqual(hdbscan(points, setting));
  });
});

describe('small and degenerate input', () => {
  const allNoise = (result: { labels: Int32Array; probabilities: Float32Array }, n: number) => {
    expect([...result.labels]).toEqual(Array(n).fill(-1));
    expect([...result.probabilities]).toEqual(Array(n).fill(0));
  };

  test.each([0, 1, 2, 4])('labels every point noise when minClusterSize exceeds n = %i', (n) => {
    allNoise(
      hdbscan(
        new Float32Array(n * 3).map((_, i) => i * i),
        { n, d: 3, minClusterSize: 5 },
      ),
      n,
    );
  });

  test('labels every point noise when minSamples exceeds n', () => {
    allNoise(hdbscan(Float64Array.of(0, 0, 1, 1, 9, 9), { n: 6, d: 1, minClusterSize: 2, minSamples: 7 }), 6);
  });

  test('labels equal points noise, or one cluster where that is allowed', () => {
    const points = new Float64Array(200).fill(3);
    allNoise(hdbscan(points, { n: 100, d: 2, minClusterSize: 5 }), 100);
    const single = hdbscan(points, { n: 100, d: 2, minClusterSize: 5, allowSingleCluster: true });
    expect([...single.labels]).toEqual(Array(100).fill(0));
    expect([...single.probabilities]).toEqual(Array(100).fill(1));
  });

  test('two heaps of equal points are two clusters', () => {
    const { labels, probabilities, outlierScores } = hdbscan(
      Float64Array.from({ length: 40 }, (_, i) => i % 2),
      { n: 40, d: 1, minClusterSize: 5 },
    );
    expect([...labels]).toEqual(Array.from({ length: 40 }, (_, i) => i % 2));
    expect(new Set(probabilities)).toEqual(new Set([1]));
    expect(new Set(outlierScores)).toEqual(new Set([0]));
  });

  test('a regular grid has no clusters', () => {
    const grid = Float64Array.from({ length: 800 }, (_, i) => (i % 2 ? Math.floor(i / 40) : (i >> 1) % 20));
    allNoise(hdbscan(grid, { n: 400, d: 2, minClusterSize: 5 }), 400);
  });

  test('points of 40 dimensions are clustered too', () => {
    const random = createRandom(4);
    const points = Float32Array.from(
      { length: 200 * 40 },
      (_, i) => (Math.floor(i / 40) % 4) * 3 + random.nextNormal(),
    );
    const { labels } = hdbscan(points, { n: 200, d: 40, minClusterSize: 10 });
    expect([...labels]).toEqual(Array.from({ length: 200 }, (_, i) => i % 4));
  });
});

describe('refusals', () => {
  const setting = { n: 3, d: 2, minClusterSize: 2 };

  test.each([Number.NaN, Infinity, -Infinity])('%s is refused by row', (value) => {
    expect(() => hdbscan(Float64Array.of(0, 1, 2, 3, 4, value), setting)).toThrow(
      new RangeError(`hdbscan: expected finite coordinates, got ${value} in row 2, column 1.`),
    );
  });

  test('a length other than n × d is refused with both numbers', () => {
    expect(() => hdbscan(new Float64Array(5), setting)).toThrow(
      'hdbscan: expected n × d = 3 × 2 = 6 numbers, got 5.',
    );
  });

  test.each([
    [{ minClusterSize: 1 }, 'minClusterSize to be a whole number from 2 up, got 1'],
    [{ minClusterSize: 2.5 }, 'minClusterSize to be a whole number from 2 up, got 2.5'],
    [{ minSamples: 0 }, 'minSamples to be a whole number from 1 up, got 0'],
    [{ maxClusterSize: 0 }, 'maxClusterSize to be a whole number from 1 up, got 0'],
    [{ clusterSelectionEpsilon: -1 }, 'clusterSelectionEpsilon to be a number from 0 up, got -1'],
    [{ clusterSelectionEpsilon: Number.NaN }, 'clusterSelectionEpsilon to be a number from 0 up, got NaN'],
  ])('%j is refused', (wrong, message) => {
    expect(() => hdbscan(new Float64Array(6), { ...setting, ...wrong })).toThrow(message);
  });

  test('an aborted signal stops the work', () => {
    const signal = AbortSignal.abort();
    expect(() => hdbscan(new Float64Array(6), { ...setting, signal })).toThrow(Interrupted);
  });
});

test('progress counts the edges of the spanning tree', () => {
  const seen: [number, number][] = [];
  hdbscan(
    Float64Array.from({ length: 50 }, (_, i) => i * i),
    { n: 50, d: 1, minClusterSize: 5, onProgress: (done, total) => seen.push([done, total]) },
  );
  expect(seen.at(0)).toEqual([0, 49]);
  expect(seen.at(-1)).toEqual([49, 49]);
});

describe('with pauses', () => {
  const n = 20_000;
  const random = createRandom(6);
  const points = Float32Array.from({ length: n * 3 }, (_, i) => (i % 7) * 5 + random.nextNormal());
  const setting = { n, d: 3, minClusterSize: 15 };

  test('the result is the same', async () => {
    expect(await hdbscanWithPauses(points, setting)).toEqual(hdbscan(points, setting));
  });

  test('a signal that comes while it works stops it', async () => {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    const setting5 = { ...setting, minSamples: 200, signal: controller.signal };
    await expect(hdbscanWithPauses(points, setting5)).rejects.toThrow(Interrupted);
  });
});
