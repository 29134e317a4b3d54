import { expect, test } from 'vitest';
import { kernelArrays } from '../../pipeline/math/array-maker.ts';

test('arrays lie beside each other on multiples of sixteen bytes, and keep their values as the memory grows', () => {
  const arrays = kernelArrays();
  const first = arrays.int32(3).fill(7);
  const second = arrays.float64(5).fill(0.5);
  const large = arrays.float64(100_000);
  expect([first.byteOffset, second.byteOffset, large.byteOffset]).toEqual([0, 16, 64]);
  first[1] = 9;
  expect([...new Int32Array(arrays.memory.buffer, 0, 3)]).toEqual([7, 9, 7]);
  expect([...second]).toEqual([0.5, 0.5, 0.5, 0.5, 0.5]);
  expect(large.every((value) => value === 0)).toBe(true);
});
