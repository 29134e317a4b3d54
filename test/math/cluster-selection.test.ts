import { describe, expect, test } from 'vitest';
import { labelRows, type SelectionOptions, selectClusters } from '../../pipeline/math/cluster-selection.ts';
import { densityHierarchy } from '../../pipeline/math/hdbscan.ts';

/**
 * On a line: pairs at 0 and 10, at 60 and 64, three from 201 on, and a straggler at 1000. The root splits
 * at 136 into {0 1 10 11 60 61 64 65} and {201 202 203}, the first of these at 49 into {0 1 10 11} and
 * {60 61 64 65}, and these at 9 and at 3.
 */
const VALUES = [0, 1, 10, 11, 60, 61, 64, 65, 201, 202, 203, 1000];
const tree = densityHierarchy(Float64Array.from(VALUES), {
  n: VALUES.length,
  d: 1,
  minClusterSize: 2,
  minSamples: 1,
}).condensedTree;

function labels(options: SelectionOptions): string {
  return [...labelRows(tree, selectClusters(tree, options), options).labels]
    .map((label) => (label < 0 ? '.' : label))
    .join('');
}

describe('a tree worked by hand', () => {
  test('is as drawn', () => {
    expect([...tree.parent]).toEqual([-1, 0, 0, 1, 1, 3, 3, 4, 4]);
    expect([...tree.birth].map((lambda) => Math.round(1 / lambda))).toEqual([
      Infinity,
      136,
      136,
      49,
      49,
      9,
      9,
      3,
      3,
    ]);
  });

  test('leaves are the groups without parts', () => {
    expect(labels({ clusterSelectionMethod: 'leaf' })).toBe('00112233444.');
  });

  test('excess of mass keeps parts that outlive their parent', () => {
    // Pairs last to λ 1: 2 × 2 × (1 − 1/9) against 4 × (1/9 − 1/49), and so on upwards.
    expect(labels({})).toBe('00112233444.');
  });

  test('epsilon merges what is born below it, up to the first ancestor born above it', () => {
    expect(labels({ clusterSelectionEpsilon: 5 })).toBe('00112222333.');
    expect(labels({ clusterSelectionEpsilon: 20 })).toBe('00001111222.');
    expect(labels({ clusterSelectionEpsilon: 60 })).toBe('00000000111.');
    expect(labels({ clusterSelectionEpsilon: 60, clusterSelectionMethod: 'leaf' })).toBe('00000000111.');
  });

  test("epsilon beyond every split stops at the root's children, or at the root where that is allowed", () => {
    expect(labels({ clusterSelectionEpsilon: 500 })).toBe('00000000111.');
    expect(labels({ clusterSelectionEpsilon: 500, allowSingleCluster: true })).toBe('00000000000.');
  });

  test('a group born exactly at epsilon stays', () => {
    expect(labels({ clusterSelectionEpsilon: 1 / tree.birth[7] })).toBe('00112233444.');
  });
});

test('the largest size forbids a group that would otherwise be chosen', () => {
  // Two loose halves of a tight group: the whole outlives its halves.
  const values = [0, 1, 2, 3.5, 4.5, 5.5, 90, 91, 92];
  const whole = densityHierarchy(Float64Array.from(values), { n: 9, d: 1, minClusterSize: 3, minSamples: 1 });
  const label = (options: SelectionOptions) => [
    ...labelRows(whole.condensedTree, selectClusters(whole.condensedTree, options), options).labels,
  ];
  expect(label({})).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1]);
  expect(label({ maxClusterSize: 5 })).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
  expect(label({ maxClusterSize: 6 })).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1]);
});

test('a root that never splits is noise, or with allowSingleCluster its densest rows', () => {
  const single = densityHierarchy(Float64Array.of(0, 1, 2, 3.5, 6), {
    n: 5,
    d: 1,
    minClusterSize: 3,
    minSamples: 1,
  });
  const label = (options: SelectionOptions) => [
    ...labelRows(single.condensedTree, selectClusters(single.condensedTree, options), options).labels,
  ];
  expect(label({})).toEqual([-1, -1, -1, -1, -1]);
  expect(label({ allowSingleCluster: true })).toEqual([0, 0, 0, -1, -1]);
  expect(label({ allowSingleCluster: true, clusterSelectionEpsilon: 2 })).toEqual([0, 0, 0, 0, -1]);
  expect(label({ allowSingleCluster: true, clusterSelectionMethod: 'leaf' })).toEqual([-1, -1, -1, -1, -1]);
});

test("probability is the row's λ over the greatest in its cluster", () => {
  const tree = densityHierarchy(Float64Array.of(0, 1, 3, 30, 31, 35), {
    n: 6,
    d: 1,
    minClusterSize: 2,
    minSamples: 1,
  }).condensedTree;
  const { labels: found, probabilities } = labelRows(tree, selectClusters(tree));
  expect([...found]).toEqual([0, 0, 0, 1, 1, 1]);
  expect([...probabilities]).toEqual([1, 1, 0.5, 1, 1, 0.25]);
});
