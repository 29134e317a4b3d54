import { describe, expect, it } from 'vitest';
import { isKernelBuilt, kernelMemory } from '../../pipeline/math/kernel.ts';
import {
  FRESH,
  NO_SCORE,
  openNeighborKernel,
  plainNeighborKernel,
} from '../../pipeline/math/neighbor-kernel.ts';

const kernels = [
  ['plain', plainNeighborKernel],
  ['WebAssembly', openNeighborKernel],
] as const;

it('is the WebAssembly one where the program was built', () => {
  expect(isKernelBuilt('neighbors')).toBe(true);
});

describe.each(kernels)('the %s kernel', (_, openKernel) => {
  // Addresses of five rows of eight numbers, and of what goes with them.
  const [rows, biases, asked, ids, scores, ...others] = [0, 512, 640, 768, 896, 1024, 1152, 1280, 1408, 1536];
  const [forward, backward, counts, stamps, room] = others;
  const rowBytes = 16;

  function lay() {
    const memory = kernelMemory(65_536);
    const int32 = new Int32Array(memory.buffer);
    // Row i lies at (i, 0 …): products are i · j.
    const int16 = new Int16Array(memory.buffer);
    for (let i = 0; i < 5; i++) int16[i * 8] = i;
    int32.fill(-1, ids / 4, ids / 4 + 20);
    int32.fill(NO_SCORE, scores / 4, scores / 4 + 20);
    const list = (row: number) => [
      [...int32.subarray(ids / 4 + 4 * row, ids / 4 + 4 * row + 4)],
      [...int32.subarray(scores / 4 + 4 * row, scores / 4 + 4 * row + 4)],
    ];
    return { kernel: openKernel(memory), int32, list };
  }

  it('projects rows and adds them up', () => {
    const { kernel, int32 } = lay();
    int32.set([4, 2, 3], asked / 4);
    new Int16Array(int32.buffer).set([-7, 1, 1, 1, 1, 1, 1, 1], room / 2);
    kernel.project(rows, rowBytes, asked, 3, room, scores);
    expect([...int32.subarray(scores / 4, scores / 4 + 3)]).toEqual([-28, -14, -21]);
    int32.fill(0, forward / 4, forward / 4 + 8);
    kernel.addRows(rows, rowBytes, asked, 3, forward);
    expect([...int32.subarray(forward / 4, forward / 4 + 8)]).toEqual([9, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('scans answers into lists: best first, marked, each once, not the one to skip', () => {
    const { kernel, int32, list } = lay();
    int32.set([0, 0, 5, 0, -3], biases / 4);
    // Row 1 asks for list 0 and skips 1, row 3 for list 2.
    int32.set([1, 0, 1, 3, 2, -1], asked / 4);
    const scan = (first: number, count: number, mark: number) =>
      kernel.scan(rows, rowBytes, asked, 2, rows, biases, first, count, ids, scores, 4, mark, room);
    scan(0, 3, 0);
    scan(1, 4, FRESH);
    expect(list(0)).toEqual([
      [2, 3 | FRESH, 4 | FRESH, 0],
      [7, 3, 1, 0],
    ]);
    expect(list(1)).toEqual([
      [-1, -1, -1, -1],
      [NO_SCORE, NO_SCORE, NO_SCORE, NO_SCORE],
    ]);
    expect(list(2)).toEqual([
      [2, 3 | FRESH, 4 | FRESH, 1],
      [11, 9, 9, 3],
    ]);
  });

  it('offers neighbours of neighbours, where a step is fresh', () => {
    const { kernel, int32, list } = lay();
    int32.fill(0, biases / 4, biases / 4 + 5);
    int32.fill(-1, forward / 4, forward / 4 + 20);
    // 1 names 2, which names 3 freshly and 0 not; 1 is named freshly by 4.
    int32[forward / 4 + 4] = 2;
    int32.set([3 | FRESH, 0], forward / 4 + 8);
    int32[ids / 4 + 4] = 2;
    int32[scores / 4 + 4] = 2;
    int32.fill(0, counts / 4, counts / 4 + 5);
    int32[backward / 4 + 2] = 4 | FRESH;
    int32[counts / 4 + 1] = 1;
    kernel.join(
      ...([rows, rowBytes, biases, 1, 2, ids, scores, 4] as const),
      ...([forward, 4, backward, counts, 2, stamps, room] as const),
    );
    expect(list(1)).toEqual([
      [4 | FRESH, 3 | FRESH, 2, -1],
      [4, 3, 2, NO_SCORE],
    ]);
    // No other row was touched.
    expect(list(2)[0]).toEqual([-1, -1, -1, -1]);
  });
});
