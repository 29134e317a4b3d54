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
// File: 8 bytes of magic, six uint32 (version, 0, v, d, bytes of vocabulary, 0), the words as UTF-8 with line
// feeds between, zeros up to a multiple of four, the matrix as float32, and sha256 of all that. Little-endian.

const MAGIC = 'SNTVEC01';
const VERSION = 1;
const HEADER_BYTES = 32;
const HASH_BYTES = 32;
const MAX_WORDS = 5_000_000;
const MAX_DIMENSIONS = 4096;

/** Writes aside and renames. */
export function writeWordVectors(path: string, vectors: WordVectors): void {
  const { words, d, values } = vectors;
  const v = words.length;
  if (values.length !== v * d) throw new RangeError(`Expected ${v} × ${d} values, got ${values.length}.`);
  const vocabulary = Buffer.from(words.join('\n'), 'utf8');
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 0, 'ascii');
  [VERSION, 0, v, d, vocabulary.length, 0].forEach((number, i) => {
    header.writeUInt32LE(number, 8 + 4 * i);
  });
  const padding = Buffer.alloc(paddingAfter(vocabulary.length));
  const parts = [header, vocabulary, padding, bytesOf(values)];

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
  const [version, zero, v, d, vocabularyBytes] = [0, 1, 2, 3, 4].map((i) => bytes.readUInt32LE(8 + 4 * i));
  if (version !== VERSION) throw damaged(`version ${VERSION}, got version ${version}`);
  if (zero !== 0 || v > MAX_WORDS || d < 1 || d > MAX_DIMENSIONS) {
    throw damaged(`got an impossible header (${zero}, ${v} words, ${d} dimensions)`);
  }
  const matrixAt = HEADER_BYTES + vocabularyBytes + paddingAfter(vocabularyBytes);
  const matrixBytes = 4 * v * d;
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
  const values = new Float32Array(v * d);
  bytesOf(values).set(bytes.subarray(matrixAt, matrixAt + matrixBytes));
  return { words, rows, d, values };
}

function paddingAfter(bytes: number): number {
  return (4 - (bytes % 4)) % 4;
}

function bytesOf(array: Float32Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** One write call takes 2 GB at most. */
function writeAll(file: number, bytes: Buffer): void {
  const step = 1 << 28;
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, Math.min(step, bytes.length - at));
}
