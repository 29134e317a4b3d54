/** Where a kernel's arrays live: in memory of their own, or in a memory that WebAssembly reaches. */

import { type KernelMemory, kernelMemory, kernelPageBytes } from './kernel.ts';

/** Gives arrays of zeros. */
export interface ArrayMaker {
  int32(length: number): Int32Array;
  float64(length: number): Float64Array;
}

export const ownArrays: ArrayMaker = {
  int32: (length) => new Int32Array(length),
  float64: (length) => new Float64Array(length),
};

/** Arrays beside each other in one memory, which grows with them; they are freed together, with the memory. */
export interface KernelArrays extends ArrayMaker {
  memory: KernelMemory;
}

export function kernelArrays(): KernelArrays {
  const memory = kernelMemory(kernelPageBytes);
  let used = 0;
  // Addresses are multiples of 16, which vector loads like.
  const take = (bytes: number): number => {
    const address = used;
    used += Math.ceil(bytes / 16) * 16;
    const missing = Math.ceil(used / kernelPageBytes) - memory.buffer.byteLength / kernelPageBytes;
    if (missing > 0) memory.grow(missing);
    return address;
  };
  return {
    memory,
    int32: (length) => {
      const address = take(4 * length);
      return new Int32Array(memory.buffer, address, length);
    },
    float64: (length) => {
      const address = take(8 * length);
      return new Float64Array(memory.buffer, address, length);
    },
  };
}
