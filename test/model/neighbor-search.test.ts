import { expect, it } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import { nearestNeighbors as exactly } from '../../pipeline/model/exact-neighbors.ts';
import { chooseNeighborSearch, nearestNeighbors } from '../../pipeline/model/neighbor-search.ts';
import { documentVectors } from '../bench/synthetic-points.ts';

/** More than are compared pair by pair as a matter of course. */
const [n, d, k] = [20_100, 16, 5];
const { points } = documentVectors(n, d, 1);
const options = { n, d, k, metric: 'cosine' } as const;

it('compares all pairs of few rows, without a word', async () => {
  const told: string[] = [];
  const few = { ...options, n: 3000 };
  const vectors = points.subarray(0, 3000 * d);
  const search = chooseNeighborSearch('auto', { onChoice: (how) => told.push(how) });
  expect(await search(vectors, few)).toEqual(await exactly(vectors, few));
  expect(told).toEqual([]);
});

it('searches many rows approximately, says so, and compares all pairs when asked to', async () => {
  const told: string[] = [];
  const search = chooseNeighborSearch('auto', { seed: 42, onChoice: (how) => told.push(how) });
  const found = await search(points, options);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(
    /^neighbours were found by approximate search, (9[78]|99|100)\.\d% of the true ones/,
  );
  expect(await nearestNeighbors(points, options)).toEqual(found);
  expect(await nearestNeighbors(points, { ...options, search: 'approximate' })).toEqual(found);
  const exact = await nearestNeighbors(points, { ...options, search: 'exact' });
  expect(exact).toEqual(await exactly(points, options));
  expect(exact.indices).not.toEqual(found.indices);
});

it('goes back to all pairs where no cells could save work', async () => {
  const random = createRandom(2);
  const noise = Float32Array.from({ length: n * 60 }, () => random.nextNormal());
  const told: string[] = [];
  const search = chooseNeighborSearch('auto', { onChoice: (how) => told.push(how) });
  const choice = { ...options, d: 60 };
  expect(await search(noise, choice)).toEqual(await exactly(noise, choice));
  expect(told).toEqual([expect.stringContaining('all pairs of vectors were compared')]);
});

it('tells apart what it may choose from', async () => {
  await expect(nearestNeighbors(points, { ...options, search: 'fast' as 'auto' })).rejects.toThrow(
    'Expected search to be "auto", "exact" or "approximate", got "fast".',
  );
});
