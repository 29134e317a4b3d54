import { expect, it } from 'vitest';
import { Interrupted } from '../../pipeline/errors.ts';
import { nearestNeighbors as plainly } from '../../pipeline/math/nearest-neighbors.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { nearestNeighbors } from '../../pipeline/model/exact-neighbors.ts';

/** More rows than one block, and no multiple of anything. */
const [n, d] = [2311, 24];
const random = createRandom(8);
const normal = Float32Array.from({ length: n * d }, () => random.nextNormal());

it.each(['cosine', 'euclidean'] as const)('equals the plain search to the bit for %s', async (metric) => {
  const options = { n, d, k: 12, metric };
  const expected = await plainly(normal, options);
  expect(await nearestNeighbors(normal, options)).toEqual(expected);
  expect(await nearestNeighbors(normal, { ...options, threads: 2 })).toEqual(expected);
});

it('equals the plain search on copies and on near copies', async () => {
  // Every row stands there thrice; every third row of those differs in the last bits.
  const vectors = new Float32Array(n * d);
  for (let i = 0; i < n; i++) vectors.set(normal.subarray((i % 770) * d, ((i % 770) + 1) * d), i * d);
  for (let i = 0; i < n; i += 3) vectors[i * d] *= 1 + 2 ** -22;
  for (const metric of ['cosine', 'euclidean'] as const) {
    const options = { n, d, k: 5, metric };
    expect(await nearestNeighbors(vectors, options)).toEqual(await plainly(vectors, options));
  }
});

it('equals the plain search where everything ties: a grid', async () => {
  const side = 30;
  const vectors = Float32Array.from({ length: side * side * 2 }, (_, x) =>
    x % 2 === 0 ? Math.floor(x / 2 / side) : Math.floor(x / 2) % side,
  );
  const options = { n: side * side, d: 2, k: 6, metric: 'euclidean' } as const;
  expect(await nearestNeighbors(vectors, options)).toEqual(await plainly(vectors, options));
});

it('equals the plain search far from the origin, where float32 products lose everything', async () => {
  const vectors = normal.map((value, x) => 5000 + value / 50 + (Math.floor(x / d) === 7 ? 9000 : 0));
  const options = { n, d, k: 4, metric: 'euclidean' } as const;
  expect(await nearestNeighbors(vectors, options)).toEqual(await plainly(vectors, options));
});

it('searches rows that are all equal', async () => {
  const { indices, distances } = await nearestNeighbors(new Float32Array(1000 * 3).fill(1), {
    n: 1000,
    d: 3,
    k: 2,
    metric: 'cosine',
  });
  expect([...indices.subarray(0, 6)]).toEqual([1, 2, 0, 2, 0, 1]);
  expect([...indices.subarray(1998)]).toEqual([0, 1]);
  expect(distances.every((distance) => distance === 0)).toBe(true);
});

it('refuses what the plain search refuses', async () => {
  const broken = normal.slice();
  broken[700 * d + 3] = NaN;
  const options = { n, d, k: 4, metric: 'euclidean' } as const;
  await expect(nearestNeighbors(broken, options)).rejects.toThrow(`NaN in row 700 of ${n}, column 3 of ${d}`);
  await expect(nearestNeighbors(normal, { ...options, k: n })).rejects.toThrow(`got ${n} rows for k = ${n}`);
});

it('tells progress up to the end and stops when asked', async () => {
  const options = { n, d, k: 4, metric: 'cosine' } as const;
  const told: number[] = [];
  await nearestNeighbors(normal, { ...options, onProgress: (done) => told.push(done) });
  expect(told.at(-1)).toBe(n);
  expect(told).toEqual([...told].sort((a, b) => a - b));
  const work = nearestNeighbors(normal, { ...options, signal: AbortSignal.abort() });
  await expect(work).rejects.toBeInstanceOf(Interrupted);
});
