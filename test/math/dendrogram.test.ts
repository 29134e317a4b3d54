import { expect, test } from 'vitest';
import { dendrogram } from '../../pipeline/math/dendrogram.ts';
import { densityHierarchy } from '../../pipeline/math/hdbscan.ts';
import { createRandom } from '../../pipeline/math/random.ts';

test('joins the nearest first (worked by hand)', () => {
  // On a line at 0, 1, 10, 12, 30.
  const tree = dendrogram(
    {
      from: Int32Array.of(0, 2, 1, 3),
      to: Int32Array.of(1, 3, 2, 4),
      weight: Float64Array.of(1, 2, 9, 18),
    },
    5,
  );
  expect([...tree.left]).toEqual([0, 2, 5, 7]);
  expect([...tree.right]).toEqual([1, 3, 6, 4]);
  expect([...tree.size]).toEqual([1, 1, 1, 1, 1, 2, 2, 4, 5]);
  expect([...tree.lowestRow]).toEqual([0, 1, 2, 3, 4, 0, 2, 0, 0]);
  expect([...tree.leaves]).toEqual([0, 1, 2, 3, 4]);
});

test("every node's rows are consecutive, as many as its size, and begin with no lower row than its lowest", () => {
  const n = 400;
  const random = createRandom(3);
  const points = Float64Array.from({ length: n * 2 }, () => random.nextNormal());
  const tree = dendrogram(densityHierarchy(points, { n, d: 2, minClusterSize: 4 }).spanningTree, n);
  const rowsOf = (node: number) => [
    ...tree.leaves.subarray(tree.start[node], tree.start[node] + tree.size[node]),
  ];
  for (let node = 0; node < 2 * n - 1; node++) {
    const rows = rowsOf(node);
    expect(Math.min(...rows)).toBe(tree.lowestRow[node]);
    if (node < n) expect(rows).toEqual([node]);
    else expect(rows).toEqual([...rowsOf(tree.left[node - n]), ...rowsOf(tree.right[node - n])]);
  }
  expect(rowsOf(2 * n - 2).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
});

test('no rows and one row have no joins', () => {
  const none = { from: new Int32Array(0), to: new Int32Array(0), weight: new Float64Array(0) };
  expect(dendrogram(none, 0).leaves).toHaveLength(0);
  expect([...dendrogram(none, 1).leaves]).toEqual([0]);
});
