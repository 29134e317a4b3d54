import { describe, expect, test } from 'vitest';
import type { History, Matrix, Refreshing } from '../../../pipeline/contract.ts';
import { Interrupted, UserError } from '../../../pipeline/errors.ts';
import { createRandom } from '../../../pipeline/math/random.ts';
import { type ClusterConfig, section } from '../../../stages/cluster/config.ts';
import { stage } from '../../../stages/cluster/stage.ts';

/** Clumps of the given sizes, ten apart on a diagonal, one after another; then lone documents far away. */
function clumps(sizes: number[], alone = 0): Matrix {
  const random = createRandom(12);
  const values: number[] = [];
  sizes.forEach((size, clump) => {
    for (let i = 0; i < size * 2; i++) values.push(10 * clump + random.nextNormal());
  });
  for (let i = 0; i < alone; i++) values.push(500 + 90 * i, -90 * i * i);
  return { n: values.length / 2, d: 2, values: Float32Array.from(values) };
}

async function cluster(
  reduced: Matrix,
  settings: Partial<ClusterConfig> = {},
  history: History | null = null,
  signal = new AbortController().signal,
  refreshing: Partial<Refreshing> = {},
) {
  const notices: string[] = [];
  const progress: [number, number | undefined][] = [];
  const ids = Array.from({ length: reduced.n }, (_, i) => `paper-${i}`);
  const result = await stage.run(
    reduced,
    ids,
    {
      refresh: 'steady',
      history,
      late: new Uint8Array(reduced.n),
      rebuilt: '',
      resettled: '',
      ...refreshing,
    },
    {
      config: section.schema.parse(settings),
      seed: 0,
      threads: 1,
      baseFolder: '.',
      model: () => {
        throw new Error('no model here');
      },
      signal,
      progress: (done, total) => progress.push([done, total]),
      notice: (message) => notices.push(message),
    },
  );
  return { ...result, notices, progress };
}

/** What the store would hand to the next run. */
function historyOf({ assignments: { topic } }: { assignments: { topic: Int32Array } }): History {
  const sizes = new Map<number, number>();
  for (const id of topic) if (id >= 0) sizes.set(id, (sizes.get(id) ?? 0) + 1);
  return { topic, sizes, nextTopicId: sizes.size, newborn: new Set(), betterNights: 0, strangeNights: 0 };
}

describe('a first run', () => {
  test('numbers topics by size and leaves lone documents out', async () => {
    const { assignments, events, notices } = await cluster(clumps([30, 80, 50], 3));
    const topics = [...assignments.topic];
    expect([topics[0], topics[30], topics[110]]).toEqual([2, 0, 1]);
    expect(topics.slice(160)).toEqual([-1, -1, -1]);
    expect([...assignments.probability.slice(160)]).toEqual([0, 0, 0]);
    expect(Math.min(...assignments.outlierScore.slice(160))).toBeGreaterThan(0.9);
    expect(events).toEqual(
      [0, 1, 2].map((topicId) => ({ event: 'born', topicId, fromTopicIds: [], reason: '' })),
    );
    expect(notices).toEqual([]);
  });

  test('gives the same bytes again', async () => {
    const reduced = clumps([30, 80, 50], 3);
    expect(await cluster(reduced)).toEqual(await cluster(reduced));
  });

  test('reports progress up to n − 1 edges', async () => {
    expect((await cluster(clumps([30, 40]))).progress.at(-1)).toEqual([69, 69]);
  });
});

describe('a later run', () => {
  test('keeps ids, and gives a new clump a new one', async () => {
    const first = await cluster(clumps([30, 80]));
    const grown = clumps([30, 80, 40]);
    const before = historyOf(first);
    const topic = new Int32Array(150).fill(-2);
    topic.set(before.topic);
    const second = await cluster(grown, {}, { ...before, topic });
    expect([second.assignments.topic[0], second.assignments.topic[30]]).toEqual([1, 0]);
    expect(second.assignments.topic[120]).toBe(2);
    expect(second.events.map(({ event, topicId }) => `${event} ${topicId}`)).toEqual([
      'continued 0',
      'continued 1',
      'born 2',
      'emerging 2',
    ]);
  });

  test('never gives a retired id again', async () => {
    const history: History = {
      topic: new Int32Array(70).fill(-2),
      sizes: new Map([[6, 20]]),
      nextTopicId: 7,
      newborn: new Set(),
      betterNights: 0,
      strangeNights: 0,
    };
    const { events } = await cluster(clumps([30, 40]), {}, history);
    expect(events.map(({ event, topicId }) => `${event} ${topicId}`)).toEqual([
      'born 7',
      'emerging 7',
      'born 8',
      'emerging 8',
      'retired 6',
    ]);
  });
});

describe('topics are found anew', () => {
  /** Two pairs of clumps, sixty apart, the clumps of a pair seven apart; each pair was one topic. */
  const pairs = (): { reduced: Matrix; history: History } => {
    const random = createRandom(3);
    const values = Float32Array.from({ length: 320 }, (_, i) => {
      const clump = Math.floor(i / 80);
      return Math.floor(clump / 2) * 60 + (clump % 2) * 7 + random.nextNormal();
    });
    const topic = Int32Array.from({ length: 160 }, (_, i) => Math.floor(i / 80));
    const sizes = new Map([
      [0, 80],
      [1, 80],
    ]);
    const history = {
      topic,
      sizes,
      nextTopicId: 2,
      newborn: new Set<number>(),
      betterNights: 0,
      strangeNights: 0,
    };
    return { reduced: { n: 160, d: 2, values }, history };
  };

  test('on the third night in a row on which a cut without memory is clearly better', async () => {
    const { reduced, history } = pairs();
    const first = await cluster(reduced, {}, history);
    expect([first.betterNights, first.notices]).toEqual([1, []]);
    expect(new Set(first.assignments.topic)).toEqual(new Set([0, 1]));
    const second = await cluster(reduced, {}, { ...history, betterNights: 1 });
    expect([second.betterNights, second.notices]).toEqual([2, []]);
    const third = await cluster(reduced, {}, { ...history, betterNights: 2 });
    expect(third.betterNights).toBe(0);
    expect(third.notices.join()).toMatch(
      /^cluster: topics were found anew: a cut without memory has been clearly better for 3 nights, by \d+% last/,
    );
    expect(new Set(third.assignments.topic.filter((id) => id >= 0)).size).toBeGreaterThan(2);
    expect(third.events.every(({ reason }) => reason.includes('for 3 nights'))).toBe(true);
  });

  test('not for a better cut of places that were made anew tonight', async () => {
    const { reduced, history } = pairs();
    const rebuilt = { rebuilt: 'many have come' };
    const { betterNights, events } = await cluster(
      reduced,
      {},
      { ...history, betterNights: 2 },
      undefined,
      rebuilt,
    );
    expect(betterNights).toBe(0);
    expect(new Set(events.map(({ reason }) => reason))).toEqual(new Set(['many have come']));
  });
});

test('nights on which documents come late are outliers far more often than others are counted in a row', async () => {
  const reduced = clumps([200, 100], 120);
  const { assignments } = await cluster(reduced);
  const history = { ...historyOf({ assignments }), strangeNights: 1 };
  const lateFrom = (first: number): Promise<{ strangeNights: number }> =>
    cluster(reduced, {}, history, undefined, {
      late: Uint8Array.from({ length: 420 }, (_, i) => (i >= first ? 1 : 0)),
    });
  expect((await lateFrom(300)).strangeNights).toBe(2);
  expect((await lateFrom(420)).strangeNights).toBe(0);
});

describe('no topics', () => {
  test.each([
    [clumps([10]), {}, /10 documents are outliers, fewer than cluster\.min_cluster_size \(15\)/],
    [clumps([1]), {}, /1 document is an outlier/],
    [clumps([4, 4]), { min_cluster_size: 2, min_samples: 9 }, /fewer than cluster\.min_samples \(9\)/],
    [clumps([60]), { min_cluster_size: 40 }, /Lower cluster\.min_cluster_size \(40\)/],
    [{ n: 50, d: 2, values: new Float32Array(100) }, {}, /no two groups of 15 or more stand apart/],
  ])('are explained (%#)', async (reduced, settings, explanation) => {
    const { assignments, events, notices } = await cluster(reduced, settings);
    expect(new Set(assignments.topic)).toEqual(new Set([-1]));
    expect(events).toEqual([]);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatch(explanation);
  });

  test('retire what there was', async () => {
    const first = await cluster(clumps([30, 40]));
    const { events } = await cluster(
      clumps([30, 40]),
      { min_cluster_size: 60 },
      historyOf(first),
      undefined,
      {
        resettled: 'cluster.min_cluster_size 15 → 60',
      },
    );
    expect(events.map(({ event, topicId }) => `${event} ${topicId}`)).toEqual(['retired 0', 'retired 1']);
  });
});

test.each([Number.NaN, Infinity])('a coordinate of %s is refused by document id', async (value) => {
  const reduced = clumps([30]);
  reduced.values[43] = value;
  await expect(cluster(reduced)).rejects.toThrow(UserError);
  await expect(cluster(reduced)).rejects.toThrow(
    `cluster: expected finite coordinates, got ${value} in column 1 for document paper-21.`,
  );
});

test('an aborted run stops', async () => {
  await expect(cluster(clumps([30]), {}, null, AbortSignal.abort())).rejects.toThrow(Interrupted);
});

describe('settings', () => {
  test('have defaults', () => {
    expect(section.schema.parse({})).toEqual({
      min_cluster_size: 15,
      min_samples: 5,
      cluster_selection_method: 'eom',
      cluster_selection_epsilon: 0,
    });
  });

  test.each([
    { min_cluster_size: 1 },
    { min_cluster_size: 'ten' },
    { min_samples: 0 },
    { min_samples: 2.5 },
    { cluster_selection_method: 'dbscan' },
    { cluster_selection_epsilon: -0.1 },
    { minimum: 3 },
  ])('%j is refused', (settings) => {
    expect(section.schema.safeParse(settings).success).toBe(false);
  });

  test('leaf finds finer topics than eom, and epsilon joins them again', async () => {
    // Two pairs of clumps; within a pair three apart, the pairs far from each other.
    const random = createRandom(3);
    const values = Float32Array.from({ length: 240 }, (_, i) => {
      const clump = Math.floor(i / 60);
      return Math.floor(clump / 2) * 60 + (clump % 2) * 5 + random.nextNormal();
    });
    const reduced = { n: 120, d: 2, values };
    const topics = async (settings: Partial<ClusterConfig>) =>
      (await cluster(reduced, { min_cluster_size: 15, ...settings })).events.length;
    expect(await topics({ cluster_selection_method: 'leaf' })).toBe(4);
    expect(await topics({ cluster_selection_method: 'leaf', cluster_selection_epsilon: 10 })).toBe(2);
  });
});
