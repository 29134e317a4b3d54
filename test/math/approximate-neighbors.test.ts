import { beforeAll, describe, expect, it } from 'vitest';
import { Interrupted } from '../../pipeline/errors.ts';
import {
  type ApproximateNeighbors,
  type ApproximateOptions,
  approximateNeighbors,
} from '../../pipeline/math/approximate-neighbors.ts';
import { rowDistance } from '../../pipeline/math/distance.ts';
import { type Neighbors, nearestNeighbors } from '../../pipeline/math/nearest-neighbors.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { nearestNeighbors as exactly } from '../../pipeline/model/exact-neighbors.ts';
import { documentVectors } from '../bench/synthetic-points.ts';

/** No multiples of anything. */
const [n, d, k] = [6007, 45, 15];
const { points } = documentVectors(n, d, 3);
const options = { n, d, k, metric: 'cosine' } as const;

async function search(vectors: Float32Array, choice: ApproximateOptions): Promise<ApproximateNeighbors> {
  const found = await approximateNeighbors(vectors, choice);
  if (found === null) throw new Error('The search ended early.');
  return found;
}

/** Share of the true neighbours that were found. */
function recallOf(found: Neighbors, truth: Neighbors, width: number): number {
  let common = 0;
  for (let start = 0; start < truth.indices.length; start += width) {
    const row = new Set(found.indices.subarray(start, start + width));
    for (const other of truth.indices.subarray(start, start + width)) if (row.has(other)) common++;
  }
  return common / truth.indices.length;
}

describe.each(['cosine', 'euclidean'] as const)('by %s distance', (metric) => {
  let found: ApproximateNeighbors;
  let truth: Neighbors;
  // Lengths differ, so that the two metrics do.
  const random = createRandom(5);
  const scales = Float32Array.from({ length: n }, () => 1 + random.nextFloat());
  const vectors = points.map((value, x) => 7 + value * 3 * scales[Math.floor(x / d)]);

  beforeAll(async () => {
    found = await search(vectors, { ...options, metric });
    truth = await exactly(vectors, { ...options, metric });
  });

  it('finds at least 97 of 100 neighbours, and knows how many', () => {
    const recall = recallOf(found, truth, k);
    expect(recall).toBeGreaterThan(0.97);
    expect(Math.abs(found.recall - recall)).toBeLessThan(0.015);
  });

  it('gives true distances, ascending, ties to the lower index, never the row itself', () => {
    const distance = rowDistance(vectors, n, d, metric);
    const wrong: number[] = [];
    for (let i = 0; i < n; i++) {
      let [before, beforeDistance] = [-1, -1];
      for (let x = i * k; x < (i + 1) * k; x++) {
        const other = found.indices[x];
        const here = distance(i, other);
        const isAfter = beforeDistance < here || (beforeDistance === here && before < other);
        if (other === i || !isAfter || found.distances[x] !== Math.fround(here)) wrong.push(i);
        [before, beforeDistance] = [other, here];
      }
    }
    expect(wrong).toEqual([]);
  });
});

it('gives equal bytes with any number of threads, in shared memory or not', async () => {
  const alone = await search(points, options);
  const shared = new Float32Array(new SharedArrayBuffer(points.byteLength));
  shared.set(points);
  expect(await search(points, { ...options, threads: 3 })).toEqual(alone);
  expect(await search(shared, { ...options, threads: 2 })).toEqual(alone);
  expect(await search(shared, options)).toEqual(alone);
});

it('gives the bytes of the plain kernel', async () => {
  const few = 1600;
  const vectors = points.subarray(0, few * d);
  const choice = { ...options, n: few };
  expect(await search(vectors, { ...choice, isPlain: true })).toEqual(await search(vectors, choice));
});

it('draws its chance from the seed', async () => {
  const one = await search(points, { ...options, seed: 1 });
  expect(await search(points, { ...options, seed: 1 })).toEqual(one);
  expect((await search(points, { ...options, seed: 2 })).indices).not.toEqual(one.indices);
});

it('lists the copies of a row first, in ascending order, however many there are', async () => {
  // Every other row is one of three.
  const vectors = points.slice();
  for (let i = 0; i < n; i += 2) vectors.set(points.subarray((i % 3) * d, ((i % 3) + 1) * d), i * d);
  const found = await search(vectors, options);
  // Row 4 is a copy of row 1, as are rows 10, 16, …
  const copies = [1, ...Array.from({ length: k - 1 }, (_, x) => 6 * x + 10)];
  expect([...found.indices.subarray(4 * k, 5 * k)]).toEqual(copies);
  expect(found.distances.subarray(4 * k, 5 * k).every((distance) => distance === 0)).toBe(true);
  expect(recallOf(found, await exactly(vectors, options), k)).toBeGreaterThan(0.97);
});

it('keeps its recall beside a row that is very far from all others', async () => {
  const vectors = points.slice();
  vectors.fill(40_000, 100 * d, 101 * d);
  const choice = { ...options, metric: 'euclidean' } as const;
  const found = await search(vectors, choice);
  expect(recallOf(found, await exactly(vectors, choice), k)).toBeGreaterThan(0.97);
});

it('finds long lists of neighbours', async () => {
  const choice = { ...options, k: 60 };
  const found = await search(points, choice);
  expect(recallOf(found, await exactly(points, choice), 60)).toBeGreaterThan(0.97);
});

it('compares all pairs of few rows', async () => {
  const vectors = points.subarray(0, 400 * d);
  const found = await search(vectors, { ...options, n: 400 });
  expect(found).toEqual({ ...(await nearestNeighbors(vectors, { ...options, n: 400 })), recall: 1 });
});

it('says beforehand where the wanted recall is out of reach, and afterwards what it reached', async () => {
  // Without clusters in many dimensions there is no neighbourhood to divide by.
  const random = createRandom(4);
  const noise = Float32Array.from({ length: n * 200 }, () => random.nextNormal());
  const choice = { ...options, d: 200, metric: 'euclidean' } as const;
  let isReachable = true;
  const found = await search(noise, {
    ...choice,
    onOutlook: (outlook) => {
      isReachable = outlook.isReachable && outlook.comparedRows < n / 6;
      return true;
    },
  });
  expect(isReachable).toBe(false);
  expect(Math.abs(found.recall - recallOf(found, await exactly(noise, choice), k))).toBeLessThan(0.03);
});

it('ends where the outlook is not liked', async () => {
  const outlooks: number[] = [];
  const onOutlook = ({ comparedRows }: { comparedRows: number }): boolean => {
    outlooks.push(comparedRows);
    return false;
  };
  expect(await approximateNeighbors(points, { ...options, onOutlook })).toBe(null);
  expect(outlooks).toHaveLength(1);
  expect(outlooks[0]).toBeGreaterThan(k);
  expect(outlooks[0]).toBeLessThan(n);
});

it('tells how far it is, from none to all', async () => {
  const told: number[] = [];
  await search(points, {
    ...options,
    onProgress: (done, total) => {
      expect(total).toBe(n);
      told.push(done);
    },
  });
  expect(told).toEqual([...told].sort((a, b) => a - b));
  expect(new Set(told).size).toBeGreaterThan(4);
  expect(told.at(-1)).toBe(n);
});

it.each([1, 2])('stops when told to, with %i threads', async (threads) => {
  const stop = new AbortController();
  const onProgress = (): void => stop.abort();
  await expect(search(points, { ...options, threads, signal: stop.signal, onProgress })).rejects.toThrow(
    Interrupted,
  );
});

it('refuses what the plain search refuses', async () => {
  const broken = points.slice();
  broken[700 * d + 3] = Number.NaN;
  await expect(search(broken, options)).rejects.toThrow(`got NaN in row 700 of ${n}, column 3 of ${d}.`);
  await expect(search(points, { ...options, k: 0 })).rejects.toThrow('got 0.');
  await expect(search(points, { ...options, k: n })).rejects.toThrow('Expected more rows than neighbours');
  await expect(search(points, { ...options, threads: 0 })).rejects.toThrow('Expected threads to be');
});
