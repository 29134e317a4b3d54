import { expect, it } from 'vitest';
import type { Metric } from '../../pipeline/math/distance.ts';
import { rowDistance } from '../../pipeline/math/distance.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { neighborsAmong } from '../../pipeline/model/neighbors-among.ts';

const rowsFrom = (from: number, to: number): Int32Array =>
  Int32Array.from({ length: to - from }, (_, i) => from + i);

function vectorsOf(n: number, d: number, seed = 1): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: n * d }, () => random.nextNormal());
}

/** The same by comparing all pairs. */
function plainly(
  vectors: Float32Array,
  n: number,
  d: number,
  metric: Metric,
  asking: Int32Array,
  answering: Int32Array,
  k: number,
) {
  const distance = rowDistance(vectors, n, d, metric);
  const found = [...asking].map((row) =>
    [...answering]
      .map((other, place) => ({ place, distance: distance(row, other) }))
      .sort((a, b) => a.distance - b.distance || a.place - b.place)
      .slice(0, k),
  );
  return {
    indices: Int32Array.from(found.flat(), ({ place }) => place),
    distances: Float32Array.from(found.flat(), ({ distance }) => distance),
  };
}

it.each(['cosine', 'euclidean'] as const)(
  'finds what comparing all pairs finds, by %s distance',
  async (metric) => {
    const [n, d, k] = [9400, 6, 7];
    const vectors = vectorsOf(n, d);
    // Far from the origin, float32 scores alone would mistake neighbours.
    if (metric === 'euclidean') for (let x = 0; x < vectors.length; x += d) vectors[x] += 300;
    // More than one block answers, and some rows are copies.
    const answering = rowsFrom(0, 8700);
    for (let i = 0; i < 30; i++) vectors.copyWithin(i * d, 8600 * d, 8601 * d);
    vectors.copyWithin(8800 * d, 8600 * d, 8601 * d);
    const asking = Int32Array.of(...rowsFrom(8700, 8760), 8800, 5);
    const found = await neighborsAmong(vectors, { n, d, k, metric, asking, answering });
    expect(found).toEqual(plainly(vectors, n, d, metric, asking, answering, k));
  },
);

it('gives a row the same neighbours whatever rows ask beside it', async () => {
  const [n, d, k] = [1300, 9, 5];
  const vectors = vectorsOf(n, d, 2);
  const options = { n, d, k, metric: 'cosine', answering: rowsFrom(0, 500) } as const;
  const told: number[] = [];
  const all = await neighborsAmong(vectors, {
    ...options,
    asking: rowsFrom(500, 1300),
    onProgress: (done, total) => told.push(done / total),
  });
  const some = await neighborsAmong(vectors, { ...options, asking: rowsFrom(700, 720), threads: 2 });
  expect(some.indices).toEqual(all.indices.subarray(200 * k, 220 * k));
  expect(some.distances).toEqual(all.distances.subarray(200 * k, 220 * k));
  expect(told).toEqual([512 / 800, 1]);
});

it('takes as many neighbours as there are rows, and no more', async () => {
  const [n, d] = [12, 3];
  const vectors = vectorsOf(n, d, 3);
  const options = { n, d, metric: 'euclidean', asking: rowsFrom(8, 12), answering: rowsFrom(0, 8) } as const;
  const found = await neighborsAmong(vectors, { ...options, k: 8 });
  expect(found).toEqual(plainly(vectors, n, d, 'euclidean', options.asking, options.answering, 8));
  await expect(neighborsAmong(vectors, { ...options, k: 9 })).rejects.toThrow(
    'to the 8 rows that answer, got 9',
  );
  const none = await neighborsAmong(vectors, { ...options, asking: new Int32Array(0), k: 2 });
  expect(none.indices).toHaveLength(0);
});
