import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { backupsOf } from '../../pipeline/store/backup-files.ts';
import { openForReading } from '../../pipeline/store/open.ts';
import { migrations } from '../../pipeline/store/schema.ts';
import { freshFolder, run, sampleRows } from './fresh-folder.ts';

// What version 0.1.0 (commit 3e9c31e) left after one night on these forty papers, min_cluster_size 5, with the
// embedder as shipped; its row in `run` names no machine.
const fixture = join(dirname(fileURLToPath(import.meta.url)), 'fixtures', 'first-version.db.gz');
const rows = sampleRows().slice(0, 40);
const args = ['--config', 'config.yaml', '--set', 'cluster.min_cluster_size=5', '--set', 'embed.adapt=false'];

function folderOfFirstVersion(): { folder: string; path: string } {
  const folder = freshFolder(rows);
  const path = join(folder, 'outputs', 'pipeline.db');
  mkdirSync(dirname(path));
  writeFileSync(path, gunzipSync(readFileSync(fixture)));
  return { folder, path };
}

describe("the first version's database", () => {
  it('opens, is brought to this version, and keeps what it holds', () => {
    const { path } = folderOfFirstVersion();
    const store = openForReading(path);
    expect(store.pragma('user_version', { simple: true })).toBe(migrations.length);
    expect(store.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(store.pragma('foreign_key_check')).toEqual([]);
    const count = (view: string): unknown => store.prepare(`SELECT count(*) FROM ${view}`).pluck().get();
    expect([count('documents'), count('embeddings'), count('assignments'), count('topics')]).toEqual([
      40, 40, 40, 2,
    ]);
    expect(store.prepare('SELECT label FROM topics ORDER BY topic_id').pluck().all()).toEqual([
      'Coral and mass',
      'Perovskite and cells',
    ]);
    store.close();
  });

  it('is gone on with: the second night knows the papers and the topics of the first', async () => {
    const { folder, path } = folderOfFirstVersion();
    const shown = await run(folder, 'status', ...args, '--json');
    expect(shown.code, shown.stderr).toBe(0);
    expect(JSON.parse(shown.stdout).runs).toMatchObject([{ run_id: 'run-0001', status: 'done' }]);

    const night = await run(folder, 'pipeline', ...args, '--json');
    expect(night.code, night.stderr).toBe(0);
    const summary = JSON.parse(night.stdout.trim().split('\n').at(-1) ?? '');
    expect(summary).toMatchObject({
      run_id: 'run-0002',
      documents_out: 40,
      added: 0,
      changed: 0,
      removed: 0,
    });
    expect(backupsOf(path)).toHaveLength(1);

    const store = openForReading(path);
    const events = store.prepare("SELECT event, topic_id FROM topic_events WHERE run_id = 'run-0002'").all();
    expect(events).toEqual(expect.arrayContaining([{ event: 'continued', topic_id: 0 }]));
    store.close();
    expect(existsSync(join(folder, 'outputs', 'latest', 'manifest.json'))).toBe(true);

    const again = await run(folder, 'pipeline', ...args, '--json');
    expect(JSON.parse(again.stdout.trim().split('\n').at(-1) ?? '').up_to_date).toBe(true);
  });
});
