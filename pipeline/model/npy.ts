/** NumPy's .npy files of float32 matrices, written row by row. */

import { closeSync, openSync, writeSync } from 'node:fs';

/** Bytes of magic, version and header together; a multiple of 64, as the format asks. */
const headerBytes = 128;

/**
 * Writes a float32 matrix of d columns whose number of rows is known only at the end.
 *
 * Source: NumPy Enhancement Proposal 1, format version 1.0.
 */
export class NpyWriter {
  readonly #file: number;
  readonly #d: number;
  /** Rows written so far. */
  rows = 0;

  constructor(path: string, d: number) {
    this.#file = openSync(path, 'w');
    this.#d = d;
    writeSync(this.#file, this.#header());
  }

  /** @param values Float32Array [b × d], row-major. */
  append(values: Float32Array): void {
    if (values.length % this.#d !== 0) {
      throw new RangeError(`Expected a multiple of ${this.#d} numbers, got ${values.length}.`);
    }
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    this.rows += values.length / this.#d;
  }

  /** Writes the final header. */
  close(): void {
    try {
      writeSync(this.#file, this.#header(), 0, headerBytes, 0);
    } finally {
      closeSync(this.#file);
    }
  }

  #header(): Buffer {
    const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${this.rows}, ${this.#d}), }`;
    const bytes = Buffer.alloc(headerBytes, ' ');
    bytes.write('\x93NUMPY\x01\x00', 'latin1');
    bytes.writeUInt16LE(headerBytes - 10, 8);
    bytes.write(text, 10, 'latin1');
    bytes.write('\n', headerBytes - 1, 'latin1');
    return bytes;
  }
}
