import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import {
  readWordVectors,
  type WordVectors,
  wordKey,
  wordRow,
  writeWordVectors,
} from '../../pipeline/model/word-vectors.ts';

const folder = mkdtempSync(join(tmpdir(), 'vectors-'));
afterAll(() => rmSync(folder, { recursive: true }));

function example(): WordVectors {
  const words = ['the', 'α-helix', '0.0', 'based'];
  const values = Float32Array.from({ length: 4 * 16 }, (_, i) => Math.sin(i) * (1 + (i >> 4)));
  return { words, rows: new Map(words.map((word, row) => [word, row])), d: 16, values };
}

describe('word vectors on disk', () => {
  it('come back bit by bit', () => {
    const path = join(folder, 'exact.bin');
    writeWordVectors(path, example());
    expect(readWordVectors(path)).toEqual(example());
    expect(readdirSync(folder).filter((name) => name.includes('part'))).toEqual([]);
  });

  it('keep rows of zeros and an empty vocabulary', () => {
    const path = join(folder, 'zeros.bin');
    const empty = { words: [], rows: new Map<string, number>(), d: 16, values: new Float32Array(0) };
    writeWordVectors(path, empty);
    expect(readWordVectors(path)).toEqual(empty);
    const zeros = { ...example(), values: new Float32Array(64) };
    writeWordVectors(path, zeros);
    expect(readWordVectors(path)).toEqual(zeros);
  });

  it('are refused when any byte is changed, missing or added', () => {
    const path = join(folder, 'damaged.bin');
    writeWordVectors(path, example());
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 7) {
      const damaged = Buffer.from(whole);
      damaged[at] ^= 0x81;
      writeFileSync(path, damaged);
      expect(() => readWordVectors(path)).toThrow(UserError);
    }
    for (const bytes of [
      whole.subarray(0, -1),
      Buffer.concat([whole, Buffer.from('x')]),
      Buffer.from('no'),
    ]) {
      writeFileSync(path, bytes);
      expect(() => readWordVectors(path)).toThrow(UserError);
    }
  });

  it('are refused before anything is allocated when the header promises gigabytes', () => {
    const path = join(folder, 'huge.bin');
    writeWordVectors(path, example());
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(4_000_000, 16);
    bytes.writeUInt32LE(4096, 20);
    writeFileSync(path, bytes);
    expect(() => readWordVectors(path)).toThrow(/bytes for 4000000 words × 4096/);
  });
});

describe('wordRow', () => {
  const rows = new Map(['il-12', 'il-00', '0000', 'based', '"'].map((word, row) => [word, row]));

  it('takes the word itself, then its folded digits, then its last hyphenated part', () => {
    expect(
      ['IL-12', 'IL-10', '2019', 'BERT-based', '``', 'unseen', '-'].map((token) => wordRow(rows, token)),
    ).toEqual([0, 1, 2, 3, 4, -1, -1]);
  });

  it('folds the digits of numbers only', () => {
    expect([wordKey('3.14'), wordKey('C3D'), wordKey('-LRB-')]).toEqual(['0.00', 'c3d', '(']);
  });
});
