/** Vectors to BLOBs (little-endian float32) and back: document embeddings and positions. */

import { endianness } from 'node:os';
import type { Embedded, KeptLayout, Matrix, MatrixRows, Reduced } from '../contract.ts';
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
 * Embeddings in corpus order, all at once or some rows at a time.
 *
 * @throws Error, when they are read, if a document has none; the embed stage gives each one.
 */
export function readEmbeddings(store: Store, order: CorpusOrder): MatrixRows {
  const d = embeddingDimensions(store);
  const vectorOf = store.prepare('SELECT vector FROM embedding WHERE document_key = ?').pluck();
  return {
    n: order.n,
    d,
    all: () => readMatrix(store, order, d, 'SELECT document_key, vector FROM embedding'),
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

/** What a layout was made from, beside the documents: it is kept while none of this changes. */
export interface LayoutBasis {
  version: number;
  config: unknown;
  seed: number | null;
  /** Work key of the vectors. */
  vectors: string;
}

/** What makes tonight's vectors what they are, the texts apart. */
export function readVectorKey(store: Store): string {
  return (store.prepare('SELECT work_key FROM embedding LIMIT 1').pluck().get() as string | undefined) ?? '';
}

/** What the stored layout was made from; null where none was kept. */
export function readLayoutBasis(store: Store): LayoutBasis | null {
  const basis = store.prepare('SELECT basis FROM layout').pluck().get() as string | undefined;
  return basis === undefined ? null : (JSON.parse(basis) as LayoutBasis);
}

/** Why the places were made anew in this run; '' where they were kept, or are no layout's of this run. */
export function readRebuilt(store: Store, runNumber: number): string {
  return (
    (store.prepare('SELECT rebuilt FROM layout WHERE run_number = ?').pluck().get(runNumber) as
      | string
      | undefined) ?? ''
  );
}

/** Whether any document has a place. */
export function hasPositions(store: Store): boolean {
  return store.prepare('SELECT length(vector) FROM position LIMIT 1').pluck().get() !== undefined;
}

/** The places that documents have, in corpus order; a document whose text has changed since has none. */
export function readLayout(store: Store, order: CorpusOrder, runNumber: number): KeptLayout {
  const { n } = order;
  const bytes = store.prepare('SELECT length(vector) FROM position LIMIT 1').pluck().get() as
    | number
    | undefined;
  const d = (bytes ?? 0) / 4;
  const kept: KeptLayout = {
    placed: new Uint8Array(n),
    late: new Uint8Array(n),
    positions: {
      x: new Float32Array(n),
      y: new Float32Array(n),
      reduced: { n, d, values: new Float32Array(n * d) },
    },
    fitted: store.prepare('SELECT fitted FROM layout').pluck().get() as number,
    strangeNights:
      (store
        .prepare(
          'SELECT strange_nights FROM clustering WHERE run_number < ? ORDER BY run_number DESC LIMIT 1',
        )
        .pluck()
        .get(runNumber) as number | undefined) ?? 0,
  };
  const { x, y, reduced } = kept.positions;
  const places = new Uint8Array(reduced.values.buffer);
  const rows = store
    .prepare(
      `SELECT p.document_key, p.x, p.y, p.late, p.vector FROM position p JOIN embedding e USING (document_key)
       WHERE p.content_hash = e.content_hash`,
    )
    .raw()
    .iterate() as Iterable<[number, number, number, number, Buffer]>;
  for (const [key, px, py, late, vector] of rows) {
    const row = order.rowOf[key];
    kept.placed[row] = 1;
    kept.late[row] = late;
    x[row] = px;
    y[row] = py;
    places.set(vector, row * d * 4);
  }
  return kept;
}

/**
 * Replaces all positions, and what is known of the layout. Call it inside the transaction that marks the stage
 * done. Done twice in one run, the reason why places were made anew stays that of the first time, if any.
 */
export function writePositions(
  store: Store,
  order: CorpusOrder,
  runNumber: number,
  reduced: Reduced,
  basis: LayoutBasis,
): void {
  store.exec('DELETE FROM position');
  const add = store.prepare(
    `INSERT INTO position (document_key, x, y, vector, content_hash, late)
     SELECT ?, ?, ?, ?, content_hash, ? FROM embedding WHERE document_key = ?`,
  );
  for (let i = 0; i < order.n; i++) {
    const key = order.keys[i];
    add.run(key, reduced.x[i], reduced.y[i], rowBlob(reduced.reduced, i), reduced.late[i], key);
  }
  const rebuilt = reduced.rebuilt === '' ? readRebuilt(store, runNumber) : reduced.rebuilt;
  store
    .prepare('INSERT OR REPLACE INTO layout VALUES (1, ?, ?, ?, ?)')
    .run(runNumber, JSON.stringify(basis), reduced.fitted, rebuilt);
}

/** Uint8Array [n]: 1 for a document that came later than the layout was made. */
export function readLate(store: Store, order: CorpusOrder): Uint8Array {
  const late = new Uint8Array(order.n);
  const keys = store.prepare('SELECT document_key FROM position WHERE late <> 0').pluck().iterate();
  for (const key of keys as Iterable<number>) late[order.rowOf[key]] = 1;
  return late;
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
