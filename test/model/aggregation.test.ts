import { describe, expect, it } from 'vitest';
import {
  type Aggregation,
  groupWords,
  labelWords,
  probabilitiesOf,
} from '../../pipeline/model/aggregation.ts';
import { readTagScheme } from '../../pipeline/model/tag-scheme.ts';

describe('probabilitiesOf', () => {
  it('gives rows that sum to 1, whatever the size of the logits', () => {
    const rows = probabilitiesOf(Float32Array.of(0, Math.log(3), 1000, 1000, -1000, 0), 2);
    expect(Array.from(rows.subarray(0, 2))).toEqual([0.25, 0.75].map((share) => expect.closeTo(share, 6)));
    expect(Array.from(rows.subarray(2))).toEqual([0.5, 0.5, 0, 1]);
  });

  it('is sure to exactly 1 where single precision knows no difference', () => {
    expect(probabilitiesOf(Float32Array.of(17, 0), 2)[0]).toBe(1);
    expect(probabilitiesOf(Float32Array.of(15, 0), 2)[0]).toBeLessThan(1);
  });
});

describe('labelWords', () => {
  // Two words, of three pieces and one; labels O, B, I.
  const probabilities = Float32Array.of(
    ...[0.1, 0.5, 0.4],
    ...[0.25, 0.05, 0.7],
    ...[0.8, 0.1, 0.1],
    ...[0.3, 0.3, 0.4],
  );
  const firsts = Int32Array.of(0, 3, 4);
  const label = (aggregation: Aggregation): [number, number][] => {
    const { labels, scores } = labelWords(probabilities, 3, firsts, aggregation);
    return Array.from(labels, (one, i) => [one, Number(scores[i].toFixed(6))]);
  };

  it('takes the first piece', () => {
    expect(label('first')).toEqual([
      [1, 0.5],
      [2, 0.4],
    ]);
  });
  it('takes the largest mean over the pieces', () => {
    // Means: 0.383, 0.217, 0.4.
    expect(label('average')).toEqual([
      [2, 0.4],
      [2, 0.4],
    ]);
  });
  it('takes the surest piece', () => {
    expect(label('max')).toEqual([
      [0, 0.8],
      [2, 0.4],
    ]);
  });
  it('takes the first of equals, label and piece', () => {
    const equal = Float32Array.of(0.2, 0.4, 0.4, 0.4, 0.4, 0.2);
    for (const aggregation of ['first', 'max', 'average'] as const) {
      expect(labelWords(equal, 3, Int32Array.of(0, 2), aggregation).labels[0]).toBe(1);
    }
  });
});

describe('groupWords', () => {
  /** Entities of a sequence of labels, with 0.5, 0.25, 0.125, … for scores. */
  const group = (...sequence: string[]) => {
    const set = [...new Set(['O', 'B-x', 'I-x', ...sequence])];
    const scores = Float32Array.from(sequence, (_, i) => 2 ** -(i + 1));
    const labels = Int32Array.from(sequence, (label) => set.indexOf(label));
    return groupWords({ labels, scores }, readTagScheme(set, 'config.json'));
  };
  const picture = (...sequence: string[]) =>
    group(...sequence).map(({ start, end, type }) => `${start}-${end} ${type}`);

  it('joins B- and the I- after it, and gives the mean of their scores', () => {
    expect(group('B-x', 'I-x', 'O')).toEqual([{ start: 0, end: 2, type: 'x', score: 0.375 }]);
  });
  it('keeps an entity that is open at the end', () => {
    expect(picture('O', 'B-x', 'I-x')).toEqual(['1-3 x']);
  });
  it('begins anew at B-, at another type and after O', () => {
    expect(picture('B-x', 'B-x', 'I-y', 'O', 'I-y')).toEqual(['0-1 x', '1-2 x', '2-3 y', '4-5 y']);
  });
  it('takes an I- that goes on with nothing for a beginning', () => {
    expect(picture('I-x', 'I-x', 'B-x')).toEqual(['0-2 x', '2-3 x']);
  });
  it('joins neighbours of one type where labels have no prefix', () => {
    const scheme = readTagScheme(['O', 'x', 'y'], 'config.json');
    const words = { labels: Int32Array.of(1, 1, 2, 0, 2), scores: new Float32Array(5) };
    expect(groupWords(words, scheme).map(({ start, end, type }) => [start, end, type])).toEqual([
      [0, 2, 'x'],
      [2, 3, 'y'],
      [4, 5, 'y'],
    ]);
  });
  it('ends an entity at E- and S-, and lets S- stand alone', () => {
    expect(picture('B-x', 'I-x', 'E-x', 'I-x', 'S-x', 'S-x', 'I-x', 'E-x')).toEqual([
      '0-3 x',
      '3-4 x',
      '4-5 x',
      '5-6 x',
      '6-8 x',
    ]);
    expect(picture('B-x', 'L-x', 'U-x', 'B-x', 'O')).toEqual(['0-2 x', '2-3 x', '3-4 x']);
    expect(picture('E-x', 'E-x')).toEqual(['0-1 x', '1-2 x']);
  });
});
