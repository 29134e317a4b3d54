/** Records of sources that are asked for changes: stored piece by piece, each with where asking goes on. */

import type { IngestedRecord, KeptSource, SourceChanges } from '../contract.ts';
import type { Store } from './open.ts';

export interface SourceState {
  sourceKey: number;
  name: string;
  /** Where asking goes on; null before the first piece is stored. */
  cursor: string | null;
  /** Grows whenever a record changes. */
  revision: number;
}

/** Begins the ids of rows that have none of their own. */
const madeId = '?';

/** What is stored of a source; makes room for one that is new. */
export function beginSource(store: Store, { identity, name }: KeptSource): SourceState {
  store
    .prepare(
      `INSERT INTO source (identity, name, cursor, revision) VALUES (?, ?, NULL, 0)
       ON CONFLICT (identity) DO UPDATE SET name = excluded.name WHERE name <> excluded.name`,
    )
    .run(identity, name);
  const state = readSource(store, identity);
  if (state === null) throw new Error(`The source ${name} was not stored.`);
  return state;
}

export function readSource(store: Store, identity: string): SourceState | null {
  const row = store
    .prepare('SELECT source_key AS sourceKey, name, cursor, revision FROM source WHERE identity = ?')
    .get(identity);
  return (row as SourceState | undefined) ?? null;
}

/** Stores a piece and its cursor, in one transaction. */
export function storeChanges(store: Store, sourceKey: number, piece: SourceChanges): void {
  const put = store.prepare(
    `INSERT INTO source_record (source_key, record_id, part, pass, line, record, reason, detail)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (source_key, record_id) DO UPDATE SET part = excluded.part, pass = excluded.pass,
       line = excluded.line, record = excluded.record, reason = excluded.reason, detail = excluded.detail
     WHERE part <> excluded.part OR line <> excluded.line OR record IS NOT excluded.record
       OR reason IS NOT excluded.reason OR detail IS NOT excluded.detail`,
  );
  const seen = store.prepare(
    'UPDATE source_record SET pass = ? WHERE source_key = ? AND record_id = ? AND pass <> ?',
  );
  const markDeleted = store.prepare(
    `UPDATE source_record SET record = NULL, reason = 'deleted', detail = 'its source says that it has this record no longer'
     WHERE source_key = ? AND record_id = ? AND reason IS NOT 'deleted'`,
  );
  const sweep = store.prepare('DELETE FROM source_record WHERE source_key = ? AND part = ? AND pass < ?');
  const dropPart = store.prepare('DELETE FROM source_record WHERE source_key = ? AND part = ?');
  store
    .transaction(() => {
      let changes = 0;
      for (const { id, line, ...record } of piece.records) {
        changes += put.run(
          sourceKey,
          id,
          piece.part,
          piece.pass,
          line,
          JSON.stringify(record),
          null,
          null,
        ).changes;
        seen.run(piece.pass, sourceKey, id, piece.pass);
      }
      for (const { id, line, reason, detail } of piece.skipped) {
        const key = id ?? `${madeId}${piece.part}, line ${line}: ${reason}`;
        changes += put.run(sourceKey, key, piece.part, piece.pass, line, null, reason, detail).changes;
        seen.run(piece.pass, sourceKey, key, piece.pass);
      }
      for (const id of piece.deleted) changes += markDeleted.run(sourceKey, id).changes;
      if (piece.endsListing) changes += sweep.run(sourceKey, piece.part, piece.pass).changes;
      for (const part of piece.droppedParts) changes += dropPart.run(sourceKey, part).changes;
      store
        .prepare('UPDATE source SET cursor = ?, revision = revision + ? WHERE source_key = ?')
        .run(piece.cursor, changes > 0 ? 1 : 0, sourceKey);
    })
    .immediate();
}

/** What a source has, in pieces of so many rows, by record id. */
export function* readRecords(
  store: Store,
  sourceKey: number,
  rowsAtOnce = 500,
): Generator<Pick<SourceChanges, 'records' | 'skipped'>> {
  const next = store.prepare(
    `SELECT record_id, line, record, reason, detail FROM source_record
     WHERE source_key = ? AND record_id > ? ORDER BY record_id LIMIT ?`,
  );
  for (let after = ''; ; ) {
    const rows = next.all(sourceKey, after, rowsAtOnce) as StoredRow[];
    if (rows.length === 0) return;
    const piece: Pick<SourceChanges, 'records' | 'skipped'> = { records: [], skipped: [] };
    for (const { record_id: key, line, record, reason, detail } of rows) {
      const id = key.startsWith(madeId) ? null : key;
      if (record === null) piece.skipped.push({ line, id, reason: reason ?? '', detail: detail ?? '' });
      else
        piece.records.push({ ...(JSON.parse(record) as Omit<IngestedRecord, 'id' | 'line'>), id: key, line });
    }
    yield piece;
    after = rows[rows.length - 1].record_id;
  }
}

interface StoredRow {
  record_id: string;
  line: number;
  record: string | null;
  reason: string | null;
  detail: string | null;
}

/** Forgets the sources that the config no longer names. */
export function dropOtherSources(store: Store, identities: readonly string[]): void {
  store
    .prepare('DELETE FROM source WHERE identity NOT IN (SELECT value FROM json_each(?))')
    .run(JSON.stringify(identities));
}

/** Records and rows that could not be read, for each source by its name. */
export function countSources(store: Store): { name: string; records: number; unread: number }[] {
  return store
    .prepare(
      `SELECT s.name AS name, count(r.record) AS records, count(r.reason) AS unread
       FROM source s LEFT JOIN source_record r USING (source_key) GROUP BY s.source_key ORDER BY s.source_key`,
    )
    .all() as { name: string; records: number; unread: number }[];
}
