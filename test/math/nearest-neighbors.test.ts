import { describe, expect, it } from 'vitest';
import { Interrupted } from '../../pipeline/errors.ts';
import { nearestNeighbors } from '../../pipeline/math/nearest-neighbors.ts';
import { createRandom } from '../../pipeline/math/random.ts';

const line = Float32Array.of(0, 1, 3, 3, 7);
const euclidean = { n: 5, d: 1, metric: 'euclidean' } as const;

it('finds neighbours nearest first, ties and copies to the lower index, never the row itself', async () => {
  const { indices, distances } = await nearestNeighbors(line, { ...euclidean, k: 3 });
  expect([...indices]).toEqual([...[1, 2, 3], ...[0, 2, 3], ...[3, 1, 0], ...[2, 1, 0], ...[2, 3, 1]]);
  expect([...distances]).toEqual([...[1, 3, 3], ...[1, 2, 2], ...[0, 2, 3], ...[0, 2, 3], ...[4, 4, 6]]);
});

it('orders rows of different groups at one distance by index', async () => {
  // Row 2 lies between two pairs of copies, all at distance 1: 0 and 4 on one side, 1 and 3 on the other.
  const vectors = Float32Array.of(-1, 1, 0, 1, -1);
  const { indices } = await nearestNeighbors(vectors, { ...euclidean, k: 4 });
  expect([...indices.subarray(8, 12)]).toEqual([0, 1, 3, 4]);
  expect([...indices.subarray(0, 4)]).toEqual([4, 2, 1, 3]);
});

it('lists copies of a row by index when there are more than k', async () => {
  const { indices, distances } = await nearestNeighbors(new Float32Array(6 * 2).fill(3), {
    n: 6,
    d: 2,
    k: 2,
    metric: 'cosine',
  });
  expect([...indices]).toEqual([1, 2, 0, 2, 0, 1, 0, 1, 0, 1, 0, 1]);
  expect(distances.every((distance) => distance === 0)).toBe(true);
});

it('takes multiples of a direction as equal under cosine', async () => {
  const vectors = Float32Array.of(1, 2, 3, 10, 20, 30, 3, 2, 1, -1, -2, -3);
  const { indices, distances } = await nearestNeighbors(vectors, { n: 4, d: 3, k: 3, metric: 'cosine' });
  expect([...indices.subarray(0, 3)]).toEqual([1, 2, 3]);
  expect(distances[0]).toBe(0);
  expect(distances[1]).toBeCloseTo(1 - 10 / 14, 6);
  expect(distances[2]).toBeCloseTo(2, 6);
});

it('agrees with sorting all distances', async () => {
  const random = createRandom(1);
  const [n, d, k] = [60, 7, 9];
  const vectors = Float32Array.from({ length: n * d }, () => random.nextNormal());
  const { indices, distances } = await nearestNeighbors(vectors, { n, d, k, metric: 'euclidean' });
  for (let i = 0; i < n; i++) {
    const all = Array.from({ length: n }, (_, j) => {
      let sum = 0;
      for (let x = 0; x < d; x++) sum += (vectors[i * d + x] - vectors[j * d + x]) ** 2;
      return { j, distance: Math.sqrt(sum) };
    }).filter(({ j }) => j !== i);
    all.sort((a, b) => a.distance - b.distance);
    expect([...indices.subarray(i * k, (i + 1) * k)]).toEqual(all.slice(0, k).map(({ j }) => j));
    all.slice(0, k).forEach(({ distance }, t) => {
      expect(distances[i * k + t]).toBeCloseTo(distance, 5);
    });
  }
});

describe('refuses, naming both numbers,', () => {
  it.each([
    ['as many neighbours as rows', line, { ...euclidean, k: 5 }, 'got 5 rows for k = 5'],
    ['no neighbours', line, { ...euclidean, k: 0 }, 'from 1 up, got 0'],
    ['another length', line, { ...euclidean, n: 6, k: 1 }, '6 rows × 1 numbers = 6, got 5'],
    ['a number that is none', Float32Array.of(1, NaN, 2, 3, 4), { ...euclidean, k: 1 }, 'NaN in row 1 of 5'],
    [
      'an infinite number',
      Float32Array.of(1, 2, 3, 4, -Infinity),
      { ...euclidean, k: 1 },
      '-Infinity in row 4',
    ],
    [
      'a zero row under cosine',
      line,
      { ...euclidean, k: 1, metric: 'cosine' as const },
      'got 0 in row 0 of 5',
    ],
  ])('%s', async (_, vectors, options, message) => {
    await expect(nearestNeighbors(vectors, options)).rejects.toThrow(RangeError);
    await expect(nearestNeighbors(vectors, options)).rejects.toThrow(message);
  });
});

it('stops when the signal is aborted', async () => {
  const signal = AbortSignal.abort();
  await expect(nearestNeighbors(line, { ...euclidean, k: 2, signal })).rejects.toBeInstanceOf(Interrupted);
});
