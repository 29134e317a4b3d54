/** Raw little-endian numbers on disk: how point sets and results pass between measured processes. */

import { readFileSync, writeFileSync } from 'node:fs';

export function writeNumbers(path: string, numbers: Float32Array | Int32Array): void {
  writeFileSync(path, new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
}

export function readFloats(path: string): Float32Array {
  const bytes = readFileSync(path);
  const floats = new Float32Array(bytes.byteLength / 4);
  new Uint8Array(floats.buffer).set(bytes);
  return floats;
}

export function readLabels(path: string): Int32Array {
  return new Int32Array(readFloats(path).buffer);
}
