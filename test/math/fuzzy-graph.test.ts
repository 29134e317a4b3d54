import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { connectedComponents, fuzzyGraph, rowScales } from '../../pipeline/math/fuzzy-graph.ts';
import { nearestNeighbors } from '../../pipeline/math/nearest-neighbors.ts';
import { slowVectors } from '../../pipeline/math/spectral.ts';
import { pointSets } from './umap-sets.ts';

const { handful: oracle } = JSON.parse(
  readFileSync(new URL('fixtures/umap-learn.json', import.meta.url), 'utf8'),
) as {
  handful: {
    nNeighbors: number;
    sigma: number[];
    rho: number[];
    offsets: number[];
    targets: number[];
    weights: number[];
    eigenvalues: number[];
  };
};
const { n, d, metric, vectors } = pointSets.handful();
const k = oracle.nNeighbors - 1;
const neighbors = await nearestNeighbors(vectors, { n, d, k, metric });

it('scales rows as umap-learn does', () => {
  const { nearest, sigma } = rowScales(neighbors.distances, n, k);
  for (let i = 0; i < n; i++) {
    expect(nearest[i]).toBeCloseTo(oracle.rho[i], 6);
    expect(sigma[i]).toBeCloseTo(oracle.sigma[i], 5);
  }
});

it('has the edges and weights of umap-learn', () => {
  const { offsets, targets, weights } = fuzzyGraph(neighbors, n, k);
  expect([...offsets]).toEqual(oracle.offsets);
  expect([...targets]).toEqual(oracle.targets);
  weights.forEach((weight, x) => {
    expect(weight).toBeCloseTo(oracle.weights[x], 4);
  });
});

it('has the Laplacian eigenvalues that numpy finds', async () => {
  const { values } = await slowVectors(fuzzyGraph(neighbors, n, k), { count: 8, seed: 1 });
  values.forEach((value, q) => {
    expect(value).toBeCloseTo(oracle.eigenvalues[q + 1], 4);
  });
});

it('weighs edges equally in both directions', async () => {
  const set = pointSets.clouds();
  const found = await nearestNeighbors(set.vectors, { ...set, k: 10 });
  const { offsets, targets, weights } = fuzzyGraph(found, set.n, 10);
  const weightOf = new Map<number, number>();
  for (let i = 0; i < set.n; i++) {
    for (let x = offsets[i]; x < offsets[i + 1]; x++) {
      expect(targets[x]).not.toBe(i);
      if (x > offsets[i]) expect(targets[x]).toBeGreaterThan(targets[x - 1]);
      weightOf.set(i * set.n + targets[x], weights[x]);
    }
  }
  for (const [key, weight] of weightOf) {
    expect(weightOf.get((key % set.n) * set.n + Math.floor(key / set.n))).toBe(weight);
    expect(weight).toBeGreaterThan(0);
    expect(weight).toBeLessThanOrEqual(1);
  }
});

it('numbers components by their lowest row', () => {
  // 0 – 2, 1 alone, 3 – 4.
  const graph = {
    n: 5,
    offsets: Int32Array.of(0, 1, 1, 2, 3, 4),
    targets: Int32Array.of(2, 0, 4, 3),
    weights: new Float32Array(4).fill(1),
  };
  expect(connectedComponents(graph)).toEqual({ count: 3, of: Int32Array.of(0, 1, 0, 2, 2) });
});
