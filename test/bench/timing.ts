/** Times parts of a task, and fingerprints what they give. */

import { createHash } from 'node:crypto';

export interface Timing {
  wallSeconds: number;
  /** User and system time of all threads. */
  cpuSeconds: number;
}

/** Runs `work` once and tells what it took. */
export async function timed<Value>(
  work: () => Value | Promise<Value>,
): Promise<{ value: Value; timing: Timing }> {
  const began = performance.now();
  const before = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(before);
  return {
    value,
    timing: { wallSeconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 },
  };
}

/** First 12 hexadecimal digits of the sha256 over the bytes of all arrays, in order: enough to compare runs by eye. */
export function fingerprint(...arrays: readonly ArrayBufferView[]): string {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of arrays) {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex').slice(0, 12);
}

/** The upper of the two in the middle, where there are two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
