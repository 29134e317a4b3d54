/** Documents out of the database, as columns in corpus order. */

import { createHash } from 'node:crypto';
import type { CorpusTexts, DocumentColumns, PaperColumns } from '../contract.ts';
import type { Store } from './open.ts';

/** Row i of the corpus ↔ the document's key in the tables. */
export interface CorpusOrder {
  n: number;
  /** [n] document_key of row i. */
  keys: Int32Array;
  /** [largest key + 1] row of a document_key, −1 where there is none. */
  rowOf: Int32Array;
}

/** Reads the order that every document-aligned column follows: order_key, then id. */
export function readOrder(store: Store): CorpusOrder {
  const list = store
    .prepare('SELECT document_key FROM document ORDER BY order_key, id')
    .pluck()
    .all() as number[];
  const keys = Int32Array.from(list);
  let largest = -1;
  for (const key of keys) if (key > largest) largest = key;
  const rowOf = new Int32Array(largest + 1).fill(-1);
  for (let i = 0; i < keys.length; i++) rowOf[keys[i]] = i;
  return { n: keys.length, keys, rowOf };
}

export function countDocuments(store: Store): number {
  return store.prepare('SELECT count(*) FROM document').pluck().get() as number;
}

/** All documents, in corpus order. */
export function readDocuments(store: Store): DocumentColumns {
  return toColumns(
    store.prepare('SELECT id, title, abstract, year FROM document ORDER BY order_key, id').raw().iterate(),
  );
}

/** All documents in corpus order, their texts one at a time. */
export function readTexts(store: Store, order: CorpusOrder): CorpusTexts {
  const abstractOf = store.prepare('SELECT abstract FROM document WHERE document_key = ?').pluck();
  function* read(): Generator<{ title: string; abstract: string }> {
    const rows = store.prepare('SELECT title, abstract FROM document ORDER BY order_key, id').raw().iterate();
    for (const [title, abstract] of rows as Iterable<[string, string]>) yield { title, abstract };
  }
  return {
    id: readIds(store),
    read,
    abstract: (row) => abstractOf.get(order.keys[row]) as string,
  };
}

/** Ids, titles and years alone, in corpus order; `abstract` is empty throughout. */
export function readHeadings(store: Store): DocumentColumns {
  return toColumns(
    store.prepare("SELECT id, title, '', year FROM document ORDER BY order_key, id").raw().iterate(),
  );
}

/** What sources tell of the documents beside their texts; null where that is nothing. */
export function readPapers(store: Store, order: CorpusOrder): PaperColumns | null {
  const told = store.prepare('SELECT 1 FROM document WHERE told = 1 LIMIT 1').pluck().get();
  if (told === undefined) return null;
  const rows = store
    .prepare('SELECT citations, published, venue FROM document ORDER BY order_key, id')
    .raw()
    .iterate() as Iterable<[number | null, string | null, string | null]>;
  const papers = {
    citations: new Int32Array(order.n).fill(-1),
    published: [] as string[],
    venue: [] as string[],
  };
  for (const [citations, published, venue] of rows) {
    papers.citations[papers.published.length] = citations ?? -1;
    papers.published.push(published ?? '');
    papers.venue.push(venue ?? '');
  }
  const names = (column: 'authors' | 'institutions'): ((row: number) => string[]) => {
    const statement = store.prepare(`SELECT ${column} FROM document WHERE document_key = ?`).pluck();
    return (row) => JSON.parse(statement.get(order.keys[row]) as string) as string[];
  };
  return { ...papers, authors: names('authors'), institutions: names('institutions') };
}

export function readIds(store: Store): string[] {
  return store.prepare('SELECT id FROM document ORDER BY order_key, id').pluck().all() as string[];
}

/** The documents with these keys, in the order of the keys. */
export function readDocumentsByKey(
  store: Store,
  keys: readonly number[],
): DocumentColumns & { contentHash: string[] } {
  const statement = store
    .prepare('SELECT id, title, abstract, year, content_hash FROM document WHERE document_key = ?')
    .raw();
  const rows = keys.map((key) => statement.get(key) as unknown[]);
  return { ...toColumns(rows), contentHash: rows.map((row) => row[4] as string) };
}

/**
 * Keys of the documents whose result in `table` is missing or was made from another text or by other work
 * (another model, setting or stage version), ascending.
 */
export function pendingDocuments(store: Store, table: 'tagged' | 'embedding', workKey: string): number[] {
  const keys = store
    .prepare(
      `SELECT d.document_key FROM document d
       LEFT JOIN ${table} t ON t.document_key = d.document_key AND t.work_key = ? AND t.content_hash = d.content_hash
       WHERE t.document_key IS NULL`,
    )
    .pluck()
    .all(workKey) as number[];
  // What is stored by key then goes to the end of its table, not to pages all over it.
  return keys.sort((a, b) => a - b);
}

/** sha256 over the text of every document: equal texts in equal documents have equal fingerprints. */
export function textFingerprint(store: Store): string {
  const hash = createHash('sha256');
  const rows = store.prepare('SELECT id, content_hash FROM document ORDER BY order_key, id').raw().iterate();
  for (const row of rows) hash.update(`${JSON.stringify(row)}\n`);
  return hash.digest('hex');
}

function toColumns(rows: Iterable<unknown>): DocumentColumns {
  const columns: DocumentColumns = { id: [], title: [], abstract: [], year: [] };
  for (const row of rows as Iterable<[string, string, string, number | null]>) {
    columns.id.push(row[0]);
    columns.title.push(row[1]);
    columns.abstract.push(row[2]);
    columns.year.push(row[3]);
  }
  return columns;
}
