import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { connect } from '../../pipeline/store/connection.ts';
import { openDatabase, openForReading } from '../../pipeline/store/open.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'scinertopic-open-'));

describe('openDatabase', () => {
  it('makes the folder, the schema, WAL mode and foreign keys, and opens again without change', () => {
    const path = join(folder(), 'deep', 'pipeline.db');
    openDatabase(path).close();
    const store = openDatabase(path);
    expect(store.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(store.pragma('foreign_keys', { simple: true })).toBe(1);
    expect(
      store.prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'view'").pluck().get(),
    ).toBeGreaterThan(9);
    store.close();
  });

  it('answers every public view with the columns that are promised', () => {
    const store = openDatabase(join(folder(), 'pipeline.db'));
    const columns: Record<string, string> = {
      documents: 'id, title, abstract, year, source, extra',
      entities: 'document_id, field, start, "end", text, canonical, type, score',
      embeddings: 'document_id, model, dimensions, vector',
      positions: 'document_id, x, y, vector',
      assignments: 'document_id, topic_id, probability',
      topics: 'topic_id, label, size, first_run, last_run',
      topic_terms: 'topic_id, rank, term, type, weight',
      topic_events: 'run_id, event, topic_id, from_topic_ids',
      runs: 'run_id, status',
      stage_runs: 'run_id, stage, status',
    };
    for (const [view, list] of Object.entries(columns)) {
      expect(store.prepare(`SELECT ${list} FROM ${view}`).all()).toEqual([]);
    }
    const strict = store
      .prepare(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
      )
      .all();
    expect(strict).toEqual([]);
  });

  it("refuses another program's database, a newer schema and a file that is no database", () => {
    const other = join(folder(), 'other.db');
    const database = connect(other, {});
    database.exec('CREATE TABLE theirs (x)');
    database.close();
    expect(() => openDatabase(other)).toThrow(/another program's database/);

    const newer = join(folder(), 'newer.db');
    const store = openDatabase(newer);
    store.pragma('user_version = 999');
    store.close();
    expect(() => openDatabase(newer)).toThrow(/newer version/);

    const text = join(folder(), 'text.db');
    writeFileSync(
      text,
      'this is not a database, only a text that is long enough to be looked at as one. '.repeat(20),
    );
    expect(() => openDatabase(text)).toThrow(UserError);
    expect(() => openForReading(join(folder(), 'none.db'))).toThrow(/no database/);
    const taken = join(folder(), 'folder.db');
    mkdirSync(taken);
    expect(() => openDatabase(taken)).toThrow(UserError);
  });
});
