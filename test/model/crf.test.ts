import { describe, expect, it } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import {
  bestLabels,
  type Crf,
  createCrf,
  createLattice,
  fillLattice,
  legalTransitions,
  spanProbability,
  transitionCount,
} from '../../pipeline/model/crf.ts';

const labels = ['O', 'B-x', 'I-x', 'B-y', 'I-y'];
const count = labels.length;

function randomCase(seed: number, n: number): { crf: Crf; emissions: Float64Array } {
  const random = createRandom(seed);
  const draw = () => 2 * random.nextNormal();
  return {
    crf: createCrf(labels, Float64Array.from({ length: transitionCount(count) }, draw)),
    emissions: Float64Array.from({ length: n * count }, draw),
  };
}

function score(crf: Crf, emissions: Float64Array, path: readonly number[]): number {
  const last = path.length - 1;
  let total = crf.scores[count * count + path[0]] + crf.scores[count * count + count + path[last]];
  path.forEach((label, t) => {
    total += emissions[t * count + label] + (t > 0 ? crf.scores[path[t - 1] * count + label] : 0);
  });
  return total;
}

function allPaths(n: number): number[][] {
  if (n === 0) return [[]];
  return allPaths(n - 1).flatMap((path) => labels.map((_, j) => [...path, j]));
}

describe.each([1, 2, 4])('over every labelling of %i tokens', (n) => {
  const { crf, emissions } = randomCase(n, n);
  const paths = allPaths(n);
  const weights = paths.map((path) => Math.exp(score(crf, emissions, path)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const lattice = createLattice();
  fillLattice(lattice, crf, emissions, 0, n);

  it('the partition function is the sum over paths', () => {
    expect(lattice.logPartition).toBeCloseTo(Math.log(total), 10);
  });

  it('marginals are shares of paths', () => {
    for (let t = 0; t < n; t++) {
      for (let j = 0; j < count; j++) {
        const share = paths.reduce((sum, path, p) => sum + (path[t] === j ? weights[p] : 0), 0) / total;
        expect(lattice.forward[t * count + j] * lattice.backward[t * count + j]).toBeCloseTo(share, 12);
      }
    }
  });

  it('span probabilities are shares of paths with exactly that span', () => {
    for (let start = 0; start < n; start++) {
      for (let end = start + 1; end <= n; end++) {
        const share = paths.reduce((sum, path, p) => {
          const inside = path.slice(start + 1, end).every((label) => label === 2);
          const isSpan = path[start] === 1 && inside && path[end] !== 2;
          return sum + (isSpan ? weights[p] : 0);
        }, 0);
        expect(spanProbability(lattice, crf, start, end, 1, 2)).toBeCloseTo(share / total, 12);
      }
    }
  });

  it('the best labels are those of the best path', () => {
    const best = paths.reduce((a, b) => (score(crf, emissions, b) > score(crf, emissions, a) ? b : a));
    expect([...bestLabels(crf, emissions, 0, n)]).toEqual(best);
  });
});

it('allows an I- after its own type only', () => {
  const legal = legalTransitions(labels);
  const allowed = labels.map((_, j) => labels.filter((_from, i) => legal[i * count + j] === 1));
  expect(allowed).toEqual([labels, labels, ['B-x', 'I-x'], labels, ['B-y', 'I-y']]);
  expect([...legal.subarray(count * count)]).toEqual([1, 1, 0, 1, 0, 1, 1, 1, 1, 1]);
});

it('never opens an entity with I-, nor changes type inside one, whatever the emissions say', () => {
  const crf = createCrf(labels, new Float64Array(transitionCount(count)));
  // I-x, I-x, I-y by far the best at each token.
  const emissions = new Float64Array(3 * count);
  for (const [t, j] of [
    [0, 2],
    [1, 2],
    [2, 4],
  ])
    emissions[t * count + j] = 500;
  const found = [...bestLabels(crf, emissions, 0, 3)].map((j) => labels[j]);
  expect(found).toEqual(['B-x', 'I-x', 'O']);
  const lattice = createLattice();
  fillLattice(lattice, crf, emissions, 0, 3);
  expect(lattice.logPartition).toBeGreaterThan(0);
  expect(spanProbability(lattice, crf, 0, 2, 1, 2)).toBeGreaterThan(0.1);
});

it('reads a sentence in the middle of a batch as if it stood alone, in a lattice used before', () => {
  const { crf, emissions } = randomCase(5, 9);
  const [alone, used] = [createLattice(), createLattice()];
  fillLattice(alone, crf, emissions.slice(3 * count, 7 * count), 0, 4);
  fillLattice(used, crf, emissions, 0, 9);
  fillLattice(used, crf, emissions, 3, 4);
  expect(used.logPartition).toBe(alone.logPartition);
  expect([...bestLabels(crf, emissions, 3, 4)]).toEqual([
    ...bestLabels(crf, emissions.slice(3 * count), 0, 4),
  ]);
  expect(bestLabels(crf, emissions, 0, 0)).toHaveLength(0);
});

it('refuses a wrong number of weights', () => {
  expect(() => createCrf(labels, [1, 2, 3])).toThrow('5 labels need 35 weights, got 3');
});
