import { describe, expect, it } from 'vitest';
import type { Job, Matrix, MatrixRows, PositionColumns } from '../../../pipeline/contract.ts';
import { UserError } from '../../../pipeline/errors.ts';
import { createRandom } from '../../../pipeline/math/random.ts';
import { layout, prepareGraph } from '../../../pipeline/math/umap.ts';
import { nearestNeighbors } from '../../../pipeline/model/exact-neighbors.ts';
import { type ReduceConfig, section } from '../../../stages/reduce/config.ts';
import { splitDocuments } from '../../../stages/reduce/fit-sample.ts';
import { fitLayouts, placeOthers } from '../../../stages/reduce/layouts.ts';
import { stage } from '../../../stages/reduce/stage.ts';
import { usableRows } from '../../../stages/reduce/usable-vectors.ts';
import { matrixRows } from '../../matrix-rows.ts';

const defaults = section.schema.parse({});

function jobOf(config: Partial<ReduceConfig> = {}, changes: Partial<Job<ReduceConfig>> = {}) {
  const notices: string[] = [];
  const progress: number[] = [];
  const job: Job<ReduceConfig> = {
    config: { ...defaults, epochs: 30, ...config },
    seed: 1,
    threads: 1,
    baseFolder: '.',
    model: () => {
      throw new Error('no model here');
    },
    signal: new AbortController().signal,
    progress: (done, total) => progress.push(done / (total ?? 1)),
    notice: (message) => notices.push(message),
    ...changes,
  };
  return { job, notices, progress };
}

function matrixOf(n: number, d = 12, seed = 1): Matrix & MatrixRows {
  const random = createRandom(seed);
  return matrixRows({ n, d, values: Float32Array.from({ length: n * d }, () => random.nextNormal()) });
}

const idsOf = (n: number): string[] => Array.from({ length: n }, (_, i) => `paper-${i}`);

it('gives reduced vectors and a map, finite and of the right shape', async () => {
  const { job, notices, progress } = jobOf();
  const { x, y, reduced } = await stage.run(matrixOf(700), idsOf(700), null, '', job);
  expect([x.length, y.length, reduced.n, reduced.d, reduced.values.length]).toEqual([700, 700, 700, 5, 3500]);
  for (const values of [x, y, reduced.values]) expect(values.every(Number.isFinite)).toBe(true);
  expect(notices).toEqual([]);
  expect(progress.at(-1)).toBe(1);
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
});

it('finds neighbours as reduce.neighbors says, and tells when not all pairs were compared', async () => {
  const vectors = matrixOf(700);
  const run = async (neighbors: ReduceConfig['neighbors']) => {
    const { job, notices } = jobOf({ neighbors });
    return { ...(await stage.run(vectors, idsOf(700), null, '', job)), notices };
  };
  const auto = await run('auto');
  expect(auto.notices).toEqual([]);
  expect(await run('exact')).toEqual(auto);
  const { notices } = await run('approximate');
  expect(notices).toEqual([
    expect.stringMatching(/^reduce: neighbours were found by approximate search, \d/),
  ]);
});

it('reduces documents in the order they come in, which is that of the corpus', async () => {
  const vectors = matrixOf(300);
  const { reduced } = await stage.run(vectors, idsOf(300), null, '', jobOf().job);
  const { n, d, values } = vectors;
  const graph = await prepareGraph(values, {
    n,
    d,
    nNeighbors: 15,
    nComponents: 5,
    metric: 'cosine',
    seed: 1,
    search: nearestNeighbors,
  });
  const layouts = [1, 2, 3, 4].map((seed) =>
    layout({ ...graph, seed }, { nComponents: 5, minDist: 0, epochs: 30 }),
  );
  expect(await Promise.all(layouts)).toContainEqual(reduced.values);
});

it('gives the same bytes with two threads, and others with another seed', async () => {
  const run = async (changes: Partial<Job<ReduceConfig>>) =>
    stage.run(matrixOf(1500), idsOf(1500), null, '', jobOf({}, changes).job);
  const first = await run({});
  expect(await run({ threads: 2 })).toEqual(first);
  expect((await run({ seed: 2 })).x).not.toEqual(first.x);
});

it('takes no sample for slow vectors, which are those of all documents', () => {
  const refused = section.schema.safeParse({ layout: 'spectral', fit_sample: 1000 });
  expect(refused.error?.issues.map(({ path, message }) => [path, message])).toEqual([
    [['fit_sample'], expect.stringMatching(/^nothing beside layout: spectral/)],
  ]);
  expect(section.schema.safeParse({ layout: 'umap', fit_sample: 1000 }).success).toBe(true);
});

describe('fit_sample', () => {
  const [n, d] = [1300, 12];
  /** Ten groups, told apart by direction. */
  const groups = matrixOf(n, d);
  for (let i = 0; i < n; i++) groups.values[i * d + (i % 10)] += 12;
  const ids = idsOf(n);
  const config = { fit_sample: 1000 };
  const taken = (some: Int32Array) => matrixRows(groups.read(some));
  const usable = (matrix: MatrixRows) => usableRows(matrix, idsOf(matrix.n), jobOf().job);
  const rows = usable(groups);
  const rowsOf =
    ({ x, y, reduced }: PositionColumns) =>
    (i: number) => [x[i], y[i], ...reduced.values.subarray(i * reduced.d, (i + 1) * reduced.d)];

  it('fits on a sample alone, and places each other document by itself', async () => {
    const { job, progress } = jobOf(config);
    const all = rowsOf(await stage.run(groups, ids, null, '', job));
    expect(progress.at(-1)).toBe(1);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));

    const { fitted, placed } = splitDocuments(rows, ids, 1000, 1);
    const sample = rowsOf(await stage.run(taken(fitted), idsOf(1000), null, '', jobOf().job));
    fitted.forEach((i, r) => {
      expect(all(i)).toEqual(sample(r));
    });
    // On more threads they stand where they stood.
    const again = rowsOf(await stage.run(groups, ids, null, '', jobOf(config, { threads: 2 }).job));
    for (const i of placed) expect(again(i)).toEqual(all(i));
    // And they stand in their own group.
    const center = (group: number, q: number): number => {
      const members = [...fitted].filter((i) => i % 10 === group);
      return members.reduce((sum, i) => sum + all(i)[q], 0) / members.length;
    };
    const centers = Array.from({ length: 10 }, (_, group) => [center(group, 0), center(group, 1)]);
    for (const i of placed) {
      const distances = centers.map(([x, y]) => Math.hypot(all(i)[0] - x, all(i)[1] - y));
      expect(distances.indexOf(Math.min(...distances))).toBe(i % 10);
    }
  });

  it('changes nothing where there are no more documents', async () => {
    const { job } = jobOf({ fit_sample: n });
    expect(await stage.run(groups, ids, null, '', job)).toEqual(
      await stage.run(groups, ids, null, '', jobOf().job),
    );
  });

  it('takes of each kind of documents its share', () => {
    const few = matrixRows({ n, d, values: groups.values.slice() });
    // One in twenty points another way than all others.
    for (let i = 0; i < n; i += 20) for (let q = 0; q < d; q++) few.values[i * d + q] = -40 - q;
    for (const seed of [1, 2, 3, 4, 5]) {
      const { fitted } = splitDocuments(usable(few), ids, 200, seed);
      expect(fitted.length).toBe(200);
      expect(Math.abs(fitted.filter((i) => i % 20 === 0).length - 10)).toBeLessThanOrEqual(2);
    }
  });

  it('places each document by itself: without some of them the rest stand where they stood', async () => {
    const { job } = jobOf(config);
    const split = splitDocuments(rows, ids, 1000, 1);
    const layouts = await fitLayouts(
      { n: 1000, d, vectors: taken(split.fitted).values },
      job,
      () => () => {},
    );
    const whole = await placeOthers(rows, split, layouts, job, () => () => {});
    const left = Int32Array.from({ length: n }, (_, i) => i).filter((i) => split.placed.indexOf(i) % 3 !== 0);
    const rowOf = new Map([...left].map((i, r) => [i, r]));
    const rowsLeft = (list: Int32Array) => list.filter((i) => rowOf.has(i)).map((i) => rowOf.get(i) ?? -1);
    const part = await placeOthers(
      usable(taken(left)),
      { fitted: rowsLeft(split.fitted), placed: rowsLeft(split.placed) },
      layouts,
      job,
      () => () => {},
    );
    expect(left.length).toBe(1200);
    left.forEach((i, r) => {
      expect(part.map.subarray(2 * r, 2 * r + 2)).toEqual(whole.map.subarray(2 * i, 2 * i + 2));
      expect(part.reduced.subarray(5 * r, 5 * r + 5)).toEqual(whole.reduced.subarray(5 * i, 5 * i + 5));
    });
  });

  it('draws by id and seed: other documents hardly change who is in', () => {
    const { fitted, placed } = splitDocuments(rows, ids, 400, 1);
    expect([...fitted, ...placed].sort((a, b) => a - b)).toEqual(ids.map((_, i) => i));
    expect(fitted).toEqual(fitted.slice().sort());
    // The last hundred are gone: nearly all who were in stay in.
    const fewer = usable(matrixRows({ n: 1200, d, values: groups.values.subarray(0, 1200 * d) }));
    const before = new Set(splitDocuments(fewer, ids.slice(0, 1200), 400, 1).fitted);
    const still = fitted.filter((i) => i < 1200);
    expect(still.filter((i) => before.has(i)).length).toBeGreaterThan(0.95 * still.length);
    expect(splitDocuments(rows, ids, 400, 2).fitted).not.toEqual(fitted);
  });
});

describe('vectors that cannot be used', () => {
  it('are refused by document when a number is not finite', async () => {
    const vectors = matrixOf(50);
    vectors.values[20 * 12 + 4] = NaN;
    const work = stage.run(vectors, idsOf(50), null, '', jobOf().job);
    await expect(work).rejects.toBeInstanceOf(UserError);
    await expect(stage.run(vectors, idsOf(50), null, '', jobOf().job)).rejects.toThrow(
      'got NaN for document paper-20 (number 5 of 12)',
    );
  });

  it('are placed by chance, and counted, when they are zero', async () => {
    const vectors = matrixOf(60);
    vectors.values.fill(0, 7 * 12, 9 * 12);
    const before = vectors.values.slice();
    const { job, notices } = jobOf();
    const { x } = await stage.run(vectors, idsOf(60), null, '', job);
    expect(x.every(Number.isFinite)).toBe(true);
    expect(x[7]).not.toBe(x[8]);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain('2 of 60 documents have a zero vector');
    expect(notices[0]).toContain('paper-7');
    expect(vectors.values).toEqual(before);
  });

  it('may be zero under euclidean distance', async () => {
    const { job, notices } = jobOf({ metric: 'euclidean' });
    const { x } = await stage.run(
      matrixRows({ n: 30, d: 3, values: new Float32Array(90) }),
      idsOf(30),
      null,
      '',
      job,
    );
    expect(x.every(Number.isFinite)).toBe(true);
    expect(notices).toEqual([]);
  });
});

describe('few documents', () => {
  it.each([0, 1, 2, 4, 5, 14, 15])('%i give a map', async (n) => {
    const { job, notices } = jobOf();
    const { x, reduced } = await stage.run(matrixOf(n), idsOf(n), null, '', job);
    expect(x).toHaveLength(n);
    expect(reduced.values).toHaveLength(n * 5);
    expect([...x, ...reduced.values].every(Number.isFinite)).toBe(true);
    expect(notices).toHaveLength(n === 0 || n === 15 ? 0 : 1);
  });

  it('are told of when they are fewer than n_neighbors', async () => {
    const { job, notices } = jobOf();
    await stage.run(matrixOf(9), idsOf(9), null, '', job);
    expect(notices[0]).toBe('reduce: n_neighbors is 15, but there are 9 documents; 9 was used.');
  });
});

describe('settings', () => {
  it('have defaults, ranges and descriptions', () => {
    expect(defaults).toEqual({
      layout: 'umap',
      n_neighbors: 15,
      n_components: 5,
      min_dist: 0,
      map_min_dist: 0.1,
      metric: 'cosine',
      neighbors: 'auto',
      tries: 4,
    });
    for (const wrong of [{ n_neighbors: 1 }, { n_components: 1 }, { min_dist: 2 }, { metric: 'manhattan' }]) {
      expect(section.schema.safeParse(wrong).success).toBe(false);
    }
    expect(section.schema.safeParse({ n_neighbours: 15 }).success).toBe(false);
  });
});
