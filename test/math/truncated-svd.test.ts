import { describe, expect, it } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import type { SparseRows } from '../../pipeline/math/sparse.ts';
import { truncatedSvd } from '../../pipeline/math/truncated-svd.ts';

/** The entries of a dense matrix that are not 0. */
function sparseOf(rows: number[][]): SparseRows {
  const offsets = [0];
  const columns: number[] = [];
  const values: number[] = [];
  for (const row of rows) {
    for (const [column, value] of row.entries()) {
      if (value === 0) continue;
      columns.push(column);
      values.push(value);
    }
    offsets.push(columns.length);
  }
  return {
    n: rows.length,
    offsets: Int32Array.from(offsets),
    columns: Int32Array.from(columns),
    values: Float32Array.from(values),
  };
}

const column = (components: Float32Array, k: number, q: number): number[] =>
  [...components].filter((_, at) => at % k === q);

describe('truncatedSvd', () => {
  it('finds the values and axes of a diagonal matrix', async () => {
    const matrix = sparseOf([
      [3, 0, 0],
      [0, 5, 0],
      [0, 0, 1],
      [0, 0, 0],
    ]);
    const { values, components } = await truncatedSvd(matrix, 3, { k: 2, random: createRandom(1) });
    expect(values[0]).toBeCloseTo(5, 4);
    expect(values[1]).toBeCloseTo(3, 4);
    expect(column(components, 2, 0).map(Math.abs)).toEqual([
      expect.closeTo(0, 4),
      expect.closeTo(1, 4),
      expect.closeTo(0, 4),
    ]);
  });

  it('finds the values of a matrix worked by hand: [[3, 0], [4, 5]] has √45 and √5', async () => {
    const { values, components } = await truncatedSvd(
      sparseOf([
        [3, 0],
        [4, 5],
      ]),
      2,
      { k: 2, random: createRandom(2) },
    );
    expect(values[0]).toBeCloseTo(Math.sqrt(45), 4);
    expect(values[1]).toBeCloseTo(Math.sqrt(5), 4);
    expect(Math.abs(column(components, 2, 0)[0])).toBeCloseTo(Math.SQRT1_2, 4);
  });

  it('gives 0 beyond the rank', async () => {
    const matrix = sparseOf([
      [1, 2, 0, 3],
      [2, 4, 0, 6],
      [0, 0, 0, 1],
    ]);
    const { values, components } = await truncatedSvd(matrix, 4, { k: 4, random: createRandom(3) });
    expect(values[1]).toBeGreaterThan(0.1);
    expect([values[2], values[3]]).toEqual([0, 0]);
    expect(column(components, 4, 3)).toEqual([0, 0, 0, 0]);
  });

  it('has orthonormal components and captures what its values say, on 300 random rows', async () => {
    const random = createRandom(4);
    const rows = Array.from({ length: 300 }, (_, i) =>
      Array.from({ length: 80 }, (_, t) =>
        random.nextFloat() < 0.1 ? 1 + random.nextFloat() + (i % 4 === t % 4 ? 2 : 0) : 0,
      ),
    );
    const k = 10;
    const { values, components } = await truncatedSvd(sparseOf(rows), 80, { k, random: createRandom(5) });
    for (let p = 0; p < k; p++) {
      const a = column(components, k, p);
      for (let q = 0; q <= p; q++) {
        const b = column(components, k, q);
        const dot = a.reduce((sum, value, at) => sum + value * b[at], 0);
        expect(dot).toBeCloseTo(p === q ? 1 : 0, 4);
      }
      const length = Math.hypot(...rows.map((row) => row.reduce((sum, value, at) => sum + value * a[at], 0)));
      expect(length).toBeCloseTo(values[p], 2);
    }
    expect([...values]).toEqual([...values].sort((a, b) => b - a));
  });

  it('gives equal bytes for equal seeds', async () => {
    const matrix = sparseOf([
      [1, 2, 0, 3],
      [2, 1, 0, 6],
      [0, 5, 1, 1],
    ]);
    const run = async () => (await truncatedSvd(matrix, 4, { k: 2, random: createRandom(6) })).components;
    expect(await run()).toEqual(await run());
  });
});
