import { describe, expect, test } from 'vitest';
import type { History } from '../../../pipeline/contract.ts';
import type { CondensedTree } from '../../../pipeline/math/condensed-tree.ts';
import { cutByHistory } from '../../../stages/cluster/history-cut.ts';

/**
 * Forty rows: group 1 holds the first twenty and falls apart into groups 3 and 4 of ten each, group 2 holds the
 * others. `partDensity` is how dense the parts of group 1 become: they appear at 2.
 */
function tree(partDensity: number): CondensedTree {
  const rowCluster = Int32Array.from({ length: 40 }, (_, i) => (i < 10 ? 3 : i < 20 ? 4 : 2));
  return {
    n: 40,
    clusters: 5,
    parent: Int32Array.of(-1, 0, 0, 1, 1),
    birth: Float64Array.of(0, 1, 1, 2, 2),
    death: Float64Array.of(1, 2, 3, partDensity, partDensity),
    size: Int32Array.of(40, 20, 20, 10, 10),
    rowCluster,
    rowLambda: Float64Array.from(rowCluster, (group) => (group === 2 ? 3 : partDensity)),
  };
}

function historyOf(topics: number[]): History {
  const sizes = new Map<number, number>();
  for (const id of topics) if (id >= 0) sizes.set(id, (sizes.get(id) ?? 0) + 1);
  return {
    topic: Int32Array.from(topics),
    sizes,
    nextTopicId: 9,
    newborn: new Set(),
    betterNights: 0,
    strangeNights: 0,
  };
}

const blocks = (...parts: [number, number][]): number[] =>
  parts.flatMap(([id, documents]) => new Array<number>(documents).fill(id));

const eom = { method: 'eom', epsilon: 0 } as const;

describe('the cut', () => {
  test('keeps a topic whole that people know, where its parts persist a little longer', () => {
    const whole = historyOf(blocks([0, 20], [1, 20]));
    expect([...cutByHistory(tree(3.2), whole, eom).selected]).toEqual([0, 1, 1, 0, 0]);
    // Parts: 2 × 10 × 1.2 = 24, whole: 20, the other group: 40.
    expect(cutByHistory(tree(3.2), whole, eom).worth).toBeCloseTo(60 / 64, 12);
  });

  test('keeps two topics apart that people know, where the whole persists a little longer', () => {
    const apart = historyOf(blocks([0, 10], [1, 10], [2, 20]));
    expect([...cutByHistory(tree(2.8), apart, eom).selected]).toEqual([0, 0, 1, 1, 1]);
  });

  test('is that of the data where the last run knew none of the documents', () => {
    const none = historyOf(blocks([-2, 40]));
    expect([...cutByHistory(tree(3.2), none, eom).selected]).toEqual([0, 0, 1, 1, 1]);
    expect([...cutByHistory(tree(2.8), none, eom).selected]).toEqual([0, 1, 1, 0, 0]);
    expect(cutByHistory(tree(2.8), none, eom).worth).toBe(1);
  });

  test('gives way when the data speaks loudly', () => {
    const whole = historyOf(blocks([0, 20], [1, 20]));
    expect([...cutByHistory(tree(1000), whole, eom).selected]).toEqual([0, 1, 1, 0, 0]);
    const mostlyNew = historyOf(blocks([0, 2], [-2, 18], [1, 20]));
    expect([...cutByHistory(tree(1000), mostlyNew, eom).selected]).toEqual([0, 0, 1, 1, 1]);
  });

  test('counts coinciding documents as dense, not as infinitely so', () => {
    const found = cutByHistory(tree(Infinity), historyOf(blocks([0, 10], [1, 10], [2, 20])), eom);
    expect([...found.selected]).toEqual([0, 0, 1, 1, 1]);
    expect(found.worth).toBe(1);
  });

  test('chooses no group born below epsilon', () => {
    const apart = historyOf(blocks([0, 10], [1, 10], [2, 20]));
    const { selected } = cutByHistory(tree(3.2), apart, { method: 'eom', epsilon: 0.6 });
    expect([...selected]).toEqual([0, 1, 1, 0, 0]);
  });

  test('takes the finest groups for leaf where nothing is remembered', () => {
    const { selected } = cutByHistory(tree(2.1), historyOf(blocks([-2, 40])), { method: 'leaf', epsilon: 0 });
    expect([...selected]).toEqual([0, 0, 1, 1, 1]);
  });
});
