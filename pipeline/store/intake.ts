/**
 * Brings tonight's records into the database: gathers them in a temporary table, settles duplicates over
 * the whole intake, then makes `document` equal to what was kept, in one transaction.
 */

import { createHash } from 'node:crypto';
import type { IngestBatch } from '../contract.ts';
import { mergeRecords } from './merge-records.ts';
import type { Store } from './open.ts';

/** What an intake did to the corpus. */
export interface IntakeCounts {
  read: number;
  documents: number;
  added: number;
  changed: number;
  removed: number;
  /** Records that became part of another source's record of the same paper. */
  merged: number;
  skipped: { reason: string; rows: number }[];
}

export interface Intake {
  add(batch: IngestBatch): void;
  /** Settles duplicates and replaces the documents; call it inside the transaction that marks the stage done. */
  finish(): IntakeCounts;
}

/**
 * Begins an intake. The temporary tables live outside the database, so a crash leaves no trace of it.
 */
export function beginIntake(store: Store): Intake {
  store.pragma('temp_store = FILE');
  // matched: rows that are one paper with a better one, and whether both are of one source. origin: where the rows
  // that were merged into row `number` of incoming come from.
  store.exec(`
    DROP TABLE IF EXISTS temp.incoming;
    DROP TABLE IF EXISTS temp.left_out;
    DROP TABLE IF EXISTS temp.matched;
    DROP TABLE IF EXISTS temp.origin;
    CREATE TEMP TABLE incoming (
      source TEXT NOT NULL, place INTEGER NOT NULL, line INTEGER NOT NULL, id TEXT NOT NULL, doi TEXT, arxiv TEXT,
      pmid TEXT, title_key TEXT, title TEXT NOT NULL, abstract TEXT NOT NULL, year INTEGER, extra TEXT NOT NULL,
      facts TEXT NOT NULL, content_hash TEXT NOT NULL, richness REAL NOT NULL, withdrawn TEXT, withdrawn_detail TEXT,
      document_id TEXT NOT NULL, document_source TEXT NOT NULL, document_place INTEGER NOT NULL
    );
    CREATE TEMP TABLE matched (
      number INTEGER NOT NULL, kept INTEGER NOT NULL, kept_id TEXT NOT NULL, kept_line INTEGER NOT NULL,
      is_own INTEGER NOT NULL
    );
    CREATE TEMP TABLE origin (
      number INTEGER NOT NULL, source TEXT NOT NULL, record_id TEXT NOT NULL, line INTEGER NOT NULL, matched_by TEXT
    );
    CREATE INDEX temp.origin_by_number ON origin (number);
    CREATE TEMP TABLE left_out (line INTEGER NOT NULL, id TEXT, reason TEXT NOT NULL, detail TEXT NOT NULL, kept_id TEXT);
  `);
  const insertRecord = store.prepare(`INSERT INTO temp.incoming VALUES (${Array(20).fill('?').join(', ')})`);
  const insertSkipped = store.prepare('INSERT INTO temp.left_out VALUES (?, ?, ?, ?, NULL)');
  const places = new Set<number>();
  const add = store.transaction((batch: IngestBatch) => {
    const { name, place } = batch.source;
    places.add(place);
    for (const r of batch.records) {
      const texts = [r.title, r.abstract, r.year, JSON.stringify(r.extra), JSON.stringify(r.facts)];
      const withdrawal = [r.withdrawn?.reason ?? null, r.withdrawn?.detail ?? null];
      insertRecord.run(
        ...[
          name,
          place,
          r.line,
          r.id,
          r.doi,
          r.arxiv,
          r.pmid,
          r.titleKey,
          ...texts,
          r.contentHash,
          r.richness,
        ],
        ...[...withdrawal, r.id, name, place],
      );
    }
    for (const s of batch.skipped) insertSkipped.run(s.line, s.id, s.reason, s.detail);
  });
  return { add, finish: () => finishIntake(store, places.size > 1) };
}

function finishIntake(store: Store, severalSources: boolean): IntakeCounts {
  const read = store
    .prepare('SELECT (SELECT count(*) FROM temp.incoming) + (SELECT count(*) FROM temp.left_out)')
    .pluck()
    .get() as number;
  mergeRecords(store, severalSources);

  store.exec('CREATE UNIQUE INDEX temp.incoming_by_id ON incoming (document_id)');
  store.function('order_key', { deterministic: true }, (id) => orderKey(id as string));
  renameMerged(store);
  const removed = store
    .prepare(
      // Ids alone are read, from their index: the rows hold all the text.
      `DELETE FROM document WHERE document_key IN (
         SELECT document_key FROM document d WHERE NOT EXISTS (SELECT 1 FROM temp.incoming i WHERE i.document_id = d.id))`,
    )
    .run().changes;
  const counts = store
    .prepare(
      `SELECT count(*) FILTER (WHERE d.id IS NULL) AS added,
              count(*) FILTER (WHERE d.content_hash <> i.content_hash) AS changed
       FROM temp.incoming i LEFT JOIN document d ON d.id = i.document_id`,
    )
    .get() as { added: number; changed: number };
  store.exec(
    `INSERT INTO document (id, order_key, title, abstract, year, doi, source, extra, content_hash, arxiv, pmid,
       authors, institutions, venue, citations, published, told)
     SELECT document_id, order_key(document_id), title, abstract, year, doi, source, extra, content_hash, arxiv, pmid,
       facts -> '$.authors', facts -> '$.institutions', facts ->> '$.venue', facts ->> '$.citations',
       facts ->> '$.published',
       coalesce(facts ->> '$.venue', facts ->> '$.citations', facts ->> '$.published', facts ->> '$.authors[0]',
         facts ->> '$.institutions[0]') IS NOT NULL
     FROM temp.incoming WHERE true ORDER BY document_id
     ON CONFLICT (id) DO UPDATE SET title = excluded.title, abstract = excluded.abstract, year = excluded.year,
       doi = excluded.doi, source = excluded.source, extra = excluded.extra, content_hash = excluded.content_hash,
       arxiv = excluded.arxiv, pmid = excluded.pmid, authors = excluded.authors,
       institutions = excluded.institutions, venue = excluded.venue, citations = excluded.citations,
       published = excluded.published, told = excluded.told
     WHERE content_hash <> excluded.content_hash OR year IS NOT excluded.year OR doi IS NOT excluded.doi
       OR extra <> excluded.extra OR source <> excluded.source OR arxiv IS NOT excluded.arxiv
       OR pmid IS NOT excluded.pmid OR authors <> excluded.authors OR institutions <> excluded.institutions
       OR venue IS NOT excluded.venue OR citations IS NOT excluded.citations
       OR published IS NOT excluded.published`,
  );
  store.exec(`
    DELETE FROM merged_record;
    INSERT INTO merged_record
      SELECT document_key, o.source, record_id, min(o.line), min(matched_by) FROM temp.origin o
      JOIN temp.incoming i ON i.rowid = o.number JOIN document d ON d.id = i.document_id
      GROUP BY document_key, o.source, record_id;
  `);

  store.exec(`
    DELETE FROM skipped_row;
    INSERT INTO skipped_row SELECT line, id, reason, detail, kept_id FROM temp.left_out ORDER BY line, reason;
  `);
  const documents = store.prepare('SELECT count(*) FROM document').pluck().get() as number;
  return { read, documents, ...counts, removed, merged: countMerged(store), skipped: readSkipped(store) };
}

/**
 * A paper whose id changes because an earlier source has it now, or has it no longer, keeps its row, and with it
 * what was found in its text and which topic it was in.
 */
function renameMerged(store: Store): void {
  store.exec(`
    UPDATE document SET id = renamed.to_id, order_key = order_key(renamed.to_id)
    FROM (
      SELECT min(to_id) AS to_id, from_key FROM (
        SELECT to_id, min(from_key) AS from_key FROM (
          SELECT i.document_id AS to_id, d.document_key AS from_key, d.id AS from_id
          FROM temp.origin o JOIN temp.incoming i ON i.rowid = o.number JOIN document d ON d.id = o.record_id
          UNION ALL
          SELECT i.document_id, d.document_key, d.id FROM merged_record m JOIN document d USING (document_key)
          JOIN temp.incoming i ON i.document_id = m.record_id AND i.document_source = m.source
        )
        WHERE NOT EXISTS (SELECT 1 FROM document x WHERE x.id = to_id)
          AND NOT EXISTS (SELECT 1 FROM temp.incoming j WHERE j.document_id = from_id)
        GROUP BY to_id
      ) GROUP BY from_key
    ) renamed WHERE document_key = renamed.from_key
  `);
}

/** Records that are part of a document whose text is another source's. */
export function countMerged(store: Store): number {
  return store
    .prepare('SELECT count(*) FROM merged_record WHERE matched_by IS NOT NULL')
    .pluck()
    .get() as number;
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
    .prepare(
      'SELECT id, content_hash, year, extra, authors, institutions, venue, citations, published FROM document ORDER BY order_key, id',
    )
    .raw()
    .iterate();
  for (const row of rows) hash.update(`${JSON.stringify(row)}\n`);
  return hash.digest('hex');
}
