/**
 * Word vectors as a file and in memory: how a token finds its row, and how rows are written and read.
 * Training is elsewhere (train/word-vectors.ts).
 */

import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { UserError } from '../errors.ts';
import { plainToken } from './words.ts';

/** v words and their vectors, commonest word first. */
export interface WordVectors {
  words: string[];
  /** Row of each word: words[rows.get(word)] === word. */
  rows: Map<string, number>;
  d: number;
  /** Float32Array [v × d], row-major. */
  values: Float32Array;
}

/** What a word is counted and looked up under: plain spelling, lower case, digits of numbers folded to 0. */
export function wordKey(token: string): string {
  const key = plainToken(token).toLowerCase();
  return HAS_LETTER.test(key) ? key : foldDigits(key);
}

/** "il-12" and "il-10" as "il-00": the form a rare word with digits falls back on. */
export function foldDigits(key: string): string {
  return key.replace(DIGITS, '0');
}

const HAS_LETTER = /\p{L}/u;
const DIGITS = /\p{Nd}/gu;

/**
 * Row of a token, or −1: its own, else the one with digits folded, else the one of its last hyphenated part
 * ("transformer-based" → "based"), which tells its syntax at least.
 */
export function wordRow(rows: ReadonlyMap<string, number>, token: string): number {
  const key = wordKey(token);
  const folded = foldDigits(key);
  const tail = key.lastIndexOf('-') + 1;
  return (
    rows.get(key) ??
    rows.get(folded) ??
    (tail > 1 && tail < key.length ? rows.get(key.slice(tail)) : undefined) ??
    -1
  );
}

// ---------------------------------------------------------------------------------------------
// File: 8 bytes of magic, six uint32 (version, kind, v, d, bytes of vocabulary, 0), the words as UTF-8 with
// line feeds between, zeros up to a multiple of four, for int8 one float32 scale per row, the matrix, and
// sha256 of all that. Little-endian.

const MAGIC = 'SNTVEC01';
const VERSION = 1;
const HEADER_BYTES = 32;
const HASH_BYTES = 32;
const MAX_WORDS = 5_000_000;
const MAX_DIMENSIONS = 4096;
const KINDS = ['float32', 'int8'] as const;

export type VectorPrecision = (typeof KINDS)[number];

/**
 * Writes aside and renames.
 *
 * @param precision int8 keeps one scale per row (largest absolute value / 127) and a quarter of the bytes.
 */
export function writeWordVectors(
  path: string,
  vectors: WordVectors,
  precision: VectorPrecision = 'float32',
): void {
  const { words, d, values } = vectors;
  const v = words.length;
  if (values.length !== v * d) throw new RangeError(`Expected ${v} × ${d} values, got ${values.length}.`);
  const vocabulary = Buffer.from(words.join('\n'), 'utf8');
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 0, 'ascii');
  [VERSION, KINDS.indexOf(precision), v, d, vocabulary.length, 0].forEach((number, i) => {
    header.writeUInt32LE(number, 8 + 4 * i);
  });
  const padding = Buffer.alloc(paddingAfter(vocabulary.length));
  const parts: Buffer[] = [header, vocabulary, padding];
  if (precision === 'int8') {
    const { scales, quantised } = quantise(values, v, d);
    parts.push(bytesOf(scales), bytesOf(quantised));
  } else {
    parts.push(bytesOf(values));
  }

  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  const aside = `${path}.${process.pid}.part`;
  const file = openSync(aside, 'w');
  try {
    for (const part of [...parts, hash.digest()]) writeAll(file, part);
  } catch (error) {
    closeSync(file);
    rmSync(aside, { force: true });
    throw error;
  }
  closeSync(file);
  renameSync(aside, path);
}

/**
 * @throws UserError when the file is no vector file, its sizes disagree with its length (checked before
 *   anything is allocated), or its checksum does not hold.
 */
export function readWordVectors(path: string): WordVectors {
  const size = statSync(path).size;
  const damaged = (what: string): UserError =>
    new UserError(`Expected word vectors in ${path}, ${what}. Restore the file or train the vectors again.`);
  if (size < HEADER_BYTES + HASH_BYTES) throw damaged(`got a file of ${size} bytes`);
  const bytes = readFileSync(path);
  if (bytes.toString('latin1', 0, 8) !== MAGIC) throw damaged('got a file of another kind');
  const [version, kindNumber, v, d, vocabularyBytes] = [0, 1, 2, 3, 4].map((i) =>
    bytes.readUInt32LE(8 + 4 * i),
  );
  if (version !== VERSION) throw damaged(`version ${VERSION}, got version ${version}`);
  const kind = KINDS[kindNumber];
  if (kind === undefined || v > MAX_WORDS || d < 1 || d > MAX_DIMENSIONS) {
    throw damaged(`got an impossible header (kind ${kindNumber}, ${v} words, ${d} dimensions)`);
  }
  const matrixAt = HEADER_BYTES + vocabularyBytes + paddingAfter(vocabularyBytes);
  const matrixBytes = kind === 'int8' ? 4 * v + v * d : 4 * v * d;
  const expected = matrixAt + matrixBytes + HASH_BYTES;
  if (size !== expected) throw damaged(`${expected} bytes for ${v} words × ${d}, got ${size}`);
  const hash = createHash('sha256')
    .update(bytes.subarray(0, expected - HASH_BYTES))
    .digest();
  if (!hash.equals(bytes.subarray(expected - HASH_BYTES))) throw damaged('whose checksum does not hold');

  const words =
    v === 0 ? [] : bytes.toString('utf8', HEADER_BYTES, HEADER_BYTES + vocabularyBytes).split('\n');
  if (words.length !== v) throw damaged(`got ${words.length} words where the header says ${v}`);
  const rows = new Map<string, number>();
  for (let i = 0; i < v; i++) rows.set(words[i], i);
  if (rows.size !== v) throw damaged('got a word twice');
  return { words, rows, d, values: readMatrix(bytes, matrixAt, kind, v, d) };
}

function readMatrix(bytes: Buffer, at: number, kind: VectorPrecision, v: number, d: number): Float32Array {
  const values = new Float32Array(v * d);
  if (kind === 'float32') {
    bytesOf(values).set(bytes.subarray(at, at + 4 * v * d));
    return values;
  }
  const quantised = new Int8Array(bytes.buffer, bytes.byteOffset + at + 4 * v, v * d);
  for (let i = 0; i < v; i++) {
    const scale = bytes.readFloatLE(at + 4 * i);
    for (let j = i * d; j < (i + 1) * d; j++) values[j] = quantised[j] * scale;
  }
  return values;
}

function quantise(
  values: Float32Array,
  v: number,
  d: number,
): { scales: Float32Array; quantised: Int8Array } {
  const scales = new Float32Array(v);
  const quantised = new Int8Array(v * d);
  for (let i = 0; i < v; i++) {
    let largest = 0;
    for (let j = i * d; j < (i + 1) * d; j++) largest = Math.max(largest, Math.abs(values[j]));
    scales[i] = largest / 127;
    if (largest === 0) continue;
    for (let j = i * d; j < (i + 1) * d; j++) quantised[j] = Math.round(values[j] / scales[i]);
  }
  return { scales, quantised };
}

function paddingAfter(bytes: number): number {
  return (4 - (bytes % 4)) % 4;
}

function bytesOf(array: Float32Array | Int8Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** One write call takes 2 GB at most. */
function writeAll(file: number, bytes: Buffer): void {
  const step = 1 << 28;
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, Math.min(step, bytes.length - at));
}
