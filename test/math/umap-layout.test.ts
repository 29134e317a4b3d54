import { expect, it } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import { fitCurve } from '../../pipeline/math/umap-curve.ts';
import { defaultEpochs, tournament } from '../../pipeline/math/umap-layout.ts';
import { gradientTables, type LayoutState, moveAlongEdges } from '../../pipeline/math/umap-moves.ts';

it.each([1, 2, 4, 8, 32])(
  'pairs %i blocks so that every ordered pair meets once and no round uses a block twice',
  (blocks) => {
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
  },
);

it('tabulates the gradients of the curve within one percent', () => {
  const curve = fitCurve(0.1);
  const { a, b } = curve;
  const { attraction, repulsion, firstFreeBin } = gradientTables(curve);
  const bits = new Int32Array(1);
  const squared = new Float32Array(bits.buffer);
  for (const value of [0.002, 0.2, 0.5, 1, 3, 17, 400]) {
    squared[0] = value;
    const bin = (bits[0] >> 16) - ((127 - 20) << 7);
    const curveAt = 1 + a * value ** b;
    expect(Math.abs(attraction[bin] / ((2 * a * b * value ** (b - 1)) / curveAt) - 1)).toBeLessThan(0.01);
    expect(Math.abs(repulsion[bin] / ((2 * b) / ((0.001 + value) * curveAt)) - 1)).toBeLessThan(0.01);
    // Pushes can exceed the longest step only where rows are close.
    expect(bin >= firstFreeBin).toBe(value >= 0.2);
  }
});

it.each([2, 5])(
  'moves %i coordinates to the same bytes in the written-out loop as in the general one',
  (nComponents) => {
    const n = 50;
    const random = createRandom(4);
    const heads = Int32Array.from({ length: 300 }, () => random.nextBelow(n));
    const state = (): LayoutState => ({
      n,
      nComponents,
      positions: Float32Array.from({ length: n * nComponents }, (_, x) => Math.sin(x) * 2),
      snapshot: Float32Array.from({ length: (n + 4) * nComponents }, (_, x) => Math.cos(x) * 2),
      edges: {
        offsets: Int32Array.of(0, 300),
        heads,
        tails: heads.map((head) => (head + 7) % n),
        periods: new Float32Array(300).fill(1.5),
        due: Float32Array.from({ length: 300 }, (_, x) => x % 3),
      },
      tables: gradientTables(fitCurve(0)),
    });
    const [out, general] = [state(), state()];
    for (let epoch = 0; epoch < 4; epoch++) {
      moveAlongEdges(out, 0, epoch, 0.8, 99 + epoch, true);
      moveAlongEdges(general, 0, epoch, 0.8, 99 + epoch, false);
    }
    expect(out.positions).toEqual(general.positions);
    expect(out.positions).not.toEqual(state().positions);
  },
);

it('takes 500 epochs up to 10,000 rows and 200 beyond', () => {
  expect([10_000, 10_001].map(defaultEpochs)).toEqual([500, 200]);
});
