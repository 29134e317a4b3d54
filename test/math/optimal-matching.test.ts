import { describe, expect, test } from 'vitest';
import { optimalMatching, type WeightedPair } from '../../pipeline/math/optimal-matching.ts';
import { createRandom } from '../../pipeline/math/random.ts';

function total(pairs: WeightedPair[], matched: Int32Array): number {
  let sum = 0;
  matched.forEach((column, row) => {
    if (column >= 0) sum += pairs.find((pair) => pair.row === row && pair.column === column)?.weight ?? NaN;
  });
  return sum;
}

/** Tries every matching. */
function best(pairs: WeightedPair[], row: number, rows: number, used: Set<number>): number {
  if (row === rows) return 0;
  let most = best(pairs, row + 1, rows, used);
  for (const pair of pairs) {
    if (pair.row !== row || used.has(pair.column)) continue;
    used.add(pair.column);
    most = Math.max(most, pair.weight + best(pairs, row + 1, rows, used));
    used.delete(pair.column);
  }
  return most;
}

test('gives up the best single pair where two others add up to more', () => {
  const pairs = [
    { row: 0, column: 0, weight: 0.6 },
    { row: 0, column: 1, weight: 0.5 },
    { row: 1, column: 0, weight: 0.5 },
  ];
  expect([...optimalMatching(pairs, 2, 2)]).toEqual([1, 0]);
});

test('leaves rows and columns without a pair alone', () => {
  expect([...optimalMatching([{ row: 1, column: 2, weight: 0.4 }], 3, 4)]).toEqual([-1, 2, -1]);
  expect([...optimalMatching([], 2, 0)]).toEqual([-1, -1]);
  expect([...optimalMatching([], 0, 3)]).toEqual([]);
});

test('one column for two rows goes to the heavier pair, the lower row among equals', () => {
  const pairs = (first: number, second: number) => [
    { row: 0, column: 0, weight: first },
    { row: 1, column: 0, weight: second },
  ];
  expect([...optimalMatching(pairs(0.4, 0.5), 2, 1)]).toEqual([-1, 0]);
  expect([...optimalMatching(pairs(0.5, 0.4), 2, 1)]).toEqual([0, -1]);
  expect([...optimalMatching(pairs(0.5, 0.5), 2, 1)]).toEqual([0, -1]);
});

describe.each([1, 2, 3, 4, 5, 6, 7, 8])('random pairs, seed %i', (seed) => {
  test('no other matching weighs more, and no column is used twice', () => {
    const random = createRandom(seed);
    const rows = 1 + random.nextBelow(6);
    const columns = 1 + random.nextBelow(6);
    const pairs: WeightedPair[] = [];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        if (random.nextFloat() < 0.5) pairs.push({ row, column, weight: 0.3 + random.nextFloat() });
      }
    }
    const matched = optimalMatching(pairs, rows, columns);
    const used = [...matched].filter((column) => column >= 0);
    expect(new Set(used).size).toBe(used.length);
    expect(total(pairs, matched)).toBeCloseTo(best(pairs, 0, rows, new Set()), 12);
  });
});
