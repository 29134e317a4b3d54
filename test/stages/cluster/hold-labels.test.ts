import { describe, expect, test } from 'vitest';
import type { History, Matrix } from '../../../pipeline/contract.ts';
import type { Assigned } from '../../../stages/cluster/assigned.ts';
import { holdLabels } from '../../../stages/cluster/hold-labels.ts';

/** Ten members of topic 0 at 0 and ten of topic 1 at 10, both as dense as 1 at birth; one more document at `x`. */
function hold(x: number, was: number, is: number, isNew = false): { topic: number; probability: number } {
  const places = [...new Array<number>(10).fill(0), ...new Array<number>(10).fill(10), x];
  const reduced: Matrix = { n: 21, d: 1, values: Float32Array.from(places) };
  const members = places.map((place) => place / 10);
  const assigned: Assigned = {
    topic: Int32Array.from([...members.slice(0, 20), is]),
    probability: new Float32Array(21).fill(0.5),
    clusters: new Map([
      [0, { birth: 1, death: 4, isNew: false }],
      [1, { birth: 1, death: 4, isNew }],
    ]),
  };
  const history: History = {
    topic: Int32Array.from([...members.slice(0, 20), was]),
    sizes: new Map([
      [0, 10],
      [1, 10],
    ]),
    nextTopicId: 2,
    newborn: new Set(),
    betterNights: 0,
    strangeNights: 0,
  };
  holdLabels(assigned, history, reduced, 5);
  return { topic: assigned.topic[20], probability: assigned.probability[20] };
}

describe('a document', () => {
  test('of a topic stays as an outlier of the cut down to a tenth of the density at which the topic begins', () => {
    expect(hold(-9.9, 0, -1).topic).toBe(0);
    expect(hold(-9.9, 0, -1).probability).toBeCloseTo(1 / 9.9 / 4, 6);
    expect(hold(-10.1, 0, -1)).toEqual({ topic: -1, probability: 0.5 });
  });

  test('outside comes in from three times that density up', () => {
    expect(hold(0.34, -1, 0)).toEqual({ topic: -1, probability: 0 });
    expect(hold(0.33, -1, 0)).toEqual({ topic: 0, probability: 0.5 });
  });

  test('moves to another topic when it is one and a half times better placed there', () => {
    expect(hold(5.9, 0, 1).topic).toBe(0);
    expect(hold(6.1, 0, 1).topic).toBe(1);
  });

  test('goes with a topic that begins tonight', () => {
    expect(hold(8, -1, 1).topic).toBe(-1);
    expect(hold(8, -1, 1, true).topic).toBe(1);
  });

  test('that is new joins the topic that it is best placed in, from 0.65 up', () => {
    expect(hold(1.5, -2, -1).topic).toBe(0);
    expect(hold(8.6, -2, -1).topic).toBe(1);
    expect(hold(1.6, -2, -1).topic).toBe(-1);
    expect(hold(5, -2, 1).topic).toBe(1);
  });
});
