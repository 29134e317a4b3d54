import { describe, expect, test } from 'vitest';
import { approximatePredict } from '../../pipeline/math/approximate-predict.ts';
import { fitHdbscan } from '../../pipeline/math/hdbscan.ts';
import { byDefinition } from './soft-clustering-by-definition.ts';
import { fittedSets } from './soft-clustering-sets.ts';

describe.each(fittedSets)('$name', ({ data, fresh, model }) => {
  const { labels, probabilities } = approximatePredict(model, Float64Array.from(fresh.flat()));

  test('new points have the labels and probabilities of the definition', () => {
    const expected = fresh.map(byDefinition(model, data).predict);
    expect([...labels]).toEqual(expected.map(({ label }) => label));
    for (const [i, { probability }] of expected.entries())
      expect(probabilities[i]).toBeCloseTo(probability, 6);
    expect(new Set(labels).size).toBeGreaterThan(2);
  });

  test('a point far from all is noise', () => {
    expect([labels.at(-1), probabilities.at(-1)]).toEqual([-1, 0]);
  });

  test("the model's own points, given again, get the clusters they have", () => {
    const again = approximatePredict(model, Float64Array.from(data.flat()));
    const members = [...model.labels.keys()].filter((row) => model.labels[row] >= 0);
    const kept = members.filter((row) => again.labels[row] === model.labels[row]);
    expect(kept.length).toBeGreaterThanOrEqual(0.98 * members.length);
  });

  test('each point is placed for itself', () => {
    const d = data[0].length;
    const one = approximatePredict(model, Float64Array.from(fresh[7]));
    expect([one.labels[0], one.probabilities[0]]).toEqual([labels[7], probabilities[7]]);
    expect(approximatePredict(model, new Float64Array(0)).labels).toHaveLength(0);
    expect(() => approximatePredict(model, new Float64Array(d + 1))).toThrow(
      `approximatePredict: expected points of ${d} numbers each, as the model's are, got ${d + 1} numbers.`,
    );
  });
});

test('joins the cluster whose point it reaches first, at the strength of the reach (worked by hand)', () => {
  // Two runs of points 1 apart; core distances are 1, and so every λ within a run is 1.
  const runs = Float64Array.of(0, 1, 2, 3, 4, 20, 21, 22, 23, 24);
  const model = fitHdbscan(runs, { n: 10, d: 1, minClusterSize: 5, minSamples: 2 });
  expect([...model.labels]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  const { labels, probabilities } = approximatePredict(model, Float64Array.of(4.5, 6, 18, 12, 60));
  // 4.5 reaches 4 at its core distance, 1; 6 and 18 reach 2; 12 reaches 8, still before the runs join at 16; 60 is 36 away.
  expect([...labels]).toEqual([0, 0, 1, 0, -1]);
  expect([...probabilities]).toEqual([1, 0.5, 0.5, 0.125, 0]);
});

test('everything is one cluster where that is allowed: far points are none of it', () => {
  const run = Float64Array.of(0, 1, 2, 3, 4, 5);
  const model = fitHdbscan(run, { n: 6, d: 1, minClusterSize: 5, minSamples: 2, allowSingleCluster: true });
  expect([...model.labels]).toEqual([0, 0, 0, 0, 0, 0]);
  const { labels, probabilities } = approximatePredict(model, Float64Array.of(2.5, 9));
  expect([...labels]).toEqual([0, -1]);
  expect([...probabilities]).toEqual([1, 0]);
});

test('on a heap of equal points the reach is infinite, and so is the strength', () => {
  const heaps = Float64Array.from({ length: 20 }, (_, i) => i % 2);
  const model = fitHdbscan(heaps, { n: 20, d: 1, minClusterSize: 5 });
  const { labels, probabilities } = approximatePredict(model, Float64Array.of(0, 1, 0.25));
  expect([...labels]).toEqual([0, 1, 0]);
  expect([...probabilities]).toEqual([1, 1, 0]);
});

test('a coordinate that is no number is refused by row, and a model of no points', () => {
  const model = fitHdbscan(Float64Array.of(0, 1, 2), { n: 3, d: 1, minClusterSize: 2 });
  expect(() => approximatePredict(model, Float64Array.of(1, Number.NaN))).toThrow(
    'approximatePredict: expected finite coordinates, got NaN in row 1, column 0.',
  );
  const empty = fitHdbscan(new Float64Array(0), { n: 0, d: 1, minClusterSize: 2 });
  expect(() => approximatePredict(empty, Float64Array.of(1))).toThrow(
    'expected a model of at least one point',
  );
});
