import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Interrupted, UserError } from '../../pipeline/errors.ts';
import { backUp, findFault } from '../../pipeline/store/backup.ts';
import { backupsOf, restoreAdvice } from '../../pipeline/store/backup-files.ts';
import { connect } from '../../pipeline/store/connection.ts';
import { openDatabase, type Store } from '../../pipeline/store/open.ts';

const quiet = new AbortController().signal;

/** A database of ours of about `rows` × 4 kB. */
function filled(rows = 200): { path: string; store: Store } {
  const path = join(mkdtempSync(join(tmpdir(), 'scinertopic-backup-')), 'pipeline.db');
  const store = openDatabase(path);
  const add = store.prepare(
    "INSERT INTO document (document_key, id, order_key, title, abstract, year, doi, source, extra, content_hash) VALUES (?, ?, ?, ?, ?, 2020, NULL, 'csv', '{}', 'hash')",
  );
  store.transaction(() => {
    for (let i = 0; i < rows; i++) add.run(i, `id-${i}`, i, `title ${i}`, 'abstract '.repeat(400));
  })();
  return { path, store };
}

/** Overwrites a page in the middle of the file with what is no page. */
function damage(path: string): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, Math.floor(statSync(path).size / 8192) * 4096);
  closeSync(file);
}

describe('backUp', () => {
  it('makes a whole copy of what is stored, a file of its own, readable without the original', async () => {
    const { path, store } = filled();
    const copy = await backUp(store, path, 'run-0001', 2, quiet);
    expect(readdirSync(dirname(copy))).toEqual(['pipeline-run-0001.db']);
    const read = connect(copy, { readonly: true });
    expect(findFault(read)).toBe(null);
    expect(read.prepare('SELECT count(*) FROM document').pluck().get()).toBe(200);
    read.close();
    store.close();
  });

  it('keeps the newest copies, by the number of the run', async () => {
    const { path, store } = filled(5);
    for (const run of ['run-0008', 'run-0009', 'run-0010', 'run-0010'])
      await backUp(store, path, run, 2, quiet);
    expect(backupsOf(path).map((copy) => copy.split('/').at(-1))).toEqual([
      'pipeline-run-0010.db',
      'pipeline-run-0009.db',
    ]);
    store.close();
  });

  it('finds a damaged page, keeps the earlier copy, and says how to put it back: which then works', async () => {
    const { path, store } = filled();
    await backUp(store, path, 'run-0001', 1, quiet);
    store.close();
    damage(path);
    const damaged = openDatabase(path);
    let refusal: unknown;
    try {
      await backUp(damaged, path, 'run-0002', 1, quiet);
    } catch (error) {
      refusal = error;
    }
    damaged.close();
    expect(refusal).toBeInstanceOf(UserError);
    const { message } = refusal as UserError;
    expect(message).toContain('is damaged');
    expect(message).toContain('backup of run-0001');
    expect(readdirSync(join(dirname(path), 'backups'))).toEqual(['pipeline-run-0001.db']);

    const commands = message.split('\n').slice(1).join('\n');
    execFileSync('sh', ['-e', '-c', commands]);
    const restored = openDatabase(path);
    expect(findFault(restored)).toBe(null);
    expect(restored.prepare('SELECT count(*) FROM document').pluck().get()).toBe(200);
    restored.close();
    expect(existsSync(`${path}.damaged`)).toBe(true);
  });

  it('leaves nothing half-made behind when it is interrupted or cannot write', async () => {
    const { path, store } = filled(20_000);
    const stop = new AbortController();
    const under = backUp(store, path, 'run-0001', 1, stop.signal);
    stop.abort();
    await expect(under).rejects.toThrow(Interrupted);
    expect(readdirSync(join(dirname(path), 'backups'))).toEqual([]);
    rmSync(join(dirname(path), 'backups'), { recursive: true });
    const blocked = openSync(join(dirname(path), 'backups'), 'w');
    closeSync(blocked);
    await expect(backUp(store, path, 'run-0001', 1, quiet)).rejects.toThrow(/nothing was changed/);
    store.close();
  });
});

describe('restoreAdvice', () => {
  it('quotes paths for the shell, and says when there is no backup', () => {
    expect(restoreAdvice('/nowhere/pipeline.db')).toContain('no backup');
    const path = join(mkdtempSync(join(tmpdir(), "it's a folder ")), 'pipeline.db');
    const store = openDatabase(path);
    return backUp(store, path, 'run-0001', 1, quiet).then(() => {
      store.close();
      expect(restoreAdvice(path)).toContain(`'\\''s a folder`);
      expect(readFileSync(backupsOf(path)[0]).subarray(0, 15).toString()).toBe('SQLite format 3');
    });
  });
});
