import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NpyWriter } from '../../pipeline/model/npy.ts';

const newFile = (): string => join(mkdtempSync(join(tmpdir(), 'scinertopic-npy-')), 'vectors.npy');

/** Header and bytes as NumPy's own reader takes them apart. */
function readNpy(path: string): { header: string; data: Buffer } {
  const bytes = readFileSync(path);
  expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x93NUMPY\x01\x00');
  const length = bytes.readUInt16LE(8);
  return { header: bytes.subarray(10, 10 + length).toString('latin1'), data: bytes.subarray(10 + length) };
}

describe('NpyWriter', () => {
  it('writes a header that ends in a line feed on a multiple of 64 bytes, with the final shape', () => {
    const path = newFile();
    const writer = new NpyWriter(path, 3);
    writer.append(Float32Array.of(1, 2, 3));
    writer.append(Float32Array.of(4, 5, 6, 7, 8, 9));
    writer.close();
    const { header, data } = readNpy(path);
    expect(header.trimEnd()).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }");
    expect(header.endsWith('\n')).toBe(true);
    expect((10 + header.length) % 64).toBe(0);
    expect(Array.from({ length: 9 }, (_, i) => data.readFloatLE(4 * i))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(data.length).toBe(36);
    expect(writer.rows).toBe(3);
  });

  it('writes a view into a larger array, and nothing beside it', () => {
    const path = newFile();
    const writer = new NpyWriter(path, 2);
    writer.append(Float32Array.of(9, 1, 2, 9).subarray(1, 3));
    writer.close();
    expect(readNpy(path).data).toEqual(Buffer.from(Float32Array.of(1, 2).buffer));
  });

  it('writes a matrix without rows', () => {
    const path = newFile();
    new NpyWriter(path, 256).close();
    const { header, data } = readNpy(path);
    expect(header).toContain("'shape': (0, 256)");
    expect(data.length).toBe(0);
  });

  it('refuses numbers that make no whole row', () => {
    const writer = new NpyWriter(newFile(), 4);
    expect(() => writer.append(new Float32Array(6))).toThrow('Expected a multiple of 4 numbers, got 6.');
    writer.close();
  });
});
