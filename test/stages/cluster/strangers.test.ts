import { describe, expect, test } from 'vitest';
import { areStrange } from '../../../stages/cluster/strangers.ts';

/** Documents of one topic, of which the first are outliers: 1,000 early ones, then the late ones. */
function strange(outliers: number, late: number, lateOutliers: number): boolean {
  const n = 1000 + late;
  const topic = new Int32Array(n).fill(-1, 0, outliers).fill(-1, 1000, 1000 + lateOutliers);
  return areStrange(
    topic,
    Uint8Array.from({ length: n }, (_, i) => (i < 1000 ? 0 : 1)),
  );
}

describe('late documents are strangers', () => {
  test('from ten in a hundred more outliers than among the others on', () => {
    expect(strange(200, 200, 60)).toBe(true);
    expect(strange(200, 200, 59)).toBe(false);
  });

  test('not before there are a hundred of them', () => {
    expect(strange(200, 100, 100)).toBe(true);
    expect(strange(200, 99, 99)).toBe(false);
  });

  test('not where there are no others', () => {
    expect(areStrange(new Int32Array(150).fill(-1), new Uint8Array(150).fill(1))).toBe(false);
  });
});
