import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StageName } from '../../pipeline/contract.ts';
import { Interrupted, UserError } from '../../pipeline/errors.ts';
import { type Reporter, type RunOptions, type RunSummary, runPipeline } from '../../pipeline/run.ts';
import { connect } from '../../pipeline/store/connection.ts';
import { exportedBytes, freshFolder, run, sampleRows, start, writePapers } from './fresh-folder.ts';

const rows = sampleRows().slice(0, 130);
const asShipped = 'embed:\n  adapt: false\nrun:\n  threads: 1\n';

const runIn = (folder: string, options: Partial<RunOptions> = {}): Promise<RunSummary> =>
  runPipeline({ config: join(folder, 'config.yaml'), ...options });

/** Runs until `stage` begins, or has done some documents, and is stopped there as by SIGTERM. */
async function stopIn(
  folder: string,
  stage: StageName,
  when: 'begins' | 'works',
  options: Partial<RunOptions> = {},
): Promise<void> {
  const abort = new AbortController();
  const reporter: Reporter = {
    stageBegins: (name) => {
      if (name === stage && when === 'begins') abort.abort();
    },
    progress: (name, done, _total, work) => {
      if (name === stage && when === 'works' && done > 0 && work === undefined) abort.abort();
    },
    notice: () => {},
    stageEnds: () => {},
    upToDate: () => {},
  };
  await expect(runIn(folder, { ...options, reporter, signal: abort.signal })).rejects.toThrow(Interrupted);
}

function query(folder: string, sql: string): unknown[] {
  const database = connect(join(folder, 'outputs', 'pipeline.db'), { readonly: true });
  const found = database.prepare(sql).raw().all();
  database.close();
  return found;
}

const whyOf = (summary: RunSummary): Record<string, string> =>
  Object.fromEntries(summary.stages.map(({ stage, state, why }) => [stage, why.join('; ') || state]));

const done = (summary: RunSummary): StageName[] =>
  summary.stages.filter(({ state }) => state === 'done').map(({ stage }) => stage);

/** Everything that belongs to each document and topic is there, made by one and the same model. */
function expectWhole(folder: string, n: number): void {
  for (const table of ['documents', 'embeddings', 'positions', 'assignments']) {
    expect(query(folder, `SELECT count(*) FROM ${table}`), table).toEqual([[n]]);
  }
  expect(query(folder, 'SELECT count(DISTINCT work_key) FROM embedding')).toEqual([[1]]);
  expect(query(folder, 'SELECT count(*), count(DISTINCT work_key) FROM tagged')).toEqual([[n, 1]]);
  const nameless = 'SELECT topic_id FROM topics WHERE size > 0 AND label IS NULL';
  expect(query(folder, nameless)).toEqual([]);
  const distances = `SELECT count(*) FROM assignments WHERE (topic_id >= 0) <> (distance_to_center IS NOT NULL)`;
  expect(query(folder, distances)).toEqual([[0]]);
}

describe('a run that is cut off and begun again with the old settings or files', () => {
  let folder = '';
  let n = 0;
  beforeAll(async () => {
    folder = freshFolder(rows, asShipped);
    n = (await runIn(folder)).documentsOut;
  });

  it('makes again what hung on documents that were removed and are back', async () => {
    writePapers(folder, rows.slice(0, 20));
    await stopIn(folder, 'entities', 'begins');
    writePapers(folder, rows);
    const summary = await runIn(folder);
    expect(summary.stages.every(({ state }) => state === 'done')).toBe(true);
    expectWhole(folder, n);
  });

  it('makes again the vectors of another model that were begun', async () => {
    await stopIn(folder, 'embed', 'works', { set: ['embed.adapt=true'] });
    expect(query(folder, 'SELECT count(DISTINCT work_key) FROM embedding')).toEqual([[2]]);
    const summary = await runIn(folder);
    expect(whyOf(summary)).toMatchObject({ embed: 'cut off while it was made again', reduce: 'up to date' });
    expectWhole(folder, n);
  });

  it('makes again the mentions that were begun with another threshold', async () => {
    await stopIn(folder, 'entities', 'works', { set: ['entities.min_score=0.9'] });
    await runIn(folder);
    expectWhole(folder, n);
    expect(query(folder, 'SELECT count(*) FROM entities WHERE score < 0.9')).not.toEqual([[0]]);
  });

  it('names topics again after --only cluster with another setting', async () => {
    await runIn(folder, { only: ['cluster'], set: ['cluster.min_cluster_size=5'] });
    const summary = await runIn(folder);
    expect(done(summary)).toEqual(['cluster', 'label', 'export']);
    expectWhole(folder, n);
    await runIn(folder, { only: ['cluster'] });
    expect(done(await runIn(folder))).toEqual(['label', 'export']);
    expectWhole(folder, n);
  });

  it('says in the tables how it ended', () => {
    expect(query(folder, "SELECT count(*) FROM runs WHERE status <> 'done'")).toEqual([[0]]);
    expect(query(folder, "SELECT count(*) FROM stage_runs WHERE status <> 'done'")).toEqual([[0]]);
  });
});

it('a run stopped after the model was adapted gives, resumed, the bytes of an undisturbed one', async () => {
  const undisturbed = freshFolder(rows.slice(0, 70));
  await runIn(undisturbed);
  const stopped = freshFolder(rows.slice(0, 70));
  await stopIn(stopped, 'embed', 'works');
  expect(query(stopped, 'SELECT status FROM runs')).toEqual([['interrupted']]);
  expect(query(stopped, "SELECT status FROM stage_runs WHERE stage = 'embed'")).toEqual([['interrupted']]);
  await runIn(stopped);
  expect(exportedBytes(stopped)).toEqual(exportedBytes(undisturbed));

  // The same corpus elsewhere, called from elsewhere, needs nothing done.
  const moved = `${stopped}-moved`;
  renameSync(stopped, moved);
  expect((await runIn(moved)).upToDate).toBe(true);

  // A new document needs the adapted model; without it the user is told, and --force makes another.
  rmSync(join(moved, 'outputs', 'models'), { recursive: true });
  writePapers(moved, rows.slice(0, 71));
  await expect(runIn(moved)).rejects.toThrow(/--force/);
  expect((await runIn(moved, { force: true })).documentsOut).toBe(71);
});

describe('what a change touches', () => {
  let folder = '';
  beforeAll(async () => {
    folder = freshFolder(rows.slice(0, 60), asShipped);
    await runIn(folder);
  });
  const status = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(
      folder,
      'status',
      '--config',
      'config.yaml',
      '--json',
      ...args,
    );
    expect(code, stderr).toBe(0);
    expect(stderr).toBe('');
    const report = JSON.parse(stdout);
    return {
      report,
      why: new Map<string, string[]>(
        report.stages.map((s: { name: string; why: string[] }) => [s.name, s.why]),
      ),
    };
  };

  it('status tells what is stored and the last runs, in words and as JSON', async () => {
    const { report, why } = await status();
    expect([...why.values()]).toEqual(Array(7).fill([]));
    expect(report).toMatchObject({ exists: true, stored: { documents: 60, embeddings: 60, positions: 60 } });
    expect(report.runs).toEqual([
      expect.objectContaining({ run_id: 'run-0001', status: 'done', attempts: 1 }),
    ]);
    const text = (await run(folder, 'status', '--config', 'config.yaml')).stdout;
    expect(text).toMatch(/^ {2}documents +60$/m);
    expect(text).toMatch(/^ {2}ingest +up to date$/m);
    expect(text).toMatch(/run-0001 {2}done/);
  });

  it('status says why a stage is stale after a setting, the seed or the file changed', async () => {
    const setting = (await status('--set', 'cluster.min_cluster_size=9')).why;
    expect(setting.get('reduce')).toEqual([]);
    expect(setting.get('cluster')).toEqual(['cluster.min_cluster_size 8 → 9']);
    expect(setting.get('label')).toEqual(['cluster will run first']);
    const seeded = (await status('--set', 'run.seed=7')).why;
    expect(seeded.get('entities')).toEqual([]);
    expect(seeded.get('reduce')).toContain('run.seed 42 → 7');
    const text = readFileSync(join(folder, 'papers.csv'), 'utf8');
    appendFileSync(join(folder, 'papers.csv'), '\n');
    expect((await status()).why.get('ingest')).toEqual(['papers.csv changed']);
    expect(done(await runIn(folder))).toEqual(['ingest']);
    writeFileSync(join(folder, 'papers.csv'), text);
    expect(done(await runIn(folder))).toEqual(['ingest']);
  });

  it('works again on a document whose text changed, and on it alone', async () => {
    const changed = rows
      .slice(0, 60)
      .map((row, i) => (i === 3 ? { ...row, abstract: `${row.abstract} Indeed.` } : row));
    writePapers(folder, changed);
    const summary = await runIn(folder);
    expect(summary.intake).toMatchObject({ added: 0, changed: 1, removed: 0 });
    const documents = new Map(summary.stages.map((stage) => [stage.stage, stage.documents]));
    expect([documents.get('entities'), documents.get('embed')]).toEqual([1, 1]);
    expectWhole(folder, 60);
  });

  it('--from runs a stage and all after it; --force with it no more than that', async () => {
    expect(done(await runIn(folder, { from: 'label' }))).toEqual(['label', 'export']);
    expect(done(await runIn(folder, { from: 'label', force: true }))).toEqual(['label', 'export']);
    await expect(runIn(folder, { from: 'label', only: ['label'] })).rejects.toThrow(/not both/);
  });

  it('--only refuses to build on what belongs to another corpus', async () => {
    writePapers(folder, rows.slice(0, 61));
    await runIn(folder, { only: ['ingest'] });
    const reduce = runIn(folder, { only: ['reduce'] });
    await expect(reduce).rejects.toThrow(UserError);
    await expect(reduce).rejects.toThrow(/reduce needs what embed gives, which is out of date/);
    await runIn(folder);
    expectWhole(folder, 61);
  });

  it('leaves all as it was when the file is gone or holds no document', async () => {
    const before = exportedBytes(folder);
    writeFileSync(join(folder, 'papers.csv'), 'id,title,abstract\n1,,\n2,,\n');
    await expect(runIn(folder)).rejects.toThrow(/no document in papers.csv: 2 rows read, left out/);
    rmSync(join(folder, 'papers.csv'));
    await expect(runIn(folder)).rejects.toThrow(UserError);
    expectWhole(folder, 61);
    expect(exportedBytes(folder)).toEqual(before);
  });
});

describe('odd corpora', () => {
  it('without dense groups, without years or of one paper many times are exported all the same', async () => {
    const noise = freshFolder(rows.slice(0, 40), asShipped);
    const summary = await runIn(noise, { set: ['cluster.min_cluster_size=40'] });
    expect(summary).toMatchObject({ topics: 0, noiseShare: 1 });
    expect(summary.notices.join()).toContain('no topics');
    expect(existsSync(join(noise, 'outputs', 'latest', 'manifest.json'))).toBe(true);

    writePapers(
      noise,
      rows.slice(0, 40).map((row) => ({ ...row, year: '' })),
    );
    await runIn(noise);
    expect(existsSync(join(noise, 'outputs', 'latest', 'topics.csv'))).toBe(true);

    writePapers(
      noise,
      Array.from({ length: 12 }, (_, i) => ({ ...rows[0], id: `copy-${i}`, doi: '' })),
    );
    const copies = await runIn(noise);
    expect(copies).toMatchObject({ documentsIn: 12, documentsOut: 1 });
    expect(copies.skipped).toEqual([{ reason: 'duplicate title', rows: 11 }]);
    expectWhole(noise, 1);
  });
});

describe('what is printed, and where', () => {
  it('--quiet prints nothing, --json one line, in a database folder that has to be made', async () => {
    const folder = freshFolder(rows.slice(0, 25), asShipped);
    const args = [
      'pipeline',
      '--config',
      join(folder, 'config.yaml'),
      '--set',
      'run.database=new/folder/p.db',
    ];
    const quiet = await run('/', ...args, '--quiet');
    expect(quiet).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(existsSync(join(folder, 'new', 'folder', 'p.db'))).toBe(true);
    const json = await run('/', ...args, '--json', '--quiet', '--force');
    expect(json.stderr).toBe('');
    expect(json.stdout.trimEnd().split('\n').length).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      run_id: 'run-0002',
      documents_in: 25,
      documents_out: 25,
    });

    // A file where the database's folder should be is the user's to move.
    writeFileSync(join(folder, 'taken'), '');
    const taken = await run(folder, ...args.slice(0, 3), '--set', 'run.database=taken/p.db');
    expect([taken.code, taken.stdout]).toEqual([2, '']);
    expect(taken.stderr).toContain('a file stands where its folder should be');
    const wrong = await run(folder, ...args.slice(0, 3), '--set', 'cluster.min_samples=x');
    expect([wrong.code, wrong.stderr.includes('(--set cluster.min_samples=x)')]).toEqual([2, true]);
  });

  it('status tells a run that was killed from one that is running', async () => {
    const folder = freshFolder(rows.slice(0, 60));
    const none = await run(folder, 'status', '--config', 'config.yaml');
    expect(none.stdout).toContain('No database');
    const { child, ended } = start(folder, 'pipeline', '--config', 'config.yaml');
    await new Promise<void>((begun) => {
      child.stderr?.on('data', (chunk) => {
        if (/^entities /m.test(String(chunk))) begun();
      });
    });
    child.kill('SIGSTOP');
    const last = async () =>
      JSON.parse((await run(folder, 'status', '--config', 'config.yaml', '--json')).stdout).runs[0].status;
    expect(await last()).toBe('running');
    child.kill('SIGKILL');
    await ended;
    expect(await last()).toBe('cut off');
  });
});
