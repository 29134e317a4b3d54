import { describe, expect, it } from 'vitest';
import { classTfIdf } from '../../pipeline/math/class-tf-idf.ts';

// Two classes over three terms:
//            cat  dog  fish
//   class 0    3    1     0     4 terms
//   class 1    1    0     6     7 terms
// A = trunc(11 / 2) = 5; f = 4, 1, 6.
const counts = {
  offsets: Int32Array.of(0, 2, 4),
  terms: Int32Array.of(0, 1, 0, 2),
  values: Int32Array.of(3, 1, 1, 6),
};

describe('classTfIdf', () => {
  it('is the term’s share of its class times ln(1 + A / f), A cut to a whole number as in BERTopic', () => {
    const weights = classTfIdf(counts, { c: 2, v: 3 });
    expect(Array.from(weights)).toEqual([
      (3 / 4) * Math.log(1 + 5 / 4),
      (1 / 4) * Math.log(1 + 5 / 1),
      (1 / 7) * Math.log(1 + 5 / 4),
      (6 / 7) * Math.log(1 + 5 / 6),
    ]);
  });

  it('weighs as BM25 with ln(1 + (A − f + 0.5) / (f + 0.5)), below zero for terms commoner than A + 0.5', () => {
    const weights = classTfIdf(counts, { c: 2, v: 3, bm25Weighting: true });
    expect(weights[0]).toBeCloseTo((3 / 4) * Math.log(1 + 1.5 / 4.5), 15);
    expect(weights[1]).toBeCloseTo((1 / 4) * Math.log(1 + 4.5 / 1.5), 15);
    expect(weights[3]).toBeCloseTo((6 / 7) * Math.log(1 - 0.5 / 6.5), 15);
    expect(weights[3]).toBeLessThan(0);
  });

  it('takes the root of the share, not of the count, where frequent words are to be reduced', () => {
    const weights = classTfIdf(counts, { c: 2, v: 3, reduceFrequentWords: true });
    expect(weights[0]).toBeCloseTo(Math.sqrt(3 / 4) * Math.log(1 + 5 / 4), 15);
    expect(weights[2]).toBeCloseTo(Math.sqrt(1 / 7) * Math.log(1 + 5 / 4), 15);
  });

  it('leaves its input as it was', () => {
    const values = Float64Array.of(3, 1, 1, 6);
    classTfIdf({ ...counts, values }, { c: 2, v: 3, reduceFrequentWords: true });
    expect(Array.from(values)).toEqual([3, 1, 1, 6]);
  });

  it('gives an empty class, a class of zeros and an unused term no weight', () => {
    const weights = classTfIdf({ offsets: [0, 0, 1, 2], terms: [1, 0], values: [0, 4] }, { c: 3, v: 3 });
    expect(Array.from(weights)).toEqual([0, Math.log(1 + 1 / 4)]);
    expect(classTfIdf({ offsets: [0], terms: [], values: [] }, { c: 0, v: 0 })).toHaveLength(0);
  });

  it('does not depend on the order of terms within a class', () => {
    const turned = classTfIdf({ ...counts, terms: [1, 0, 2, 0], values: [1, 3, 6, 1] }, { c: 2, v: 3 });
    const weights = classTfIdf(counts, { c: 2, v: 3 });
    expect(Array.from(turned)).toEqual([weights[1], weights[0], weights[3], weights[2]]);
  });

  it('refuses a matrix that does not fit, with both numbers', () => {
    expect(() => classTfIdf(counts, { c: 3, v: 3 })).toThrow('Expected 4 offsets for 3 classes, got 3.');
    expect(() => classTfIdf(counts, { c: 2, v: 2 })).toThrow('Expected terms from 0 to 1, got 2 at entry 3.');
    expect(() => classTfIdf({ ...counts, values: [1] }, { c: 2, v: 3 })).toThrow(
      'Expected as many values as terms, got 1 and 4.',
    );
    expect(() => classTfIdf({ ...counts, values: [1, 1, Number.NaN, 1] }, { c: 2, v: 3 })).toThrow(
      'got NaN at entry 2',
    );
    expect(() => classTfIdf({ ...counts, values: [1, -1, 1, 1] }, { c: 2, v: 3 })).toThrow(
      'got -1 at entry 1',
    );
    expect(() => classTfIdf({ ...counts, offsets: [0, 5, 4] }, { c: 2, v: 3 })).toThrow(
      'Expected offsets to ascend, got 5 before 4 at class 1.',
    );
    expect(() => classTfIdf({ ...counts, offsets: [0, 2, 3] }, { c: 2, v: 3 })).toThrow(
      'Expected offsets to run from 0 to 4, got 0 to 3.',
    );
  });
});
