import { describe, expect, it } from 'vitest';
import { bitCount, documentBits, meanNpmi, npmi, sharedBitCount } from '../../pipeline/math/npmi.ts';
import { createRandom } from '../../pipeline/math/random.ts';

describe('npmi', () => {
  it('agrees with Bouma’s formula worked by hand', () => {
    // p(a) = p(b) = 1/2, p(a, b) = 3/8: ln(1.5) / −ln(0.375).
    expect(npmi(4, 4, 3, 8)).toBeCloseTo(0.405465 / 0.980829, 6);
  });

  it('is −1 for terms that never meet, 0 for independent ones, 1 for inseparable ones', () => {
    expect(npmi(3, 4, 0, 10)).toBe(-1);
    expect(npmi(4, 5, 2, 10)).toBeCloseTo(0, 12);
    expect(npmi(3, 3, 3, 10)).toBeCloseTo(1, 12);
    expect(npmi(10, 10, 10, 10)).toBe(1);
  });

  it('is 0 where a term occurs nowhere', () => {
    expect(npmi(0, 3, 0, 10)).toBe(0);
  });
});

describe('documentBits', () => {
  it('counts rows and shared rows as sets do, at every border of 32', () => {
    const random = createRandom(1);
    for (const n of [1, 31, 32, 33, 64, 1000]) {
      const draw = (): Set<number> => new Set(Array.from({ length: n }, () => random.nextBelow(n)));
      const [a, b] = [draw(), draw()];
      const [bitsA, bitsB] = [documentBits([...a], n), documentBits([...b, ...b], n)];
      expect(bitCount(bitsA)).toBe(a.size);
      expect(bitCount(bitsB)).toBe(b.size);
      expect(sharedBitCount(bitsA, bitsB)).toBe([...a].filter((row) => b.has(row)).length);
    }
  });

  it('refuses rows outside the corpus', () => {
    expect(() => documentBits([8], 8)).toThrow('Expected document rows from 0 to 7, got 8.');
    expect(() => documentBits([-1], 8)).toThrow('got -1');
  });
});

describe('meanNpmi', () => {
  it('is the mean over all pairs', () => {
    const n = 8;
    const terms = [[0, 1, 2, 3], [1, 2, 3, 4], [7]].map((rows) => documentBits(rows, n));
    expect(meanNpmi(terms, n)).toBeCloseTo((npmi(4, 4, 3, n) - 1 - 1) / 3, 12);
  });

  it('is 0 for fewer than two terms', () => {
    expect(meanNpmi([], 8)).toBe(0);
    expect(meanNpmi([documentBits([1], 8)], 8)).toBe(0);
  });
});
