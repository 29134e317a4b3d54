import { describe, expect, test } from 'vitest';
import type { History, TopicEvent } from '../../../pipeline/contract.ts';
import { matchTopics } from '../../../stages/cluster/match-topics.ts';
import { measureOverlap } from '../../../stages/cluster/overlap.ts';
import { topicEvents } from '../../../stages/cluster/topic-events.ts';

/**
 * One block of documents for each entry: how many, which topic they had (−1 outlier, −2 unknown) and which
 * cluster they are in now (−1 outlier).
 */
type Block = [documents: number, was: number, is: number];

function follow(
  blocks: Block[],
  gone: [topic: number, documents: number][] = [],
  newborn = new Set<number>(),
) {
  const nextTopicId = 10;
  const topic = blocks.flatMap(([documents, was]) => new Array<number>(documents).fill(was));
  const labels = Int32Array.from(
    blocks.flatMap(([documents, , is]) => new Array<number>(documents).fill(is)),
  );
  const clusters = Math.max(-1, ...labels) + 1;
  const sizes = new Int32Array(clusters);
  for (const label of labels) if (label >= 0) sizes[label]++;
  const history: History = {
    topic: Int32Array.from(topic),
    sizes: new Map(gone),
    nextTopicId,
    newborn,
    betterNights: 0,
    strangeNights: 0,
  };
  for (const id of topic) if (id >= 0) history.sizes.set(id, (history.sizes.get(id) ?? 0) + 1);
  const overlap = measureOverlap(labels, clusters, history);
  const ids = matchTopics(sizes, overlap, nextTopicId);
  return { ids: ids.ofCluster, events: topicEvents(ids, overlap, newborn).map(show) };
}

function show({ event, topicId, fromTopicIds }: TopicEvent): string {
  return `${event} ${topicId} from ${fromTopicIds.join(' ') || 'nothing'}`;
}

describe('ids', () => {
  test('on the first run count from 0 by size, ties by lowest row', () => {
    const { ofCluster, continued } = matchTopics(Int32Array.of(20, 30, 20), null, 0);
    expect(ofCluster).toEqual([1, 0, 2]);
    expect(continued).toEqual([false, false, false]);
  });

  test('are kept by what overlaps most, and fresh ones go on from the last ever used', () => {
    const found = follow([
      [20, 3, 0],
      [5, -1, 0],
      [30, 7, 1],
      [25, -2, 2],
    ]);
    expect(found.ids).toEqual([3, 7, 10]);
  });

  test('are given to the largest new cluster first', () => {
    expect(
      follow([
        [15, -2, 0],
        [40, -2, 1],
        [15, -1, 2],
      ]).ids,
    ).toEqual([11, 10, 12]);
  });

  test('are not kept at a Jaccard overlap below 0.3', () => {
    // 29 shared of 100, and 30 of 100.
    const at = (shared: number) =>
      follow([
        [shared, 4, 0],
        [50 - shared, 4, -1],
        [50, -1, 0],
      ]).ids;
    expect(at(29)).toEqual([10]);
    expect(at(30)).toEqual([4]);
  });

  test('count only documents that both runs had', () => {
    // 100 newcomers would push the overlap down to 0.2.
    expect(
      follow([
        [25, 4, 0],
        [100, -2, 0],
      ]).ids,
    ).toEqual([4]);
  });

  test('go to the pairing that overlaps most in all', () => {
    // Cluster 0 overlaps topic 1 most, but topic 2 has no one else, and cluster 1 only topic 1.
    const found = follow([
      [50, 1, 0],
      [40, 1, 1],
      [45, 2, 0],
    ]);
    expect(found.ids).toEqual([2, 1]);
  });
});

describe('events', () => {
  test('a first run bears every topic', () => {
    const ids = matchTopics(Int32Array.of(20, 30), null, 0);
    expect(topicEvents(ids, null).map(show)).toEqual(['born 0 from nothing', 'born 1 from nothing']);
  });

  test('a topic that stays is continued, one that dissolves or empties is retired, a new one is born', () => {
    const found = follow(
      [
        [20, 2, 0],
        [20, 5, -1],
        [20, -2, 1],
      ],
      [[8, 17]],
    );
    expect(found.events).toEqual([
      'continued 2 from 2',
      'born 10 from nothing',
      'emerging 10 from nothing',
      'retired 5 from nothing',
      'retired 8 from nothing',
    ]);
  });

  test('two parts of a quarter or more are a split; the part that keeps the id is continued too', () => {
    const found = follow([
      [60, 2, 0],
      [40, 2, 1],
      [5, -1, 1],
    ]);
    expect(found.ids).toEqual([2, 10]);
    expect(found.events).toEqual([
      'continued 2 from 2',
      'split 2 from 2',
      'split 10 from 2',
      'emerging 10 from nothing',
    ]);
  });

  test('a part below a quarter, or of mixed origin, is no split', () => {
    expect(
      follow([
        [76, 2, 0],
        [24, 2, 1],
      ]).events,
    ).toEqual(['continued 2 from 2', 'born 10 from nothing', 'emerging 10 from nothing']);
    expect(
      follow([
        [60, 2, 0],
        [40, 2, 1],
        [11, -1, 1],
      ]).events,
    ).toEqual(['continued 2 from 2', 'born 10 from nothing', 'emerging 10 from nothing']);
  });

  test('two topics that make up a quarter or more each are a merger; the id that is lost retires', () => {
    const found = follow([
      [60, 2, 0],
      [40, 3, 0],
      [10, 3, -1],
    ]);
    expect(found.events).toEqual(['continued 2 from 2', 'merged 2 from 2 3', 'retired 3 from nothing']);
  });

  test('four equal parts of one topic are a split with fresh ids, and the old topic retires', () => {
    const found = follow([
      [25, 2, 0],
      [25, 2, 1],
      [25, 2, 2],
      [25, 2, 3],
    ]);
    expect(found.events).toEqual([
      'split 10 from 2',
      'emerging 10 from nothing',
      'split 11 from 2',
      'emerging 11 from nothing',
      'split 12 from 2',
      'emerging 12 from nothing',
      'split 13 from 2',
      'emerging 13 from nothing',
      'retired 2 from nothing',
    ]);
  });

  test('a birth emerges on its own night and the next', () => {
    expect(follow([[20, 4, 0]], [], new Set([4])).events).toEqual([
      'continued 4 from 4',
      'emerging 4 from nothing',
    ]);
    expect(follow([[20, 4, 0]]).events).toEqual(['continued 4 from 4']);
  });

  test('tell why topics were found anew', () => {
    const ids = matchTopics(Int32Array.of(20), null, 0);
    expect(topicEvents(ids, null, new Set(), 'run.refresh is refit')[0].reason).toBe('run.refresh is refit');
  });
});
