import { describe, expect, it } from 'vitest';
import type { WeightedGraph } from '../../../pipeline/math/fuzzy-graph.ts';
import { findThemes, setApart } from '../../../stages/reduce/new-themes.ts';

/** A graph of n rows from ties i–j of a weight. */
function graphOf(n: number, ties: [number, number, number][]): WeightedGraph {
  const rows = Array.from({ length: n }, () => [] as [number, number][]);
  for (const [i, j, weight] of ties) {
    rows[i].push([j, weight]);
    rows[j].push([i, weight]);
  }
  for (const row of rows) row.sort(([a], [b]) => a - b);
  const flat = rows.flat();
  const offsets = new Int32Array(n + 1);
  rows.forEach((row, i) => {
    offsets[i + 1] = offsets[i] + row.length;
  });
  return {
    n,
    offsets,
    targets: Int32Array.from(flat, ([j]) => j),
    weights: Float32Array.from(flat, ([, weight]) => weight),
  };
}

/** All pairs among some rows. */
function clique(rows: number[], weight = 1): [number, number, number][] {
  return rows.flatMap((i, at) => rows.slice(at + 1).map((j): [number, number, number] => [i, j, weight]));
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const lateFrom = (from: number, n: number): Uint8Array =>
  Uint8Array.from({ length: n }, (_, i) => (i < from ? 0 : 1));

describe('a theme', () => {
  it('is a group of late documents that know each other and are hardly known', () => {
    const ties = [...clique(range(0, 10)), ...clique(range(10, 16))];
    ties.push([0, 10, 0.2]);
    expect(findThemes(graphOf(16, ties), lateFrom(10, 16), 6)).toEqual([range(10, 16)]);
    expect(findThemes(graphOf(16, ties), lateFrom(10, 16), 7)).toEqual([]);
  });

  it('is none where old and new are mixed in one topic', () => {
    expect(findThemes(graphOf(30, clique(range(0, 30))), lateFrom(10, 30), 6)).toEqual([]);
  });

  it('is none where new documents go to the old ones one by one', () => {
    const ties = [
      ...clique(range(0, 10)),
      ...range(10, 16).map((i): [number, number, number] => [i, i - 10, 1]),
    ];
    expect(findThemes(graphOf(16, ties), lateFrom(10, 16), 2)).toEqual([]);
  });

  it('is told from another that weak ties lead to', () => {
    const ties = [...clique(range(0, 10)), ...clique(range(10, 16)), ...clique(range(16, 22))];
    ties.push([10, 16, 0.2]);
    expect(findThemes(graphOf(22, ties), lateFrom(10, 22), 6)).toEqual([range(10, 16), range(16, 22)]);
  });
});

it('a group is set down in its own shape, with room to all others, the same every time', () => {
  const others = Float32Array.from({ length: 200 }, (_, x) => (Math.floor(x / 2) % 10) + (x % 2) * 0.5);
  const shape = Float32Array.of(5, 5, 5.5, 5, 5, 5.5);
  const place = (): Float32Array => {
    const positions = Float32Array.of(...others, 4, 0, 4, 0, 4, 0);
    setApart(positions, 2, [100, 101, 102], shape, 7);
    return positions;
  };
  const positions = place();
  expect(positions.slice(0, 200)).toEqual(others);
  const group = positions.slice(200);
  expect(group[2] - group[0]).toBeCloseTo(0.5, 5);
  expect(group[5] - group[1]).toBeCloseTo(0.5, 5);
  for (let j = 0; j < 100; j++) {
    for (let g = 0; g < 3; g++) {
      expect(Math.hypot(group[2 * g] - others[2 * j], group[2 * g + 1] - others[2 * j + 1])).toBeGreaterThan(
        1,
      );
    }
  }
  expect(place()).toEqual(positions);
});
