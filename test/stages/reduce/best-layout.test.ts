import { expect, it } from 'vitest';
import type { WeightedGraph } from '../../../pipeline/math/fuzzy-graph.ts';
import { createRandom } from '../../../pipeline/math/random.ts';
import { layout, prepareGraph } from '../../../pipeline/math/umap.ts';
import { nearestNeighbors } from '../../../pipeline/model/exact-neighbors.ts';
import { bestLayout, modularity } from '../../../stages/reduce/best-layout.ts';

/** Two triangles and the tie 2–3 between them. */
const triangles: WeightedGraph = {
  n: 6,
  offsets: Int32Array.of(0, 2, 4, 7, 10, 12, 14),
  targets: Int32Array.of(1, 2, 0, 2, 0, 1, 3, 2, 4, 5, 3, 5, 3, 4),
  weights: new Float32Array(14).fill(1),
};

it('modularity is weight within groups less what chance would put there (worked by hand)', () => {
  expect(modularity(triangles, Int32Array.of(0, 0, 0, 1, 1, 1))).toBeCloseTo(12 / 14 - (2 * 49) / 196, 12);
  expect(modularity(triangles, new Int32Array(6))).toBeCloseTo(0, 12);
  const oneOut = modularity(triangles, Int32Array.of(-1, 0, 0, 1, 1, 1));
  expect(oneOut).toBeCloseTo(8 / 14 - (4 + 25 + 49) / 196, 12);
});

it('the same layout is chosen every time, and it is finite', async () => {
  const random = createRandom(3);
  const vectors = Float32Array.from({ length: 200 * 8 }, () => random.nextNormal());
  const graph = await prepareGraph(vectors, {
    n: 200,
    d: 8,
    nNeighbors: 15,
    nComponents: 3,
    metric: 'cosine',
    seed: 4294967295,
    search: nearestNeighbors,
  });
  const choose = () => bestLayout(graph, 15, 4, { nComponents: 3, minDist: 0, epochs: 20 });
  const chosen = await choose();
  expect(chosen.every(Number.isFinite)).toBe(true);
  expect(await choose()).toEqual(chosen);
  // One try is the layout of the seed itself.
  const only = await bestLayout(graph, 15, 1, { nComponents: 3, minDist: 0, epochs: 20 });
  expect(only).toEqual(await layout(graph, { nComponents: 3, minDist: 0, epochs: 20 }));
});
