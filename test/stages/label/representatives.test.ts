import { describe, expect, it } from 'vitest';
import { distancesToCenter, medoid, representatives } from '../../../stages/label/representatives.ts';

const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

describe('distancesToCenter', () => {
  it('is the cosine distance from the mean of unit vectors, whatever their lengths', () => {
    const distances = distancesToCenter({ n: 2, d: 2, values: Float32Array.of(5, 0, 0, 0.1) });
    // The centre lies at 45°, which both axes are away from.
    expect(distances[0]).toBeCloseTo(1 - Math.SQRT1_2, 7);
    expect(distances[1]).toBeCloseTo(1 - Math.SQRT1_2, 7);
  });

  it('is 0 for equal vectors and 1 for vectors of zeros', () => {
    const vectors = { n: 3, d: 2, values: Float32Array.of(1, 2, 1, 2, 0, 0) };
    const distances = distancesToCenter(vectors);
    expect(distances[0]).toBeGreaterThanOrEqual(0);
    expect(distances[0]).toBeCloseTo(0, 12);
    expect(distances[2]).toBe(1);
  });

  it('is 1 where the vectors cancel out', () => {
    const vectors = { n: 2, d: 1, values: Float32Array.of(1, -1) };
    expect(Array.from(distancesToCenter(vectors))).toEqual([1, 1]);
  });
});

describe('representatives', () => {
  it('takes sure members near the centre first, ties by id, five at most', () => {
    const rows = Int32Array.of(6, 0, 1, 2, 3, 4, 5);
    const distances = Float64Array.of(0.2, 0.2, 0.1, 0.9, 0.2, 0.5, 0.3);
    const probability = Float32Array.of(1, 1, 1, 0.1, 1, 1, 1);
    expect(representatives(rows, distances, probability, ids)).toEqual([1, 0, 6, 5, 4]);
  });
});

describe('medoid', () => {
  it('is the document nearest the median position, unmoved by one far away', () => {
    const x = Float32Array.of(0, 1, 2, 1, 1000);
    const y = Float32Array.of(0, 1, 2, 1.2, -1000);
    expect(medoid(Int32Array.of(0, 1, 2, 3, 4), { x, y }, ids)).toBe(1);
  });

  it('takes the lower id of equally near documents', () => {
    const positions = { x: Float32Array.of(1, -1), y: Float32Array.of(0, 0) };
    expect(medoid(Int32Array.of(0, 1), positions, ['z', 'b'])).toBe(1);
  });
});
