import { expect, test } from 'vitest';
import type { History } from '../../../pipeline/contract.ts';
import type { Assigned } from '../../../stages/cluster/assigned.ts';
import { dropSmallBirths, keepDwindling } from '../../../stages/cluster/small-topics.ts';

test('a birth needs a third more documents than a cluster, a topic that continues does not', () => {
  const blocks: [number, number][] = [
    [0, 19],
    [1, 20],
    [2, 15],
  ];
  const labels = Int32Array.from(blocks.flatMap(([label, size]) => new Array<number>(size).fill(label)));
  const ids = { ofCluster: [7, 8, 3], continued: [false, false, true] };
  expect(dropSmallBirths(labels, Int32Array.of(19, 20, 15), ids, 15)).toBe(true);
  expect([labels[0], labels[19], labels[39]]).toEqual([-1, 0, 1]);
  expect(
    dropSmallBirths(labels, Int32Array.of(20, 15), { ofCluster: [8, 3], continued: [false, true] }, 15),
  ).toBe(false);
});

/** A topic that no cluster continues: so many of its documents are outliers now, so many elsewhere. */
function dwindle(outliers: number, elsewhere: number) {
  const n = outliers + elsewhere;
  const assigned: Assigned = {
    topic: Int32Array.from({ length: n }, (_, i) => (i < outliers ? -1 : 5)),
    probability: new Float32Array(n),
    clusters: new Map([[5, { birth: 1, death: 2, isNew: false }]]),
  };
  const history: History = {
    topic: new Int32Array(n).fill(4),
    sizes: new Map([[4, n]]),
    nextTopicId: 6,
    newborn: new Set(),
    betterNights: 0,
    strangeNights: 0,
  };
  const reduced = { n, d: 1, values: Float32Array.from({ length: n }, (_, i) => i) };
  return { kept: keepDwindling(assigned, history, reduced, 15), assigned };
}

test('a topic stays with 0.6 of the documents that a cluster needs', () => {
  const { kept, assigned } = dwindle(9, 0);
  expect(kept).toEqual([4]);
  expect([...assigned.topic]).toEqual(new Array(9).fill(4));
  expect(Math.max(...assigned.probability)).toBe(1);
  expect(Math.min(...assigned.probability)).toBeGreaterThan(0.5);
  expect(dwindle(8, 0).kept).toEqual([]);
});

test('a topic whose documents went to other topics is gone', () => {
  expect(dwindle(12, 12).kept).toEqual([4]);
  expect(dwindle(12, 13).kept).toEqual([]);
});
