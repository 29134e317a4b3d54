import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { WeightedGraph } from '../../pipeline/math/fuzzy-graph.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { compiledModule } from '../../pipeline/math/thread-team.ts';
import { fitCurve } from '../../pipeline/math/umap-curve.ts';
import { defaultEpochs, layoutGraph } from '../../pipeline/math/umap-layout.ts';
import {
  CHANCE_ROWS,
  chanceOf,
  gradientTables,
  type LayoutState,
  moveAlongEdges,
  paddedDimensions,
  takeSnapshot,
} from '../../pipeline/math/umap-moves.ts';
import { blockCount, edgeOffsets, scheduleEdges, tournament } from '../../pipeline/math/umap-schedule.ts';

/** Every row tied to some rows by chance, in both directions. */
function someGraph(n: number, seed = 1): WeightedGraph {
  const random = createRandom(seed);
  const rows: Map<number, number>[] = Array.from({ length: n }, () => new Map());
  for (let i = 0; i < n; i++) {
    for (let edge = 0; edge < 4; edge++) {
      const j = random.nextBelow(n);
      const weight = Math.fround(random.nextFloat() ** 3);
      if (i === j || weight === 0) continue;
      rows[i].set(j, weight);
      rows[j].set(i, weight);
    }
  }
  const sorted = rows.map((row) => [...row].sort(([a], [b]) => a - b));
  const offsets = new Int32Array(n + 1);
  sorted.forEach((row, i) => {
    offsets[i + 1] = offsets[i] + row.length;
  });
  return {
    n,
    offsets,
    targets: Int32Array.from(sorted.flat(), ([target]) => target),
    weights: Float32Array.from(sorted.flat(), ([, weight]) => weight),
  };
}

const startOf = (n: number, nComponents: number): Float32Array => {
  const random = createRandom(9);
  return Float32Array.from({ length: n * nComponents }, () => 10 * random.nextFloat());
};

describe('blocks', () => {
  it.each([1, 2, 4, 8, 32])('of %i meet in every ordered pair once, and in no round twice', (blocks) => {
    const met = new Set<string>();
    for (const round of tournament(blocks)) {
      const used = new Set<number>();
      for (const [p, q] of round) {
        for (const block of new Set([p, q])) {
          expect(used.has(block)).toBe(false);
          used.add(block);
        }
        met.add(`${p} ${q}`);
      }
    }
    expect(met.size).toBe(blocks * blocks);
  });

  it('are a power of two, and hold no more rows than 16 bits can count', () => {
    for (const n of [5, 2047, 2048, 50_000, 200_000, 1_000_000, 20_000_000]) {
      const blocks = blockCount(n);
      expect(Number.isInteger(Math.log2(blocks))).toBe(true);
      expect(n / blocks).toBeLessThan(65_536);
    }
  });
});

describe('the schedule', () => {
  const n = 3000;
  const blocks = 2;
  const epochs = 50;
  const graph = someGraph(n);
  const offsets = edgeOffsets(graph, blocks, epochs);
  const m = offsets[blocks * blocks];
  const array = () => new Uint16Array(m);
  const edges = { offsets, heads: array(), tails: array(), rates: array(), clocks: array() };
  scheduleEdges(graph, blocks, epochs, edges);

  it('holds each edge that is drawn at least once, in its pair, at its share of the epochs', () => {
    const strongest = Math.max(...graph.weights);
    const rates = new Map<string, number>();
    for (let pair = 0; pair < blocks * blocks; pair++) {
      for (let e = offsets[pair]; e < offsets[pair + 1]; e++) {
        if (edges.rates[e] === 0) continue;
        const head = edges.heads[e] + 1500 * Math.floor(pair / blocks);
        const tail = edges.tails[e] + 1500 * (pair % blocks);
        rates.set(`${head} ${tail}`, edges.rates[e]);
      }
    }
    let expected = 0;
    for (let i = 0; i < n; i++) {
      for (let x = graph.offsets[i]; x < graph.offsets[i + 1]; x++) {
        const share = graph.weights[x] / strongest;
        if (share * epochs < 1) continue;
        expected++;
        expect(rates.get(`${i} ${graph.targets[x]}`)).toBe(Math.round(share * 32768));
      }
    }
    expect(rates.size).toBe(expected);
    expect(expected).toBeLessThan(graph.targets.length);
  });
});

it('tabulates the gradients of the curve within one percent', () => {
  const curve = fitCurve(0.1);
  const { a, b } = curve;
  const { attraction, repulsion, free } = gradientTables(curve);
  const bits = new Int32Array(1);
  const squared = new Float32Array(bits.buffer);
  for (const value of [0.002, 0.2, 0.5, 1, 3, 17, 400]) {
    squared[0] = value;
    const bin = (bits[0] >> 16) - ((127 - 20) << 7);
    const curveAt = 1 + a * value ** b;
    expect(Math.abs(attraction[bin] / ((2 * a * b * value ** (b - 1)) / curveAt) - 1)).toBeLessThan(0.01);
    expect(Math.abs(repulsion[bin] / ((2 * b) / ((0.001 + value) * curveAt)) - 1)).toBeLessThan(0.01);
    // Pushes can exceed the longest step only where rows are close.
    expect(value >= free).toBe(value >= 0.2);
  }
});

describe('the kernel', () => {
  it.each([
    [2, 30],
    [5, 301],
    [1, 50],
    [3, 50],
    [8, 50],
    [13, 50],
    [100, 40],
    [5, 2500],
    [1, 35_000],
  ])('moves %i coordinates of %i rows to the same bits as plain code', async (nComponents, n) => {
    const graph = someGraph(n);
    const start = startOf(n, nComponents);
    // Close rows take the bounded steps.
    for (let x = 0; x < start.length; x += 3) start[x] = 5;
    const [epochs, seed, curve] = [n > 30_000 ? 3 : 12, 3, fitCurve(0)];
    const layout = await layoutGraph(graph, start, { nComponents, curve, epochs, seed });
    expect(layout).toEqual(layOutPlainly(graph, start, { nComponents, curve, epochs, seed }));
    expect(layout).not.toEqual(start);
  });
});

/** What layoutGraph does, by the plain loops. */
function layOutPlainly(
  graph: WeightedGraph,
  start: Float32Array,
  options: { nComponents: number; curve: { a: number; b: number }; epochs: number; seed: number },
): Float32Array {
  const { nComponents, curve, epochs, seed } = options;
  const { n } = graph;
  const blocks = blockCount(n);
  const padded = paddedDimensions(nComponents);
  const offsets = edgeOffsets(graph, blocks, epochs);
  const array = () => new Uint16Array(offsets[blocks * blocks]);
  const groups = Math.ceil(n / CHANCE_ROWS);
  const state: LayoutState = {
    n,
    nComponents,
    blocks,
    positions: new Float32Array(n * padded),
    snapshot: new Float32Array(groups * CHANCE_ROWS * nComponents),
    edges: { offsets, heads: array(), tails: array(), rates: array(), clocks: array() },
    tables: gradientTables(curve),
  };
  scheduleEdges(graph, blocks, epochs, state.edges);
  for (let i = 0; i < n; i++) {
    for (let q = 0; q < nComponents; q++) state.positions[i * padded + q] = start[i * nComponents + q];
  }
  for (let epoch = 0; epoch < epochs - 1; epoch++) {
    takeSnapshot(state, 0, groups);
    for (const [p, q] of tournament(blocks).flat()) {
      const pair = p * blocks + q;
      moveAlongEdges(state, pair, 1 - epoch / epochs, chanceOf(createRandom(seed, epoch, pair), groups));
    }
  }
  return Float32Array.from(
    { length: n * nComponents },
    (_, x) => state.positions[Math.floor(x / nComponents) * padded + (x % nComponents)],
  );
}

const isBuilt = (): boolean => {
  try {
    return existsSync(compiledModule('umap-epochs'));
  } catch {
    return false;
  }
};

it.skipIf(!isBuilt())('gives the same bytes on one thread and on three', async () => {
  const n = 10_500;
  const graph = someGraph(n);
  const options = { nComponents: 2, curve: fitCurve(0.1), epochs: 10, seed: 1 };
  const alone = await layoutGraph(graph, startOf(n, 2), options);
  expect(await layoutGraph(graph, startOf(n, 2), { ...options, threads: 3 })).toEqual(alone);
  expect(await layoutGraph(graph, startOf(n, 2), { ...options, seed: 2 })).not.toEqual(alone);
});

it('takes 500 epochs up to 10,000 rows and 200 beyond', () => {
  expect([10_000, 10_001].map(defaultEpochs)).toEqual([500, 200]);
});
