/**
 * Brings tonight's records into the database: gathers them in a temporary table, settles duplicates over
 * the whole intake, then makes `document` equal to what was kept, in one transaction.
 */

import { createHash } from 'node:crypto';
import type { IngestBatch } from '../contract.ts';
import type { Store } from './open.ts';

/** What an intake did to the corpus. */
export interface IntakeCounts {
  read: number;
  documents: number;
  added: number;
  changed: number;
  removed: number;
  skipped: { reason: string; rows: number }[];
}

export interface Intake {
  add(batch: IngestBatch): void;
  /** Settles duplicates and replaces the documents; call it inside the transaction that marks the stage done. */
  finish(source: string): IntakeCounts;
}

/**
 * Begins an intake. The temporary tables live outside the database, so a crash leaves no trace of it.
 */
export function beginIntake(store: Store): Intake {
  store.pragma('temp_store = FILE');
  store.exec(`
    DROP TABLE IF EXISTS temp.incoming;
    DROP TABLE IF EXISTS temp.left_out;
    CREATE TEMP TABLE incoming (
      line INTEGER NOT NULL, id TEXT NOT NULL, doi TEXT, title_key TEXT, title TEXT NOT NULL,
      abstract TEXT NOT NULL, year INTEGER, extra TEXT NOT NULL, content_hash TEXT NOT NULL, richness REAL NOT NULL
    );
    CREATE TEMP TABLE left_out (line INTEGER NOT NULL, id TEXT, reason TEXT NOT NULL, detail TEXT NOT NULL, kept_id TEXT);
  `);
  const insertRecord = store.prepare('INSERT INTO temp.incoming VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const insertSkipped = store.prepare('INSERT INTO temp.left_out VALUES (?, ?, ?, ?, NULL)');
  const add = store.transaction((batch: IngestBatch) => {
    for (const r of batch.records) {
      insertRecord.run(
        r.line,
        r.id,
        r.doi,
        r.titleKey,
        r.title,
        r.abstract,
        r.year,
        JSON.stringify(r.extra),
        r.contentHash,
        r.richness,
      );
    }
    for (const s of batch.skipped) insertSkipped.run(s.line, s.id, s.reason, s.detail);
  });
  return { add, finish: (source) => finishIntake(store, source) };
}

/**
 * The better of two duplicates is the richer; equals are told apart by what they say, never by where they
 * stand, so that the order of the input decides nothing.
 */
const betterFirst = 'richness DESC, id, content_hash, extra, line';

function finishIntake(store: Store, source: string): IntakeCounts {
  const read = store
    .prepare('SELECT (SELECT count(*) FROM temp.incoming) + (SELECT count(*) FROM temp.left_out)')
    .pluck()
    .get() as number;
  removeDuplicates(store, 'id', 'duplicate id');
  removeDuplicates(store, 'doi', 'duplicate DOI');
  removeDuplicates(store, 'title_key', 'duplicate title');

  store.exec('CREATE UNIQUE INDEX temp.incoming_by_id ON incoming (id)');
  const removed = store
    .prepare(
      // Ids alone are read, from their index: the rows hold all the text.
      `DELETE FROM document WHERE document_key IN (
         SELECT document_key FROM document d WHERE NOT EXISTS (SELECT 1 FROM temp.incoming i WHERE i.id = d.id))`,
    )
    .run().changes;
  const counts = store
    .prepare(
      `SELECT count(*) FILTER (WHERE d.id IS NULL) AS added,
              count(*) FILTER (WHERE d.content_hash <> i.content_hash) AS changed
       FROM temp.incoming i LEFT JOIN document d USING (id)`,
    )
    .get() as { added: number; changed: number };
  store.function('order_key', { deterministic: true }, (id) => orderKey(id as string));
  store
    .prepare(
      `INSERT INTO document (id, order_key, title, abstract, year, doi, source, extra, content_hash)
       SELECT id, order_key(id), title, abstract, year, doi, ?, extra, content_hash FROM temp.incoming WHERE true
       ORDER BY id
       ON CONFLICT (id) DO UPDATE SET title = excluded.title, abstract = excluded.abstract, year = excluded.year,
         doi = excluded.doi, source = excluded.source, extra = excluded.extra, content_hash = excluded.content_hash
       WHERE content_hash <> excluded.content_hash OR year IS NOT excluded.year OR doi IS NOT excluded.doi
         OR extra <> excluded.extra OR source <> excluded.source`,
    )
    .run(source);

  store.exec(`
    DELETE FROM skipped_row;
    INSERT INTO skipped_row SELECT line, id, reason, detail, kept_id FROM temp.left_out ORDER BY line, reason;
  `);
  const documents = store.prepare('SELECT count(*) FROM document').pluck().get() as number;
  return { read, documents, ...counts, removed, skipped: readSkipped(store) };
}

/** Keeps the best row of each group with an equal key and notes for the others which one that was. */
function removeDuplicates(store: Store, key: 'id' | 'doi' | 'title_key', reason: string): void {
  store
    .prepare(
      `INSERT INTO temp.left_out
       SELECT line, id, ?, 'same ' || ? || ' as line ' || kept_line || ' (' || kept_id || '), which says at least as much', kept_id
       FROM (
         SELECT line, id, row_number() OVER best AS place,
           first_value(id) OVER best AS kept_id, first_value(line) OVER best AS kept_line
         FROM temp.incoming WHERE ${key} IS NOT NULL
         WINDOW best AS (PARTITION BY ${key} ORDER BY ${betterFirst})
       ) WHERE place > 1`,
    )
    .run(reason, key === 'title_key' ? 'title' : key);
  store
    .prepare(
      `DELETE FROM temp.incoming WHERE rowid IN (
         SELECT number FROM (
           SELECT rowid AS number, row_number() OVER (PARTITION BY ${key} ORDER BY ${betterFirst}) AS place
           FROM temp.incoming WHERE ${key} IS NOT NULL
         ) WHERE place > 1)`,
    )
    .run();
}

/** Rows left out of the corpus by the last intake, by reason, most first. */
export function readSkipped(store: Store): { reason: string; rows: number }[] {
  return store
    .prepare('SELECT reason, count(*) AS rows FROM skipped_row GROUP BY reason ORDER BY rows DESC, reason')
    .all() as { reason: string; rows: number }[];
}

/**
 * A document's place in the corpus order: the first 48 bits of its id's sha256, so that neighbouring rows
 * are a random sample and no kernel sees the order of the input.
 */
export function orderKey(id: string): number {
  return createHash('sha256').update(id).digest().readUIntBE(0, 6);
}

/** sha256 over every document as it stands; equal corpora have equal fingerprints. */
export function corpusFingerprint(store: Store): string {
  const hash = createHash('sha256');
  const rows = store
    .prepare('SELECT id, content_hash, year, extra FROM document ORDER BY order_key, id')
    .raw()
    .iterate();
  for (const row of rows) hash.update(`${JSON.stringify(row)}\n`);
  return hash.digest('hex');
}
