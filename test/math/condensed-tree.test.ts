import { describe, expect, test } from 'vitest';
import { type CondensedTree, clusterStability } from '../../pipeline/math/condensed-tree.ts';
import { densityHierarchy } from '../../pipeline/math/hdbscan.ts';
import { createRandom } from '../../pipeline/math/random.ts';

/** Points on a line. */
function line(values: number[], minClusterSize: number, minSamples = 1): CondensedTree {
  return densityHierarchy(Float64Array.from(values), { n: values.length, d: 1, minClusterSize, minSamples })
    .condensedTree;
}

describe('two pairs and a straggler on a line (worked by hand)', () => {
  const tree = line([0, 1, 10, 11, 30], 2);

  test('the straggler leaves the root first, then the root splits in two', () => {
    expect([...tree.parent]).toEqual([-1, 0, 0]);
    expect([...tree.birth]).toEqual([0, 1 / 9, 1 / 9]);
    expect([...tree.death]).toEqual([1 / 9, 1, 1]);
    expect([...tree.size]).toEqual([5, 2, 2]);
    expect([...tree.rowCluster]).toEqual([1, 1, 2, 2, 0]);
    expect([...tree.rowLambda]).toEqual([1, 1, 1, 1, 1 / 19]);
  });

  test('stability adds up what every row lives beyond the birth of its group', () => {
    const [root, left, right] = clusterStability(tree);
    expect(root).toBeCloseTo(1 / 19 + 4 / 9, 14);
    expect(left).toBeCloseTo(16 / 9, 14);
    expect(right).toBeCloseTo(16 / 9, 14);
  });
});

describe('ties', () => {
  test('a row as far from one group as from the other joins the one with the lowest row, for its birth only', () => {
    const tree = line([0, 1, 3, 5, 6], 2);
    expect([...tree.size]).toEqual([5, 3, 2]);
    expect([...tree.rowCluster]).toEqual([1, 1, 1, 2, 2]);
    expect([...tree.rowLambda]).toEqual([1, 1, 0.5, 1, 1]);
  });

  test('it joins the larger of the two where they differ', () => {
    const tree = line([0, 1, 3, 5, 6, 7], 2);
    expect([...tree.size]).toEqual([6, 2, 4]);
    expect([...tree.rowCluster]).toEqual([1, 1, 2, 2, 2, 2]);
  });

  test('a regular grid falls apart at once', () => {
    const tree = line([0, 1, 2, 3, 4, 5, 6, 7], 2);
    expect(tree.clusters).toBe(1);
    expect([...tree.rowLambda]).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  test('three groups at one distance split together', () => {
    const tree = line([0, 1, 5, 6, 10, 11], 2);
    expect([...tree.parent]).toEqual([-1, 0, 0, 0]);
  });

  test('equal points last for ever', () => {
    const tree = line([4, 4, 4, 9, 9, 9], 3);
    expect([...tree.birth]).toEqual([0, 1 / 5, 1 / 5]);
    expect([...tree.rowLambda]).toEqual([Infinity, Infinity, Infinity, Infinity, Infinity, Infinity]);
  });
});

test('no rows, and one row, are a root alone', () => {
  expect(line([], 5).clusters).toBe(1);
  const one = line([3], 5);
  expect([...one.rowCluster]).toEqual([0]);
  expect([...one.rowLambda]).toEqual([0]);
});

describe.each([
  ['normal', 1],
  ['normal', 5],
  ['few values', 1],
  ['few values', 5],
])('laws on %s points, minSamples %i', (shape, minSamples) => {
  const n = 600;
  const d = 2;
  const minClusterSize = 6;
  const random = createRandom(11, minSamples);
  const points = Float64Array.from({ length: n * d }, (_, i) =>
    shape === 'normal' ? (Math.floor(i / d) % 4) * 3 + random.nextNormal() : random.nextBelow(25),
  );
  const tree = densityHierarchy(points, { n, d, minClusterSize, minSamples }).condensedTree;

  test('parents come before children and split into two or more', () => {
    const children = new Int32Array(tree.clusters);
    expect(tree.clusters).toBeGreaterThan(4);
    for (let cluster = 1; cluster < tree.clusters; cluster++) {
      expect(tree.parent[cluster]).toBeLessThan(cluster);
      children[tree.parent[cluster]]++;
    }
    expect(children).not.toContain(1);
  });

  test('density grows from birth to death and from parent to child', () => {
    for (let cluster = 1; cluster < tree.clusters; cluster++) {
      expect(tree.birth[cluster]).toBeGreaterThanOrEqual(tree.birth[tree.parent[cluster]]);
      expect(tree.birth[cluster]).toBe(tree.death[tree.parent[cluster]]);
      expect(tree.death[cluster]).toBeGreaterThan(tree.birth[cluster]);
    }
    for (let row = 0; row < n; row++) {
      expect(tree.rowLambda[row]).toBeGreaterThanOrEqual(tree.birth[tree.rowCluster[row]]);
      expect(tree.rowLambda[row]).toBeLessThanOrEqual(tree.death[tree.rowCluster[row]]);
    }
  });

  test('a group holds the rows of its parts and its own, and at least minClusterSize', () => {
    const rows = new Int32Array(tree.clusters);
    for (const cluster of tree.rowCluster) rows[cluster]++;
    for (let cluster = tree.clusters - 1; cluster > 0; cluster--) rows[tree.parent[cluster]] += rows[cluster];
    expect(rows).toEqual(tree.size);
    expect(Math.min(...tree.size)).toBeGreaterThanOrEqual(minClusterSize);
  });

  test('row order changes nothing but the numbers of groups', () => {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = random.nextBelow(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    const shuffled = Float64Array.from(
      { length: n * d },
      (_, i) => points[order[Math.floor(i / d)] * d + (i % d)],
    );
    const other = densityHierarchy(shuffled, { n, d, minClusterSize, minSamples }).condensedTree;
    expect(other.clusters).toBe(tree.clusters);
    expect([...other.rowLambda]).toEqual(order.map((row) => tree.rowLambda[row]));
    expect([...other.size].sort()).toEqual([...tree.size].sort());
  });
});
