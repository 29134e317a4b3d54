import { describe, expect, it } from 'vitest';
import { countTerms, inverseDocumentFrequency, sublinear, weightTerms } from '../../pipeline/math/tf-idf.ts';

// Three documents over four terms: [0 1 0], [], [1 2 2 2].
const ids = Int32Array.of(0, 1, 0, 1, 2, 2, 2);
const starts = Int32Array.of(0, 3, 3, 7);

describe('countTerms', () => {
  it('gives one entry per term of a document, in order of first occurrence', () => {
    const { n, offsets, columns, values } = countTerms(ids, starts, 4);
    expect(n).toBe(3);
    expect([...offsets]).toEqual([0, 2, 2, 4]);
    expect([...columns]).toEqual([0, 1, 1, 2]);
    expect([...values]).toEqual([2, 1, 1, 3]);
  });
});

describe('inverseDocumentFrequency', () => {
  it('is ln(n / df), and 0 for terms of too few documents', () => {
    const counts = countTerms(ids, starts, 4);
    const all = inverseDocumentFrequency(counts, 4, 1);
    expect(all[0]).toBeCloseTo(Math.log(3));
    expect(all[1]).toBeCloseTo(Math.log(3 / 2));
    expect(all[3]).toBe(0);
    expect([...inverseDocumentFrequency(counts, 4, 2)].map((value) => value > 0)).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });
});

describe('weightTerms', () => {
  it('weights by 1 + ln count and idf, and scales each row to length 1', () => {
    const counts = countTerms(ids, starts, 4);
    const { values } = weightTerms(counts, Float32Array.of(1, 2, 1, 1));
    const [a, b] = [1 + Math.log(2), 2];
    expect(values[0]).toBeCloseTo(a / Math.hypot(a, b));
    expect(values[1]).toBeCloseTo(b / Math.hypot(a, b));
    expect(Math.hypot(values[2], values[3])).toBeCloseTo(1);
    expect(sublinear(1)).toBe(1);
  });

  it('leaves a row of zeros where no term has weight', () => {
    const { values } = weightTerms(countTerms(ids, starts, 4), new Float32Array(4));
    expect([...values]).toEqual([0, 0, 0, 0]);
  });
});
