import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runSizes } from '../../pipeline/store/growth.ts';
import { openDatabase, type Store } from '../../pipeline/store/open.ts';
import { databaseBytes, pruneHistory, reclaim } from '../../pipeline/store/retention.ts';
import { beginRun, endRun } from '../../pipeline/store/runs.ts';

function withRuns(runs: number): { path: string; store: Store } {
  const path = join(mkdtempSync(join(tmpdir(), 'scinertopic-retention-')), 'pipeline.db');
  const store = openDatabase(path);
  for (let run = 1; run <= runs; run++) {
    beginRun(store, { some: 'settings' });
    store.prepare('INSERT INTO topic_size VALUES (?, -1, 3), (?, 0, ?)').run(run, run, run);
    store
      .prepare(
        "INSERT INTO topic_event (run_number, topic_id, event, from_topic_ids) VALUES (?, 0, 'continued', '[0]')",
      )
      .run(run);
    store.prepare("INSERT INTO clustering VALUES (?, '{}', 0, 0)").run(run);
    store.prepare("INSERT INTO stage_run VALUES (?, 'ingest', 'done', '', '', '', 1, 1)").run(run);
    endRun(store, run, 'done', {
      documentsOut: run * 10,
      topics: 1,
      noiseShare: 0.5,
      databaseBytes: run * 1000,
    });
  }
  return { path, store };
}

const count = (store: Store, what: string): number =>
  store.prepare(`SELECT count(*) FROM ${what}`).pluck().get() as number;

describe('pruneHistory', () => {
  it('keeps what is told of the last runs and the row of every run; doing it twice is doing it once', () => {
    const { store } = withRuns(15);
    for (let time = 0; time < 2; time++) {
      pruneHistory(store, 15, 10);
      expect(store.prepare('SELECT min(run_number) FROM topic_event').pluck().get()).toBe(6);
      expect(store.prepare('SELECT min(run_number) FROM topic_size').pluck().get()).toBe(6);
      expect(store.prepare('SELECT min(run_number) FROM clustering').pluck().get()).toBe(6);
      expect(count(store, 'stage_run')).toBe(10);
      expect([count(store, 'run'), count(store, 'run WHERE summary IS NOT NULL')]).toEqual([15, 10]);
    }
    store.close();
  });

  it('never drops the last sizes, which the next topics are matched to', () => {
    const { store } = withRuns(3);
    pruneHistory(store, 500, 10);
    expect(store.prepare('SELECT DISTINCT run_number FROM topic_size').pluck().all()).toEqual([3]);
    expect(store.prepare('SELECT run_number FROM clustering').pluck().all()).toEqual([3]);
    store.close();
  });
});

describe('runSizes', () => {
  it('tells what each run left, newest first, and null where that was dropped', () => {
    const { store } = withRuns(12);
    pruneHistory(store, 12, 10);
    const sizes = runSizes(store, 12);
    expect(sizes[0]).toEqual({
      runId: 'run-0012',
      documents: 120,
      topics: 1,
      noiseShare: 0.5,
      databaseBytes: 12_000,
    });
    expect(sizes.at(-1)).toMatchObject({ runId: 'run-0001', documents: null });
    store.close();
  });
});

describe('reclaim', () => {
  it('gives free pages back to the file system, only where there are many', () => {
    const { path, store } = withRuns(1);
    store.exec('CREATE TABLE filler (x BLOB) STRICT');
    const add = store.prepare('INSERT INTO filler VALUES (zeroblob(100000))');
    store.transaction(() => {
      for (let i = 0; i < 40; i++) add.run();
    })();
    expect(reclaim(store, path, { leastShare: 0.3, leastBytes: 1000 })).toBe(0);
    store.exec('DELETE FROM filler');
    expect(reclaim(store, path)).toBe(0);
    const before = databaseBytes(store);
    const given = reclaim(store, path, { leastShare: 0.3, leastBytes: 1000 });
    expect(given).toBeGreaterThan(3_500_000);
    expect(databaseBytes(store)).toBe(before - given);
    store.close();
    expect(statSync(path).size).toBe(before - given);
  });
});
