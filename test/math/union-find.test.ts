import { expect, test } from 'vitest';
import { createUnionFind } from '../../pipeline/math/union-find.ts';

test('every element starts alone', () => {
  const sets = createUnionFind(3);
  expect([0, 1, 2].map(sets.find)).toEqual([0, 1, 2]);
  expect(sets.size(1)).toBe(1);
});

test('joining is refused the second time', () => {
  const sets = createUnionFind(4);
  expect(sets.union(0, 1)).toBe(true);
  expect(sets.union(2, 3)).toBe(true);
  expect(sets.union(1, 3)).toBe(true);
  expect(sets.union(0, 2)).toBe(false);
  expect(sets.size(3)).toBe(4);
});

test("the larger set's representative stays, the first on a tie", () => {
  const sets = createUnionFind(3);
  sets.union(2, 0);
  expect(sets.find(0)).toBe(2);
  sets.union(1, 0);
  expect(sets.find(1)).toBe(2);
});
