import { describe, expect, it } from 'vitest';
import {
  fitUmap,
  hdbscanAsync,
  Interrupted,
  nearestNeighbors,
  umap,
  umapTransform,
} from '../../pipeline/library.ts';
import { createRandom, shuffled } from '../../pipeline/math/random.ts';

/** Forty clouds, and a copy of some rows. */
function clouds(n: number, d: number): Float32Array {
  const random = createRandom(n);
  const centers = Float32Array.from({ length: 40 * d }, () => 3 * random.nextNormal());
  const vectors = Float32Array.from({ length: n * d }, (_, x) => {
    const center = (Math.floor(x / d) % 40) * d + (x % d);
    return centers[center] + random.nextNormal();
  });
  vectors.copyWithin(0, 10 * d, 20 * d);
  return vectors;
}

function taken(rows: Float32Array, order: Int32Array, width: number): Float32Array {
  const moved = new Float32Array(order.length * width);
  order.forEach((i, r) => {
    moved.set(rows.subarray(i * width, (i + 1) * width), r * width);
  });
  return moved;
}

/** Coordinates of each row as text, sorted among rows that are equal: those may change places. */
function placesByRow(vectors: Float32Array, embedding: Float32Array, n: number, d: number): string[] {
  return Array.from({ length: n }, (_, i) => {
    const row = vectors.subarray(i * d, (i + 1) * d).join();
    return `${row} at ${embedding.subarray(2 * i, 2 * i + 2).join()}`;
  }).sort();
}

describe('umap', () => {
  it.each([
    ['exact', 1_500],
    ['approximate', 3_000],
  ] as const)(
    'gives each row the same bytes in any order and with any threads (%s search)',
    async (search, n) => {
      const d = 8;
      const vectors = clouds(n, d);
      const options = { n, d, nNeighbors: 10, metric: 'cosine', search, epochs: 60, seed: 3 } as const;
      const { embedding } = await umap(vectors, options);
      const expected = placesByRow(vectors, embedding, n, d);
      for (const [turn, threads] of [
        [1, 1],
        [2, 2],
        [3, 3],
      ]) {
        const order = shuffled(n, createRandom(turn));
        const moved = taken(vectors, order, d);
        const again = await umap(moved, { ...options, threads });
        expect(placesByRow(moved, again.embedding, n, d)).toEqual(expected);
      }
      // Rows in the order of the array are another layout: the test could tell.
      const given = await umap(vectors, { ...options, rowOrder: 'given' });
      expect(placesByRow(vectors, given.embedding, n, d)).not.toEqual(expected);
    },
  );

  it('places new rows alike whatever order the old came in, and whatever stands beside them', async () => {
    const [n, d] = [400, 6];
    const vectors = clouds(n, d).subarray(20 * d);
    const rows = n - 20;
    const fresh = clouds(50, d).subarray(20 * d);
    const options = { n: rows, d, nNeighbors: 10, epochs: 60 };
    const model = await fitUmap(vectors, options);
    const together = await umapTransform(model, fresh, { threads: 2 });
    const turned = await fitUmap(taken(vectors, shuffled(rows, createRandom(5)), d), options);
    expect(await umapTransform(turned, fresh)).toEqual(together);
    const alone = await umapTransform(model, fresh.subarray(7 * d, 8 * d));
    expect(alone.embedding).toEqual(together.embedding.subarray(14, 16));
  });
});

describe('nearestNeighbors', () => {
  it('gives equal bytes for one thread and three, in memory that is shared or not', async () => {
    const [n, d] = [3_000, 16];
    const vectors = clouds(n, d);
    const shared = new Float32Array(new SharedArrayBuffer(vectors.byteLength));
    shared.set(vectors);
    for (const search of ['exact', 'approximate'] as const) {
      const options = { n, d, k: 10, search };
      const alone = await nearestNeighbors(vectors, options);
      expect(await nearestNeighbors(vectors, { ...options, threads: 3 })).toEqual(alone);
      expect(await nearestNeighbors(shared, { ...options, threads: 3 })).toEqual(alone);
    }
  });
});

const [n, d] = [3_000, 8];
const vectors = clouds(n, d);
type Listener = (done: number, part: string) => void;
interface Told {
  signal?: AbortSignal;
  onProgress?: Listener;
}
const works: [string, string[], (told: Told) => Promise<unknown>][] = [
  [
    'exact neighbours',
    ['neighbors'],
    (told) => nearestNeighbors(vectors, { n, d, k: 5, search: 'exact', ...told }),
  ],
  [
    'approximate neighbours',
    ['neighbors'],
    (told) => nearestNeighbors(vectors, { n, d, k: 5, search: 'approximate', ...told }),
  ],
  ['umap', ['neighbors', 'graph', 'start', 'layout'], (told) => umap(vectors, { n, d, epochs: 60, ...told })],
  [
    'umap on two threads',
    ['neighbors', 'graph', 'start', 'layout'],
    (told) => umap(vectors, { n, d, epochs: 60, threads: 2, ...told }),
  ],
  ['hdbscanAsync', ['hierarchy'], (told) => hdbscanAsync(vectors, { n, d, ...told })],
  [
    'umapTransform',
    ['neighbors', 'layout'],
    async (told) => umapTransform(await fitUmap(vectors, { n, d, epochs: 5 }), vectors, told),
  ],
];

describe.each(works)('%s', (_, parts, work) => {
  it('tells shares from 0 to 1, never less than before, and each part', async () => {
    const shares: number[] = [];
    const named = new Set<string>();
    await work({
      onProgress: (done, part) => {
        shares.push(done);
        named.add(part);
      },
    });
    expect([...named]).toEqual(parts);
    expect(shares.at(-1)).toBe(1);
    expect(shares.every((share, at) => share >= (shares[at - 1] ?? 0))).toBe(true);
  });

  it('ends with Interrupted when it is aborted on its way, with the reason', async () => {
    const controller = new AbortController();
    const error: unknown = await work({
      signal: controller.signal,
      onProgress: () => controller.abort('enough'),
    }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Interrupted);
    expect(error).toMatchObject({ cause: 'enough' });
  });

  it('ends with what its listener throws', async () => {
    const work2 = work({
      onProgress: () => {
        throw new Error('told too much');
      },
    });
    await expect(work2).rejects.toThrow('told too much');
  });
});
