/** Bytes in memory in place of a file, which count what is read of them. */

import type { ByteSource } from '../../pipeline/checkpoint/byte-source.ts';

export interface MemorySource extends ByteSource {
  /** Read so far, each time again. */
  bytesRead: number;
  closed: boolean;
}

export function memorySource(bytes: Uint8Array, path = 'weights'): MemorySource {
  return {
    path,
    bytes: bytes.length,
    bytesRead: 0,
    closed: false,
    read(target, position) {
      // Readers have to check first: a plain Error here is a fault of theirs, and fails the test.
      if (!Number.isSafeInteger(position) || position < 0 || position + target.length > bytes.length) {
        throw new Error(`Read ${target.length} bytes at ${position} of ${bytes.length}.`);
      }
      target.set(bytes.subarray(position, position + target.length));
      this.bytesRead += target.length;
    },
    close() {
      this.closed = true;
    },
  };
}
