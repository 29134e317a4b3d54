import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { rowDistance } from '../../pipeline/math/distance.ts';
import type { Neighbors } from '../../pipeline/math/nearest-neighbors.ts';
import { neighborhoodQuality } from '../../pipeline/math/neighborhood-quality.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { umap } from '../../pipeline/math/umap.ts';
import { fitCurve } from '../../pipeline/math/umap-curve.ts';
import { gradientTables, paddedDimensions, placeRow, takeSnapshot } from '../../pipeline/math/umap-moves.ts';
import {
  placeNewPoints,
  prepareNewRow,
  type TransformOptions,
  transformWeights,
} from '../../pipeline/math/umap-transform.ts';
import { type PointSet, pointSets } from './umap-sets.ts';

const { transform: oracle } = JSON.parse(
  readFileSync(new URL('fixtures/umap-learn.json', import.meta.url), 'utf8'),
) as { transform: { nNeighbors: number; distances: number[]; weights: number[] } };

/** The k rows before `fitted` that are nearest to each row from there on. */
function nearestOld({ n, d, metric, vectors }: PointSet, fitted: number, k: number): Neighbors {
  const distance = rowDistance(vectors, n, d, metric);
  const count = n - fitted;
  const found: Neighbors = { indices: new Int32Array(count * k), distances: new Float32Array(count * k) };
  for (let r = 0; r < count; r++) {
    const all = Array.from({ length: fitted }, (_, j) => ({ j, distance: distance(fitted + r, j) }));
    all.sort((a, b) => a.distance - b.distance);
    for (let x = 0; x < k; x++) {
      found.indices[r * k + x] = all[x].j;
      found.distances[r * k + x] = all[x].distance;
    }
  }
  return found;
}

it('weighs neighbours as umap-learn does', () => {
  const { nNeighbors: k, distances, weights } = oracle;
  expect(distances).toHaveLength(10 * k);
  distances.forEach((_, x) => {
    const row = Math.floor(x / k);
    const ours = transformWeights(Float32Array.from(distances.slice(row * k, (row + 1) * k)));
    expect(ours[x % k]).toBeCloseTo(weights[x], 4);
  });
});

it('gives the only neighbour all the weight, and equal ones equal weights', () => {
  for (const distance of [0, 3, 1e9]) expect([...transformWeights(Float32Array.of(distance))]).toEqual([1]);
  const equal = transformWeights(new Float32Array(4).fill(2));
  expect(new Set(equal).size).toBe(1);
  expect(equal[0]).toBeGreaterThan(0);
});

describe.each(['clouds', 'topics', 'strands', 'papers'] as const)('new rows of %s', (name) => {
  const set = pointSets[name]();
  const { n, d, metric, vectors, labels = new Int32Array(n) } = set;
  const [k, nComponents, minDist, seed] = [15, 5, 0, 1];
  const fitted = Math.floor(0.8 * n);
  const count = n - fitted;
  const neighbors = nearestOld(set, fitted, k);

  it('come to lie with their own kind at least as often as the mean of their neighbours does', async () => {
    const old = vectors.subarray(0, fitted * d);
    const choice = { nComponents, minDist, seed };
    const { embedding } = await umap(old, { n: fitted, d, metric, nNeighbors: 15, ...choice });
    const placed = await placeNewPoints(embedding, neighbors, { n: fitted, count, k, ...choice });
    const means = new Float32Array(count * nComponents);
    neighbors.indices.forEach((j, x) => {
      for (let q = 0; q < nComponents; q++) {
        means[Math.floor(x / k) * nComponents + q] += embedding[j * nComponents + q] / k;
      }
    });
    const agreement = (places: Float32Array): number => {
      let agreeing = 0;
      for (let r = 0; r < count; r++) {
        let nearest = 0;
        let least = Infinity;
        for (let j = 0; j < fitted; j++) {
          let squared = 0;
          for (let q = 0; q < nComponents; q++) {
            squared += (places[r * nComponents + q] - embedding[j * nComponents + q]) ** 2;
          }
          if (squared < least) [nearest, least] = [j, squared];
        }
        if (labels[nearest] === labels[fitted + r]) agreeing++;
      }
      return agreeing / count;
    };
    expect(agreement(placed)).toBeGreaterThanOrEqual(agreement(means));

    // All rows together keep neighbourhoods nearly as well as if all had been laid out at once.
    const together = Float32Array.from([...embedding, ...placed]);
    const whole = (await umap(vectors, { n, d, metric, nNeighbors: 15, ...choice })).embedding;
    const kept = (layout: Float32Array): number =>
      neighborhoodQuality(vectors, layout, { n, d, nComponents, k, metric }).neighborsKept;
    expect(kept(together)).toBeGreaterThan(0.9 * kept(whole));
  });
});

describe('a place', () => {
  const set = pointSets.papers();
  const fitted = 900;
  const k = 10;
  const neighbors = nearestOld(set, fitted, k);
  const random = createRandom(3);
  const layoutOf = (nComponents: number): Float32Array =>
    Float32Array.from({ length: fitted * nComponents }, () => 10 * random.nextFloat());
  const optionsOf = (nComponents: number): TransformOptions => ({
    ...{ n: fitted, nComponents, count: 100, k, minDist: 0.1, seed: 4, epochs: 20 },
  });

  it('depends on no other new row: batches of any cut and order give the same', async () => {
    const layout = layoutOf(2);
    const options = optionsOf(2);
    const all = await placeNewPoints(layout, neighbors, options);
    const backwards: Neighbors = { indices: new Int32Array(100 * k), distances: new Float32Array(100 * k) };
    for (let r = 0; r < 100; r++) {
      backwards.indices.set(neighbors.indices.subarray(r * k, (r + 1) * k), (99 - r) * k);
      backwards.distances.set(neighbors.distances.subarray(r * k, (r + 1) * k), (99 - r) * k);
    }
    const turned = await placeNewPoints(layout, backwards, options);
    for (let r = 0; r < 100; r++) {
      expect(turned.subarray(2 * (99 - r), 2 * (100 - r))).toEqual(all.subarray(2 * r, 2 * r + 2));
    }
    const part = {
      indices: neighbors.indices.subarray(30 * k, 50 * k),
      distances: neighbors.distances.subarray(30 * k, 50 * k),
    };
    expect(await placeNewPoints(layout, part, { ...options, count: 20 })).toEqual(all.subarray(60, 100));
    expect(await placeNewPoints(layout, neighbors, { ...options, seed: 5 })).not.toEqual(all);
  });

  it.each([1, 2, 5, 9])(
    'of %i coordinates has the same bits by the kernel as by plain code',
    async (nComponents) => {
      const layout = layoutOf(nComponents);
      const before = layout.slice();
      const options = optionsOf(nComponents);
      const placed = await placeNewPoints(layout, neighbors, options);
      expect(layout).toEqual(before);

      const padded = paddedDimensions(nComponents);
      const positions = new Float32Array(fitted * padded);
      for (let i = 0; i < fitted; i++) {
        for (let q = 0; q < nComponents; q++) positions[i * padded + q] = layout[i * nComponents + q];
      }
      const snapshot = new Float32Array(Math.ceil(fitted / 4) * 4 * nComponents);
      takeSnapshot({ n: fitted, nComponents, positions, snapshot }, 0, Math.ceil(fitted / 4));
      const fixed = { n: fitted, nComponents, positions, snapshot, tables: gradientTables(fitCurve(0.1)) };
      for (let r = 0; r < 100; r++) {
        const { chance, ...row } = prepareNewRow(layout, neighbors, r, options);
        placeRow(fixed, row, { epochs: 20, strength: 0.25, chance });
        expect(placed.subarray(r * nComponents, (r + 1) * nComponents)).toEqual(
          row.position.subarray(0, nComponents),
        );
      }
    },
  );

  it('is asked for with arrays that fit', async () => {
    const layout = layoutOf(2);
    const options = optionsOf(2);
    const wrong = { indices: neighbors.indices.slice(), distances: neighbors.distances };
    wrong.indices[7] = 900;
    await expect(placeNewPoints(layout, wrong, options)).rejects.toThrow('rows below 900, got 900 at 7');
    await expect(placeNewPoints(layout, neighbors, { ...options, n: 899 })).rejects.toThrow(
      '899 rows × 2 = 1798 numbers, got 1800',
    );
    await expect(placeNewPoints(layout, neighbors, { ...options, count: 99 })).rejects.toThrow(
      '99 new rows × 10 neighbours = 990',
    );
    await expect(placeNewPoints(layout, neighbors, { ...options, k: 0 })).rejects.toThrow('k to be');
    await expect(placeNewPoints(layout, neighbors, { ...options, epochs: 0.5 })).rejects.toThrow('epochs');
    expect(
      await placeNewPoints(
        layout,
        { indices: new Int32Array(0), distances: new Float32Array(0) },
        { ...options, count: 0 },
      ),
    ).toHaveLength(0);
  });
});
