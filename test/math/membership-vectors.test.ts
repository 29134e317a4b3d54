import { describe, expect, test } from 'vitest';
import { fitHdbscan } from '../../pipeline/math/hdbscan.ts';
import { allPointsMembershipVectors, membershipVectors } from '../../pipeline/math/membership-vectors.ts';
import { byDefinition } from './soft-clustering-by-definition.ts';
import { fittedSets } from './soft-clustering-sets.ts';

describe.each(fittedSets)('$name', ({ data, fresh, model }) => {
  const c = Math.max(...model.labels) + 1;
  const ofRows = allPointsMembershipVectors(model);
  const ofPoints = membershipVectors(model, Float64Array.from(fresh.flat()));
  const definition = byDefinition(model, data);
  const expectClose = (vectors: Float32Array, expected: number[][]) => {
    expect(vectors).toHaveLength(expected.length * c);
    for (const [i, value] of expected.flat().entries()) expect(vectors[i]).toBeCloseTo(value, 6);
  };

  test('rows of the model have the vectors of the definition', () => {
    expectClose(
      ofRows,
      data.map((_, row) => definition.ofRow(row)),
    );
  });

  test('new points have the vectors of the definition', () => {
    expectClose(ofPoints, fresh.map(definition.ofPoint));
  });

  test('shares are no less than 0 and sum to a chance of at most 1', () => {
    for (const vectors of [ofRows, ofPoints]) {
      for (let from = 0; from < vectors.length; from += c) {
        const shares = vectors.subarray(from, from + c);
        expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-6);
      }
    }
  });

  test('the likeliest cluster of a member is its own', () => {
    const members = [...model.labels.keys()].filter((row) => model.labels[row] >= 0);
    const own = members.filter((row) => {
      const shares = ofRows.subarray(row * c, (row + 1) * c);
      return shares.indexOf(Math.max(...shares)) === model.labels[row];
    });
    expect(own.length).toBeGreaterThanOrEqual(0.95 * members.length);
  });

  test('a point far from all belongs nowhere', () => {
    expect(ofPoints.subarray(-c).reduce((sum, share) => sum + share, 0)).toBeLessThan(0.01);
  });
});

test('no clusters, no shares', () => {
  const model = fitHdbscan(Float64Array.of(0, 1, 2), { n: 3, d: 1, minClusterSize: 5 });
  expect(allPointsMembershipVectors(model)).toHaveLength(0);
  expect(membershipVectors(model, Float64Array.of(1))).toHaveLength(0);
});

test('equal points belong to their heap for certain, though their density is infinite', () => {
  const heaps = Float64Array.from({ length: 20 }, (_, i) => i % 2);
  const model = fitHdbscan(heaps, { n: 20, d: 1, minClusterSize: 5 });
  expect([...allPointsMembershipVectors(model)]).toEqual(
    Array.from({ length: 40 }, (_, i) => (i % 4 === 0 || i % 4 === 3 ? 1 : 0)),
  );
  expect([...membershipVectors(model, Float64Array.of(0, 1))]).toEqual([1, 0, 0, 1]);
});
