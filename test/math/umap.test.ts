import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Interrupted } from '../../pipeline/errors.ts';
import { normalizedMutualInformation } from '../../pipeline/evaluate/clustering-agreement.ts';
import { nearestNeighbors } from '../../pipeline/math/nearest-neighbors.ts';
import { neighborhoodQuality } from '../../pipeline/math/neighborhood-quality.ts';
import { createRandom, shuffled } from '../../pipeline/math/random.ts';
import { layout, prepareGraph, type UmapOptions, type UmapPart, umap } from '../../pipeline/math/umap.ts';
import { kMeans } from './k-means.ts';
import { pointSets } from './umap-sets.ts';

interface Figure {
  components: number;
  minDist: number;
  seed: number;
  trustworthiness: number;
  neighborsKept: number;
  /** NMI of the labels and k-means with twice as many clusters on the layout; null where there are no labels. */
  agreement: number | null;
}
const oracle: { qualityNeighbors: number; sets: Record<string, { sum: number; figures: Figure[] }> } =
  JSON.parse(readFileSync(new URL('fixtures/umap-learn.json', import.meta.url), 'utf8'));

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const usual: Omit<UmapOptions, 'n' | 'd' | 'onProgress'> = {
  nNeighbors: 15,
  nComponents: 2,
  minDist: 0.1,
  metric: 'euclidean',
  seed: 1,
  epochs: 50,
};

describe.each(['clouds', 'ring', 'topics', 'strands', 'papers', 'cube'] as const)('on %s', (name) => {
  const { n, d, metric, vectors, labels } = pointSets[name]();
  const { sum, figures } = oracle.sets[name];

  it('has the points that umap-learn was given', () => {
    expect(vectors.reduce((total, value) => total + value, 0)).toBeCloseTo(sum, 3);
  });

  it.each([5, 2])(
    'keeps neighbourhoods and groups in %i dimensions as well as umap-learn does',
    async (components) => {
      const theirs = figures.filter((figure) => figure.components === components);
      const ours = [];
      const agreements = [];
      for (const { minDist, seed } of theirs) {
        const { embedding } = await umap(vectors, {
          n,
          d,
          nNeighbors: 15,
          nComponents: components,
          minDist,
          metric,
          seed,
        });
        const k = oracle.qualityNeighbors;
        ours.push(neighborhoodQuality(vectors, embedding, { n, d, nComponents: components, k, metric }));
        if (labels === undefined) continue;
        const found = kMeans(embedding, n, components, 2 * new Set(labels).size);
        agreements.push(normalizedMutualInformation(found, labels));
      }
      // Means over three seeds; single seeds of umap-learn's lie further apart.
      expect(mean(ours.map((q) => q.trustworthiness))).toBeGreaterThan(
        mean(theirs.map((q) => q.trustworthiness)) - 0.002,
      );
      expect(mean(ours.map((q) => q.neighborsKept))).toBeGreaterThan(
        mean(theirs.map((q) => q.neighborsKept)) - 0.002,
      );
      if (labels !== undefined) {
        expect(mean(agreements)).toBeGreaterThan(mean(theirs.map((q) => q.agreement ?? NaN)) - 0.01);
      }
    },
  );
});

describe('the same bytes', () => {
  const { n, d, metric, vectors } = pointSets.topics();
  const options = { ...usual, n, d, metric, nComponents: 3 };

  it('come from the same seed, and others from another', async () => {
    const first = await umap(vectors, options);
    expect(await umap(vectors, options)).toEqual(first);
    expect(await umap(vectors, { ...options, seed: 2 })).not.toEqual(first);
  });

  it('depend on the order of the rows where that is to be kept', async () => {
    const mixed = vectors.slice();
    mixed.copyWithin(0, d);
    mixed.set(vectors.subarray(0, d), (n - 1) * d);
    const fixed = await umap(vectors, { ...options, rowOrder: 'given' });
    expect(fixed.rows).toBe(vectors);
    expect(fixed.places).toEqual(fixed.embedding);
    const turned = await umap(mixed, { ...options, rowOrder: 'given' });
    expect(turned.embedding.subarray(0, 3)).not.toEqual(fixed.embedding.subarray(3, 6));
  });

  it('come from one graph that serves two layouts as from two graphs', async () => {
    const shared = await prepareGraph(vectors, { ...options, nComponents: 2 });
    await layout(shared, { nComponents: 1, minDist: 0, epochs: 20 });
    const own = await prepareGraph(vectors, { ...options, nComponents: 2 });
    const choice = { nComponents: 2, minDist: 0.1, epochs: 50 };
    expect(await layout(shared, choice)).toEqual(await layout(own, choice));
  });

  it('come to each row whatever order rows are handed in, with neighbours found before or not', async () => {
    const { embedding } = await umap(vectors, options);
    const order = shuffled(n, createRandom(6));
    const mixed = new Float32Array(n * d);
    order.forEach((i, r) => {
      mixed.set(vectors.subarray(i * d, (i + 1) * d), r * d);
    });
    const neighbors = await nearestNeighbors(mixed, { n, d, k: 14, metric });
    for (const given of [{}, { neighbors }]) {
      const again = (await umap(mixed, { ...options, ...given })).embedding;
      order.forEach((i, r) => {
        expect(again.subarray(3 * r, 3 * r + 3)).toEqual(embedding.subarray(3 * i, 3 * i + 3));
      });
    }
  });

  it('leave the vectors as they were', async () => {
    const copy = vectors.slice();
    await umap(vectors, { ...options, epochs: 2 });
    expect(vectors).toEqual(copy);
  });
});

describe('few or strange rows', () => {
  it.each([0, 1, 2, 4, 5, 14, 15, 16])('lays %i rows out at finite places of their own', async (n) => {
    const random = createRandom(n);
    const vectors = Float32Array.from({ length: n * 4 }, () => random.nextNormal());
    const { embedding } = await umap(vectors, { ...usual, n, d: 4 });
    expect(embedding).toHaveLength(n * 2);
    expect(embedding.every(Number.isFinite)).toBe(true);
    const places = new Set(
      Array.from({ length: n }, (_, i) => `${embedding[2 * i]} ${embedding[2 * i + 1]}`),
    );
    expect(places.size).toBe(n);
  });

  it('lays equal rows out at finite places', async () => {
    const { embedding } = await umap(new Float32Array(100 * 3).fill(2), { ...usual, n: 100, d: 3 });
    expect(embedding.every(Number.isFinite)).toBe(true);
  });

  it('keeps copies together: fifty rows of four copies each', async () => {
    const random = createRandom(3);
    const vectors = new Float32Array(200 * 6);
    for (let i = 0; i < 50; i++) {
      const row = Float32Array.from({ length: 6 }, () => random.nextNormal());
      for (let copy = 0; copy < 4; copy++) vectors.set(row, (copy * 50 + i) * 6);
    }
    const { embedding } = await umap(vectors, { ...usual, n: 200, d: 6, epochs: 300 });
    const apart = (i: number, j: number): number =>
      Math.hypot(embedding[2 * i] - embedding[2 * j], embedding[2 * i + 1] - embedding[2 * j + 1]);
    let copies = 0;
    let others = 0;
    for (let i = 0; i < 50; i++) {
      for (let copy = 1; copy < 4; copy++) copies += apart(i, copy * 50 + i) / 150;
      for (let j = 0; j < i; j++) others += apart(i, j) / 1225;
    }
    expect(copies).toBeLessThan(0.2 * others);
  });

  it('gives more components than the vectors have', async () => {
    const { n, d, metric, vectors } = pointSets.handful();
    const { embedding } = await umap(vectors, { ...usual, n, d, metric, nComponents: 7 });
    expect(embedding).toHaveLength(n * 7);
    expect(embedding.every(Number.isFinite)).toBe(true);
  });

  it('keeps parts of a disconnected graph apart', async () => {
    // Three clouds, a thousand widths apart, and a pair of rows far from all.
    const random = createRandom(5);
    const [n, d] = [300, 8];
    const vectors = new Float32Array(n * d);
    for (let i = 0; i < n; i++) {
      for (let x = 0; x < d; x++) vectors[i * d + x] = random.nextNormal() + (x === i % 3 ? 1000 : 0);
    }
    const { embedding } = await umap(vectors, { ...usual, n, d, epochs: 500 });
    const centers = [0, 1, 2].map((c) => {
      const center = [0, 0];
      for (let i = c; i < n; i += 3) for (const q of [0, 1]) center[q] += embedding[2 * i + q] / 100;
      return center;
    });
    const nearestCenter = (i: number): number => {
      const distances = centers.map(([x, y]) => Math.hypot(embedding[2 * i] - x, embedding[2 * i + 1] - y));
      return distances.indexOf(Math.min(...distances));
    };
    for (let i = 0; i < n; i++) expect(nearestCenter(i)).toBe(i % 3);
  });
});

describe('options', () => {
  const { n, d, vectors } = pointSets.handful();
  it('are refused with expectation and value', async () => {
    await expect(umap(vectors, { ...usual, n, d, nNeighbors: 1 })).rejects.toThrow(
      'nNeighbors to be a whole number from 2 up, got 1',
    );
    await expect(umap(vectors, { ...usual, n, d, nComponents: 0 })).rejects.toThrow('nComponents');
    await expect(umap(vectors, { ...usual, n, d, minDist: 2 })).rejects.toThrow(
      'from 0 to spread = 1, got 2',
    );
    await expect(umap(vectors, { ...usual, n, d, epochs: 0 })).rejects.toThrow('epochs');
    await expect(umap(vectors, { ...usual, n: n + 1, d })).rejects.toThrow(
      '41 rows × 2 numbers = 82, got 80',
    );
    const neighbors = { indices: new Int32Array(3), distances: new Float32Array(3) };
    await expect(umap(vectors, { ...usual, n, d, neighbors })).rejects.toThrow(
      '40 rows × 14 neighbours = 560',
    );
    const found = await nearestNeighbors(vectors, { n, d, k: 14, metric: 'euclidean' });
    const own = { ...found, indices: found.indices.with(14, 1) };
    await expect(umap(vectors, { ...usual, n, d, neighbors: own })).rejects.toThrow(
      'neighbours of row 1 to be other rows, 0 to 39, got 1 at place 0',
    );
    const descending = { ...found, distances: found.distances.with(15, -1) };
    await expect(umap(vectors, { ...usual, n, d, neighbors: descending })).rejects.toThrow(
      'ascending in each row, got -1 in row 1 at place 1',
    );
  });

  it('tell progress up to the end, never backwards', async () => {
    const told: { done: number; part: UmapPart }[] = [];
    await umap(vectors, { ...usual, n, d, onProgress: (done, part) => told.push({ done, part }) });
    expect(told.at(-1)).toEqual({ done: 1, part: 'layout' });
    expect(told).toEqual([...told].sort((a, b) => a.done - b.done));
    expect([...new Set(told.map(({ part }) => part))]).toEqual(['neighbors', 'graph', 'start', 'layout']);
  });

  it('stop the work when the signal is aborted', async () => {
    const controller = new AbortController();
    const work = umap(vectors, {
      ...usual,
      n,
      d,
      signal: controller.signal,
      onProgress: (done) => {
        if (done > 0.6) controller.abort();
      },
    });
    await expect(work).rejects.toBeInstanceOf(Interrupted);
  });
});
