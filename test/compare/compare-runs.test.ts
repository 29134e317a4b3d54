import { describe, expect, it } from 'vitest';
import { compareRuns } from '../../pipeline/compare/compare-runs.ts';
import type { ExportedRun } from '../../pipeline/compare/exported-run.ts';

type Assigned = Record<string, number>;

function runOf(runId: string, assigned: Assigned, change: Partial<ExportedRun> = {}): ExportedRun {
  const topics = new Map<number, { label: string; size: number }>();
  for (const topic of Object.values(assigned)) {
    if (topic < 0) continue;
    topics.set(topic, { label: `topic ${topic}`, size: (topics.get(topic)?.size ?? 0) + 1 });
  }
  const documents = Object.entries(assigned).map(
    ([id, topic]) => [id, { title: `title ${id}`, topic, probability: topic < 0 ? 0 : 0.5 }] as const,
  );
  return { runId, documents: new Map(documents), topics, events: [], config: {}, models: [], ...change };
}

describe('compareRuns', () => {
  it('finds nothing between equal runs', () => {
    const assigned = { a: 0, b: 0, c: 1, d: -1 };
    const same = compareRuns(runOf('run-0001', assigned), runOf('run-0002', assigned));
    expect(same).toMatchObject({ agreement: 1, causes: [], events: [], grew: [], shrank: [], moves: [] });
    expect(same.documents).toEqual({
      from: 4,
      to: 4,
      added: 0,
      removed: 0,
      in_both: 4,
      moved: 0,
      retitled: 0,
    });
    expect(same.noise_share).toEqual({ from: 0.25, to: 0.25 });
  });

  it('counts documents that came and went apart from those that moved', () => {
    const from = runOf('run-0001', { a: 0, b: 0, gone: 0, edge: -1 });
    const to = runOf('run-0002', { a: 0, b: -1, come: 0, edge: 0 });
    const { documents, moves } = compareRuns(from, to);
    expect(documents).toMatchObject({ added: 1, removed: 1, in_both: 3, moved: 2 });
    expect(moves.map(({ from_topic_id, to_topic_id, why }) => [from_topic_id, to_topic_id, why])).toEqual([
      [-1, 0, 'now near enough to others of the topic'],
      [0, -1, 'no longer near enough to others of the topic'],
    ]);
  });

  it('says that a topic split, merged, ended or formed where it did', () => {
    const from = runOf('run-0001', { a: 0, b: 0, c: 0, d: 1, e: 2, f: -1, g: 4 });
    const to = runOf(
      'run-0003',
      { a: 0, b: 3, c: 3, d: 0, e: -1, f: 5, g: 0 },
      {
        events: [
          { runId: 'run-0001', event: 'born', topicId: 0, fromTopicIds: [] },
          { runId: 'run-0002', event: 'split', topicId: 3, fromTopicIds: [0] },
          { runId: 'run-0003', event: 'merged', topicId: 0, fromTopicIds: [0, 1] },
          { runId: 'run-0003', event: 'continued', topicId: 0, fromTopicIds: [0] },
          { runId: 'run-0003', event: 'retired', topicId: 2, fromTopicIds: [] },
        ],
      },
    );
    const { moves, events, born, ended } = compareRuns(from, to);
    const why = new Map(moves.map((move) => [`${move.from_topic_id} ${move.to_topic_id}`, move.why]));
    expect(why).toEqual(
      new Map([
        ['0 3', 'the topic split'],
        ['-1 5', 'a new topic formed'],
        ['1 0', 'the topics merged'],
        ['2 -1', 'their topic ended'],
        ['4 0', 'their topic ended'],
      ]),
    );
    expect(events.map(({ run_id, event }) => `${run_id} ${event}`)).toEqual([
      'run-0002 split',
      'run-0003 merged',
      'run-0003 retired',
    ]);
    expect(events[0]).toMatchObject({ label: 'topic 3', from_labels: ['topic 0'] });
    expect([born.map((t) => t.topic_id), ended.map((t) => t.topic_id)]).toEqual([
      [3, 5],
      [1, 2, 4],
    ]);
  });

  it('orders topics by how much they grew and shrank, and names renamed ones', () => {
    const from = runOf('run-0001', { a: 0, b: 1, c: 1, d: 1, e: 2 });
    const to = runOf('run-0002', { a: 0, b: 1, e: 2, x: 2, y: 2, z: 0 });
    to.topics.set(2, { label: 'another name', size: 3 });
    const { grew, shrank, renamed } = compareRuns(from, to);
    expect(grew.map(({ topic_id, from_size, to_size }) => [topic_id, from_size, to_size])).toEqual([
      [2, 1, 3],
      [0, 1, 2],
    ]);
    expect(shrank.map(({ topic_id }) => topic_id)).toEqual([1]);
    expect(renamed).toEqual([{ topic_id: 2, from: 'topic 2', to: 'another name', size: 3 }]);
  });

  it('names the settings and models that differ', () => {
    const model = { role: 'embed', reference: 'builtin:static', hash: 'a'.repeat(64) };
    const from = runOf(
      'run-0001',
      { a: 0, b: 0 },
      { config: { cluster: { min_samples: 5 } }, models: [model] },
    );
    const to = runOf(
      'run-0002',
      { a: 0, b: 0 },
      { config: { cluster: { min_samples: 1 } }, models: [{ ...model, hash: 'b'.repeat(64) }] },
    );
    expect(compareRuns(from, to).causes).toEqual([
      'cluster.min_samples 5 → 1',
      'model of embed: builtin:static aaaaaaaaaaaa → builtin:static bbbbbbbbbbbb',
    ]);
  });
});
