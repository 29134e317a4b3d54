import { expect, it } from 'vitest';
import {
  type AdamWStep,
  adamW,
  adamWRows,
  clippingScale,
  createTrained,
} from '../../pipeline/train/adamw.ts';

const step = (number: number, changes: Partial<AdamWStep> = {}): AdamWStep => ({
  step: number,
  rate: 0.1,
  weightDecay: 0,
  gradientScale: 1,
  averageDecay: 0,
  ...changes,
});

it('moves by the rate in the first step, whatever the size of the gradient', () => {
  const trained = createTrained(Float32Array.of(1, 1, 1));
  adamW(trained, [100, -1e-3, 0], step(1));
  expect(trained.values[0]).toBeCloseTo(0.9, 5);
  expect(trained.values[1]).toBeCloseTo(1.1, 4);
  expect(trained.values[2]).toBe(1);
});

it('agrees with the update written out, over three steps with decay', () => {
  const trained = createTrained(Float32Array.of(0.5));
  let [value, mean, spread] = [0.5, 0, 0];
  for (let t = 1; t <= 3; t++) {
    const slope = 2 * value;
    mean = 0.9 * mean + 0.1 * slope;
    spread = 0.999 * spread + 0.001 * slope * slope;
    const unbiased = mean / (1 - 0.9 ** t) / (Math.sqrt(spread / (1 - 0.999 ** t)) + 1e-8);
    adamW(trained, [2 * trained.values[0]], step(t, { weightDecay: 0.3 }));
    value = value - 0.1 * 0.3 * value - 0.1 * unbiased;
    expect(trained.values[0]).toBeCloseTo(value, 5);
  }
});

it('finds the bottom of a bowl', () => {
  const trained = createTrained(Float32Array.of(3, -4));
  for (let t = 1; t <= 400; t++)
    adamW(
      trained,
      trained.values.map((value) => 2 * (value - 1)),
      step(t, { rate: 0.05 }),
    );
  expect(trained.values[0]).toBeCloseTo(1, 2);
  expect(trained.values[1]).toBeCloseTo(1, 2);
});

it('moves the named rows only, as a dense step would, and clears their gradient', () => {
  const start = Float32Array.of(1, 2, 3, 4, 5, 6);
  const [some, all] = [createTrained(start.slice()), createTrained(start.slice())];
  const gradient = Float32Array.of(1, -1, 7, 7, 2, 0);
  adamW(all, gradient, step(1));
  adamWRows(some, gradient, [0, 2], 2, step(1));
  expect([...some.values]).toEqual([all.values[0], all.values[1], 3, 4, all.values[4], all.values[5]]);
  expect([...gradient]).toEqual([0, 0, 7, 7, 0, 0]);
});

it('averages the first steps evenly, later ones with the decay given', () => {
  const trained = createTrained(Float32Array.of(0));
  adamW(trained, [1], step(1, { averageDecay: 0.999 }));
  expect(trained.average[0]).toBeCloseTo(0.9 * trained.values[0], 6);
  const [before, { average }] = [trained.average[0], trained];
  adamW(trained, [1], step(1_000_000, { averageDecay: 0.999 }));
  expect(average[0]).toBeCloseTo(before + 0.001 * (trained.values[0] - before), 6);
});

it('shortens only what is longer than the limit', () => {
  expect(clippingScale([[3], [4]], 5)).toBe(1);
  expect(clippingScale([[6], [8]], 5)).toBe(0.5);
});
