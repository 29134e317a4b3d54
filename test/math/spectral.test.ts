import { expect, it } from 'vitest';
import type { WeightedGraph } from '../../pipeline/math/fuzzy-graph.ts';
import { kernelMemory } from '../../pipeline/math/kernel.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { slowVectors } from '../../pipeline/math/spectral.ts';
import {
  type FilterArrays,
  filterArrays,
  filterPlaces,
  filterPlainly,
  filterSteps,
  open,
} from '../../pipeline/math/spectral-filter.ts';
import { compiledModule, startTeam } from '../../pipeline/math/thread-team.ts';

/** Rows in a circle, each tied to its two neighbours. */
function circle(n: number): WeightedGraph {
  const targets = new Int32Array(2 * n);
  for (let i = 0; i < n; i++) {
    const pair = [(i + n - 1) % n, (i + 1) % n].sort((a, b) => a - b);
    targets.set(pair, 2 * i);
  }
  return {
    n,
    offsets: Int32Array.from({ length: n + 1 }, (_, i) => 2 * i),
    targets,
    weights: new Float32Array(2 * n).fill(0.5),
  };
}

it.each([12, 400, 1100])('finds the known eigenvalues of a circle of %i rows', async (n) => {
  const { values, residuals } = await slowVectors(circle(n), {
    count: 4,
    seed: 1,
    tolerance: 1e-3,
    rounds: 60,
  });
  [1, 1, 2, 2].forEach((wave, q) => {
    expect(values[q]).toBeCloseTo(1 - Math.cos((2 * Math.PI * wave) / n), 6);
    expect(residuals[q]).toBeLessThan(1e-4);
  });
});

it('gives orthonormal vectors that satisfy the eigenvalue equation', async () => {
  const n = 300;
  const count = 3;
  const { values, vectors } = await slowVectors(circle(n), { count, seed: 1, tolerance: 1e-4, rounds: 100 });
  for (let q = 0; q < count; q++) {
    for (let r = 0; r <= q; r++) {
      let product = 0;
      for (let i = 0; i < n; i++) product += vectors[i * count + q] * vectors[i * count + r];
      expect(product).toBeCloseTo(q === r ? 1 : 0, 9);
    }
    for (let i = 0; i < n; i++) {
      const [before, after] = [(i + n - 1) % n, (i + 1) % n];
      const image = vectors[i * count + q] - (vectors[before * count + q] + vectors[after * count + q]) / 2;
      expect(image).toBeCloseTo(values[q] * vectors[i * count + q], 6);
    }
  }
});

it('gives the same bytes every time', async () => {
  const options = { count: 3, seed: 7 };
  expect(await slowVectors(circle(500), options)).toEqual(await slowVectors(circle(500), options));
});

it('filters by the kernel to the same bits as plain code', async () => {
  const [n, m] = [150, 300];
  for (const p of [4, 12, 16]) {
    const places = filterPlaces(n, p, m);
    const work = { ...places, memory: kernelMemory(places.end) };
    const arrays = filterArrays(work);
    const { offsets, targets } = circle(n);
    const random = createRandom(p);
    arrays.offsets.set(offsets);
    arrays.targets.set(targets);
    for (const array of [arrays.entries, ...arrays.blocks]) {
      for (let x = 0; x < array.length; x++) array[x] = random.nextNormal();
    }
    const plain: FilterArrays = {
      ...arrays,
      blocks: [Float32Array.from(arrays.blocks[0]), Float32Array.from(arrays.blocks[1])],
    };
    const request = { degree: 3, border: 0.3 };
    const team = startTeam({ module: () => compiledModule('spectral-filter'), open, data: work, threads: 1 });
    await team.run(request);
    filterPlainly(plain, p, request);
    expect(arrays.blocks.map((block) => Float32Array.from(block))).toEqual(plain.blocks);
  }
});

it('filters by the Chebyshev polynomial, scaled to 1 at 1', () => {
  const [degree, border] = [6, 0.4];
  // Of a matrix of one number the block becomes the polynomial's value there.
  const filtered = (value: number): number => {
    let [now, next] = [1, 0];
    for (const { shift, factor, share } of filterSteps({ degree, border })) {
      [now, next] = [factor * (value * now - shift * now) - share * next, now];
    }
    return now;
  };
  const chebyshev = (value: number): number => {
    const x = (value - (border - 1) / 2) / ((border + 1) / 2);
    return Math.abs(x) <= 1 ? Math.cos(degree * Math.acos(x)) : Math.cosh(degree * Math.acosh(x));
  };
  for (const value of [-1, -0.3, 0.2, 0.4, 0.7, 1]) {
    expect(filtered(value)).toBeCloseTo(chebyshev(value) / chebyshev(1), 12);
  }
});

it('refuses as many vectors as rows', async () => {
  await expect(slowVectors(circle(5), { count: 5, seed: 1 })).rejects.toThrow('from 1 to n − 1 = 4, got 5');
});
