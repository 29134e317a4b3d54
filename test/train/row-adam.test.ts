import { describe, expect, it } from 'vitest';
import { RowAdam } from '../../pipeline/train/row-adam.ts';

describe('RowAdam', () => {
  it('moves by the rate against the sign of the first gradient, whatever its size', () => {
    const adam = new RowAdam(2, 2);
    const table = Float64Array.of(1, 1, 1, 1);
    const gradient = Float64Array.of(0, 0, 1e-3, -200);
    adam.update(table, gradient, [1], 0.1);
    expect(table[0]).toBe(1);
    expect(table[2]).toBeCloseTo(0.9, 4);
    expect(table[3]).toBeCloseTo(1.1, 4);
  });

  it('sets the gradient of moved rows to zero and leaves other rows alone', () => {
    const adam = new RowAdam(2, 2);
    const table = Float64Array.of(1, 1, 1, 1);
    const gradient = Float64Array.of(5, 5, 5, 5);
    adam.update(table, gradient, [0], 0.1);
    expect([...gradient]).toEqual([0, 0, 5, 5]);
    expect([...table.subarray(2)]).toEqual([1, 1]);
  });

  it('takes the steps of the textbook, moments and corrections worked out one by one', () => {
    const adam = new RowAdam(1, 1);
    const table = Float64Array.of(0);
    let [mean, spread, expected] = [0, 0, 0];
    for (const [index, slope] of [0.5, -0.25, 2].entries()) {
      adam.update(table, Float64Array.of(slope), [0], 0.01);
      mean = 0.9 * mean + 0.1 * slope;
      spread = 0.999 * spread + 0.001 * slope * slope;
      const t = index + 1;
      expected -= (0.01 * (mean / (1 - 0.9 ** t))) / (Math.sqrt(spread / (1 - 0.999 ** t)) + 1e-8);
    }
    expect(table[0]).toBeCloseTo(expected, 6);
  });

  it('goes on from a state as if it had never stopped', () => {
    const [whole, table] = [Float64Array.of(1), Float64Array.of(1)];
    const first = new RowAdam(1, 1);
    first.update(whole, Float64Array.of(3), [0], 0.1);
    table.set(whole);
    const second = new RowAdam(1, 1);
    second.restore(new Map(first.state().map(([name, array]) => [name, array.slice()])), 1);
    first.update(whole, Float64Array.of(-1), [0], 0.1);
    second.update(table, Float64Array.of(-1), [0], 0.1);
    expect(table[0]).toBe(whole[0]);
  });
});
