import { expect, it } from 'vitest';
import { createRandom, shuffled } from '../../pipeline/math/random.ts';

it('equal seeds give equal streams, and each of the three seeds another', () => {
  const start = (...seeds: [number, number?, number?]): number[] => {
    const random = createRandom(...seeds);
    return [random.nextUint32(), random.nextUint32(), random.nextUint32()];
  };
  expect(start(7, 1, 2)).toEqual(start(7, 1, 2));
  const streams = [start(7), start(8), start(7, 1), start(7, 0, 1)].map(String);
  expect(new Set(streams).size).toBe(4);
});

it('numbers stay below their bound and reach all of it', () => {
  const random = createRandom(1);
  const counts = new Array<number>(6).fill(0);
  for (let i = 0; i < 6000; i++) counts[random.nextBelow(6)]++;
  expect(counts.length).toBe(6);
  // Five standard deviations of 29.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(145);
});

it('normal numbers have mean 0 and variance 1', () => {
  const random = createRandom(2);
  const values = Array.from({ length: 10_000 }, () => random.nextNormal());
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.05);
  expect(Math.abs(variance - 1)).toBeLessThan(0.07);
});

it('a shuffle keeps every number once, and puts each anywhere equally often', () => {
  const random = createRandom(3);
  expect([...shuffled(50, random)].sort((a, b) => a - b)).toEqual([...Array(50).keys()]);
  expect([...shuffled(0, random), ...shuffled(1, random)]).toEqual([0]);
  const orders = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = shuffled(3, random).join();
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  expect(orders.size).toBe(6);
  for (const count of orders.values()) expect(Math.abs(count - 1000)).toBeLessThan(145);
});
