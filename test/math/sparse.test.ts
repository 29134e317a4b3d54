import { describe, expect, it } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import { Arena, paddedWidth, type SparseRows, widthStep } from '../../pipeline/math/sparse.ts';

const [n, v, width, perRow] = [7, 5, 2 * widthStep, 3];

function example() {
  const random = createRandom(11);
  const arena = new Arena(
    Arena.bytesFor(n + 1, n * perRow, n * perRow, v * width, v * width, n * width, n * width),
  );
  const rows: SparseRows = {
    n,
    offsets: arena.integers(n + 1),
    columns: arena.integers(n * perRow),
    values: arena.floats(n * perRow),
  };
  // Row 4 is empty; columns repeat within a row.
  let size = 0;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < perRow && i !== 4; k++) {
      rows.columns[size] = random.nextBelow(v);
      rows.values[size++] = random.nextNormal();
    }
    rows.offsets[i + 1] = size;
  }
  const fill = (array: Float32Array): Float32Array => array.map(() => random.nextNormal());
  return { arena, rows, fill };
}

describe('sparse products', () => {
  it('add value · dense row, entry by entry', () => {
    const { arena, rows, fill } = example();
    const dense = arena.floats(v * width);
    dense.set(fill(dense));
    const out = arena.floats(n * width);
    out.fill(0.5);
    arena.multiplyInto(rows, dense, width, out);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < width; j++) {
        let expected = 0.5;
        for (let k = rows.offsets[i]; k < rows.offsets[i + 1]; k++) {
          expected += rows.values[k] * dense[rows.columns[k] * width + j];
        }
        expect(out[i * width + j]).toBeCloseTo(expected, 5);
      }
    }
  });

  it('are each other’s transpose: ⟨A·x, y⟩ = ⟨x, Aᵀ·y⟩', () => {
    const { arena, rows, fill } = example();
    const [x, forth] = [arena.floats(v * width), arena.floats(n * width)];
    const [y, back] = [arena.floats(n * width), arena.floats(v * width)];
    x.set(fill(x));
    y.set(fill(y));
    arena.multiplyInto(rows, x, width, forth);
    arena.multiplyTransposedInto(rows, y, width, back);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, at) => sum + value * b[at], 0);
    expect(dot(forth, y)).toBeCloseTo(dot(x, back), 3);
    expect(Math.abs(dot(forth, y))).toBeGreaterThan(0.1);
  });

  it('refuse columns outside the matrix, odd widths and arrays of another arena', () => {
    const { arena, rows } = example();
    const dense = arena.floats(v * width);
    const out = arena.floats(n * width);
    rows.columns[2] = v;
    expect(() => arena.multiplyInto(rows, dense, width, out)).toThrow(
      `columns below ${v}, got ${v} at entry 2`,
    );
    rows.columns[2] = -1;
    expect(() => arena.multiplyInto(rows, dense, width, out)).toThrow('got -1 at entry 2');
    rows.columns[2] = 0;
    expect(() => arena.multiplyInto(rows, dense, 20, out)).toThrow('that 16 divides, got 20');
    expect(() => arena.multiplyInto(rows, dense, width, out.subarray(width))).toThrow(/need \d+ numbers/);
    expect(() => arena.multiplyInto(rows, new Float32Array(v * width), width, out)).toThrow(
      'outside the arena',
    );
  });

  it('take no more from an arena than it holds', () => {
    const arena = new Arena(1000);
    expect(() => arena.floats(20_000)).toThrow(RangeError);
  });
});

describe('paddedWidth', () => {
  it('rounds up to whole turns of the kernel', () => {
    expect([1, 16, 17, 272].map(paddedWidth)).toEqual([16, 16, 32, 272]);
  });
});
