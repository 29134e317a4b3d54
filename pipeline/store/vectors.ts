/** Vectors to BLOBs (little-endian float32) and back: document embeddings and positions. */

import { endianness } from 'node:os';
import type { Embedded, Matrix, MatrixRows, PositionColumns } from '../contract.ts';
import type { CorpusOrder } from './documents.ts';
import type { Store } from './open.ts';

if (endianness() !== 'LE') throw new Error('Vectors are stored little-endian; this machine is big-endian.');

/** Stores one vector per document of a batch. `keys[i]` is the document of row i. Call it inside a transaction. */
export function writeEmbeddings(
  store: Store,
  keys: readonly number[],
  contentHashes: readonly string[],
  workKey: string,
  model: string,
  vectors: Embedded,
): void {
  const clear = store.prepare('DELETE FROM embedding WHERE document_key = ?');
  const add = store.prepare('INSERT INTO embedding VALUES (?, ?, ?, ?, ?, ?, ?)');
  for (let i = 0; i < keys.length; i++) {
    const { d, truncated } = vectors;
    // Two plain statements: for one that may replace, SQLite first writes every page it touches aside.
    clear.run(keys[i]);
    add.run(keys[i], contentHashes[i], workKey, model, d, rowBlob(vectors, i), truncated[i]);
  }
}

/**
 * All embeddings, in corpus order.
 *
 * @throws Error when a document has none; the embed stage gives each one.
 */
export function readEmbeddings(store: Store, order: CorpusOrder): Matrix {
  return readMatrix(store, order, embeddingDimensions(store), 'SELECT document_key, vector FROM embedding');
}

/** The same, some rows at a time. */
export function readEmbeddingRows(store: Store, order: CorpusOrder): MatrixRows {
  const d = embeddingDimensions(store);
  const vectorOf = store.prepare('SELECT vector FROM embedding WHERE document_key = ?').pluck();
  return {
    n: order.n,
    d,
    read: (rows) => {
      const values = new Float32Array(rows.length * d);
      const bytes = new Uint8Array(values.buffer);
      for (let i = 0; i < rows.length; i++) {
        bytes.set(checked(vectorOf.get(order.keys[rows[i]]) as Buffer, d, order.keys[rows[i]]), i * d * 4);
      }
      return { n: rows.length, d, values };
    },
  };
}

function embeddingDimensions(store: Store): number {
  return (store.prepare('SELECT dimensions FROM embedding LIMIT 1').pluck().get() as number | undefined) ?? 0;
}

/** Documents whose vector leaves out the end of their text. */
export function countTruncated(store: Store): number {
  return store.prepare('SELECT count(*) FROM embedding WHERE truncated = 1').pluck().get() as number;
}

/** Replaces all positions. Call it inside the transaction that marks the stage done. */
export function writePositions(store: Store, order: CorpusOrder, positions: PositionColumns): void {
  store.exec('DELETE FROM position');
  const add = store.prepare('INSERT INTO position VALUES (?, ?, ?, ?)');
  for (let i = 0; i < order.n; i++) {
    add.run(order.keys[i], positions.x[i], positions.y[i], rowBlob(positions.reduced, i));
  }
}

/** The reduced vectors that clustering works on, in corpus order. */
export function readReduced(store: Store, order: CorpusOrder): Matrix {
  const bytes = store.prepare('SELECT length(vector) FROM position LIMIT 1').pluck().get() as
    | number
    | undefined;
  return readMatrix(store, order, (bytes ?? 0) / 4, 'SELECT document_key, vector FROM position');
}

/** The 2-d map, in corpus order. */
export function readMap(store: Store, order: CorpusOrder): { x: Float32Array; y: Float32Array } {
  const x = new Float32Array(order.n);
  const y = new Float32Array(order.n);
  const rows = store.prepare('SELECT document_key, x, y FROM position').raw().iterate();
  for (const [key, px, py] of rows as Iterable<[number, number, number]>) {
    const row = order.rowOf[key];
    x[row] = px;
    y[row] = py;
  }
  return { x, y };
}

function rowBlob(matrix: Matrix, row: number): Buffer {
  const { d, values } = matrix;
  return Buffer.from(values.buffer, values.byteOffset + row * d * 4, d * 4);
}

function readMatrix(store: Store, order: CorpusOrder, d: number, query: string): Matrix {
  const values = new Float32Array(order.n * d);
  const bytes = new Uint8Array(values.buffer);
  let rows = 0;
  for (const [key, vector] of store.prepare(query).raw().iterate() as Iterable<[number, Buffer]>) {
    bytes.set(checked(vector, d, key), order.rowOf[key] * d * 4);
    rows++;
  }
  if (rows !== order.n) throw new Error(`Expected a vector for each of ${order.n} documents, found ${rows}.`);
  return { n: order.n, d, values };
}

function checked(vector: Buffer | undefined, d: number, key: number): Buffer {
  if (vector?.length === d * 4) return vector;
  throw new Error(`Expected ${d} numbers for document_key ${key}, found ${(vector?.length ?? 0) / 4}.`);
}
