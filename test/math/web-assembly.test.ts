import { expect, it } from 'vitest';
import {
  branchIf,
  compile,
  createMemory,
  f32FromI32,
  f32x4Splat,
  get,
  i32,
  i32Add,
  i32Constant,
  instantiate,
  loop,
  tee,
  v128Store,
} from '../../pipeline/math/web-assembly.ts';

it('whole numbers of every length in bytes arrive as they are', () => {
  const numbers = [0, 1, 63, 64, -1, -64, -65, 127, 128, 8191, 8192, -8193, 2 ** 23, -(2 ** 23)];
  const memory = createMemory(1);
  const module = compile({
    pages: [1, 1],
    parameters: [],
    functions: numbers.map((number, i) => ({
      name: `write${i}`,
      locals: [],
      code: [...i32Constant(0), ...i32Constant(number), ...f32FromI32, ...f32x4Splat, ...v128Store(16 * i)],
    })),
  });
  const functions = instantiate<Record<string, () => void>>(module, memory);
  for (const i of numbers.keys()) functions[`write${i}`]();
  const written = new Float32Array(memory.buffer);
  expect(numbers.map((_, i) => written[4 * i + 3])).toEqual(numbers);
});

it('a loop runs until its branch is not taken', () => {
  const memory = createMemory(1);
  const [times, at] = [0, 1];
  const module = compile({
    pages: [1, 1],
    parameters: [i32],
    functions: [
      {
        name: 'countDown',
        locals: [[1, i32]],
        code: loop(
          [...get(at), ...get(times), ...f32FromI32, ...f32x4Splat, ...v128Store()],
          [
            ...get(at),
            ...i32Constant(16),
            ...i32Add,
            ...tee(at),
            ...i32Constant(-64),
            ...i32Add,
            ...branchIf(0),
          ],
        ),
      },
    ],
  });
  instantiate<{ countDown(times: number): void }>(module, memory).countDown(7);
  expect([...new Float32Array(memory.buffer, 0, 20)]).toEqual([...new Array(16).fill(7), 0, 0, 0, 0]);
});
