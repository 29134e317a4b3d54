import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { beforeAll, describe, expect, it } from 'vitest';
import { normalizedMutualInformation } from '../../pipeline/evaluate/clustering-agreement.ts';
import { connect } from '../../pipeline/store/connection.ts';
import { exportedBytes, freshFolder, run, sampleRows, start, writePapers } from './fresh-folder.ts';

const pipeline = ['pipeline', '--config', 'config.yaml'];
const summaryOf = (stdout: string) => JSON.parse(stdout.trim().split('\n').at(-1) ?? '');

describe('the whole job on the shipped sample', () => {
  const rows = sampleRows();
  let folder = '';
  beforeAll(async () => {
    folder = freshFolder(rows);
    const done = await run(folder, ...pipeline);
    expect(done.code, done.stderr).toBe(0);
  });

  it('finds the fields that the sample was written in', () => {
    const table: { id: string; topic_id: string }[] = parse(
      readFileSync(join(folder, 'outputs', 'latest', 'documents.csv')),
      { columns: true },
    );
    const fieldOf = new Map(rows.map((row) => [row.id, row.field]));
    const fields = [...new Set(rows.map((row) => row.field))];
    expect(fields.length).toBeGreaterThanOrEqual(10);
    const found = Int32Array.from(table, (row) => Number(row.topic_id));
    const written = Int32Array.from(table, (row) => fields.indexOf(fieldOf.get(row.id) ?? ''));
    expect(normalizedMutualInformation(found, written)).toBeGreaterThanOrEqual(0.8);
    expect(found.filter((topic) => topic < 0).length / found.length).toBeLessThanOrEqual(0.2);
  });

  it('does nothing the second time, and says so', async () => {
    const before = exportedBytes(folder);
    const again = await run(folder, ...pipeline, '--json');
    const summary = summaryOf(again.stdout);
    expect(summary.up_to_date).toBe(true);
    expect(Object.values(summary.stages).map((stage) => (stage as { state: string }).state)).toEqual(
      Array(7).fill('up to date'),
    );
    expect(exportedBytes(folder)).toEqual(before);
    const status = await run(folder, 'status', '--config', 'config.yaml');
    expect(status.stdout).not.toContain('stale');
  });

  it('gives the same bytes for shuffled rows and another number of threads', async () => {
    const other = freshFolder(rows.toReversed(), 'run:\n  threads: 1\n');
    const done = await run(other, ...pipeline);
    expect(done.code, done.stderr).toBe(0);
    expect(exportedBytes(other)).toEqual(exportedBytes(folder));
  });

  it('runs only what a changed setting touches, and says why', async () => {
    const done = await run(folder, ...pipeline, '--json', '--set', 'label.top_n=5');
    const { stages } = summaryOf(done.stdout);
    expect(stages.cluster.state).toBe('up to date');
    expect(stages.label).toMatchObject({ state: 'done', why: ['label.top_n 10 → 5'] });
    expect(stages.export.state).toBe('done');
  });

  it('works on new and changed documents alone when the corpus grows, and keeps topic ids', async () => {
    const grown = freshFolder(rows.slice(0, -12));
    expect((await run(grown, ...pipeline)).code).toBe(0);
    const database = connect(join(grown, 'outputs', 'pipeline.db'), { readonly: true });
    const before = new Map(
      database.prepare('SELECT document_id, topic_id FROM assignments').raw().all() as [string, number][],
    );
    writePapers(grown, rows);
    const summary = summaryOf((await run(grown, ...pipeline, '--json')).stdout);
    expect(summary).toMatchObject({ run_id: 'run-0002', added: 12, changed: 0, removed: 0 });
    expect(summary.stages.entities.documents).toBe(12);
    expect(summary.stages.embed.documents).toBe(12);
    const after = database.prepare('SELECT document_id, topic_id FROM assignments').raw().all() as [
      string,
      number,
    ][];
    const kept = after.filter(
      ([id, topic]) => before.has(id) && topic >= 0 && before.get(id) === topic,
    ).length;
    expect(kept / before.size).toBeGreaterThan(0.7);
    const events = database
      .prepare("SELECT count(*) FROM topic_events WHERE event = 'continued'")
      .pluck()
      .get();
    expect(events).toBeGreaterThan(5);
    database.close();
  });
});

describe('exit codes', () => {
  it('are 2 for what the user can mend, with a message that says what', async () => {
    const folder = freshFolder(sampleRows().slice(0, 30));
    writeFileSync(join(folder, 'config.yaml'), 'ingest:\n  source: csv\n  path: nothing.csv\n');
    const missing = await run(folder, ...pipeline);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('nothing.csv');
    expect(missing.stdout).toBe('');
    const unknown = await run(folder, 'pipelin');
    expect(unknown.code).toBe(2);
    const stage = await run(folder, ...pipeline, '--only', 'clustre');
    expect(stage.code).toBe(2);
  });

  it('are 3 while another run holds the lock, and the lock dies with its holder', async () => {
    const folder = freshFolder(sampleRows().slice(0, 60));
    const holder = start(folder, ...pipeline);
    await new Promise((begun) => holder.child.stderr?.once('data', begun));
    const second = await run(folder, ...pipeline);
    expect(second.code, second.stderr).toBe(3);
    expect(second.stderr).toContain('Another run');
    holder.child.kill('SIGKILL');
    await holder.ended;
    const third = await run(folder, ...pipeline);
    expect(third.code, third.stderr).toBe(0);
    rmSync(join(folder, 'outputs', 'latest'));
    const fourth = await run(folder, ...pipeline);
    expect(fourth.code, fourth.stderr).toBe(0);
    expect(existsSync(join(folder, 'outputs', 'latest', 'manifest.json'))).toBe(true);
  });
});

describe('small corpora', () => {
  it.each([1, 2, 3, 9, 25])('of %i documents run through, with topics or without', async (size) => {
    const folder = freshFolder(sampleRows().slice(0, size));
    const done = await run(folder, ...pipeline, '--json');
    expect(done.code, done.stderr).toBe(0);
    expect(summaryOf(done.stdout).documents_out).toBe(size);
    expect(existsSync(join(folder, 'outputs', 'latest', 'report.html'))).toBe(true);
  });
});
