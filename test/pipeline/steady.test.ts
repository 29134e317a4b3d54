import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StageName } from '../../pipeline/contract.ts';
import { Interrupted } from '../../pipeline/errors.ts';
import { type RunOptions, type RunSummary, runPipeline } from '../../pipeline/run.ts';
import { connect } from '../../pipeline/store/connection.ts';
import { exportedBytes, freshFolder, sampleRows, writePapers } from './fresh-folder.ts';

const rows = sampleRows().slice(0, 220);
const firstNight = rows.slice(0, 200);
const asShipped = 'embed:\n  adapt: false\nrun:\n  threads: 1\n';

const runIn = (folder: string, options: Partial<RunOptions> = {}): Promise<RunSummary> =>
  runPipeline({ config: join(folder, 'config.yaml'), ...options });

function query(folder: string, sql: string): unknown[] {
  const database = connect(join(folder, 'outputs', 'pipeline.db'), { readonly: true });
  const found = database.prepare(sql).raw().all();
  database.close();
  return found;
}

/** Stops before `stage` does anything, as by SIGTERM. */
async function stopBefore(folder: string, stage: StageName): Promise<void> {
  const abort = new AbortController();
  const reporter = {
    stageBegins: (name: StageName) => {
      if (name === stage) abort.abort();
    },
    progress: () => {},
    notice: () => {},
    stageEnds: () => {},
    upToDate: () => {},
  };
  await expect(runIn(folder, { reporter, signal: abort.signal })).rejects.toThrow(Interrupted);
}

async function secondNight(): Promise<string> {
  const folder = freshFolder(firstNight, asShipped);
  await runIn(folder);
  writePapers(folder, rows);
  return folder;
}

const places = 'SELECT document_id, x, y, hex(vector) FROM positions ORDER BY document_id';

/** What the run's events, the console and the manifest say of why all was made anew. */
function whyAnew(
  folder: string,
  { runId, notices }: RunSummary,
): { events: unknown[]; told: string[]; kept: string } {
  return {
    events: query(
      folder,
      `SELECT DISTINCT reason FROM topic_events WHERE run_id = '${runId}'`,
    ).flat() as unknown[],
    told: notices.filter((notice) => notice.includes('anew')),
    kept: readFileSync(join(folder, 'outputs', 'latest', 'manifest.json'), 'utf8'),
  };
}

describe('a night on which places are made anew tells why, in events, on the console and in the manifest', () => {
  const expectTold = (folder: string, summary: RunSummary, reason: string): void => {
    const { events, told, kept } = whyAnew(folder, summary);
    expect(events).toEqual([reason]);
    expect(told).toEqual([`reduce: all documents were placed anew: ${reason}.`]);
    expect(kept).toContain(JSON.stringify(told[0]));
  };

  it('the night after a fifth more documents have come', async () => {
    const folder = freshFolder(rows.slice(0, 180), asShipped);
    const first = await runIn(folder);
    writePapers(folder, rows);
    expect(whyAnew(folder, await runIn(folder)).told).toEqual([]);
    writePapers(folder, rows.slice(1));
    const fitted = query(folder, 'SELECT fitted FROM layout').flat()[0];
    expect(fitted).toBe(first.documentsOut);
    const third = await runIn(folder);
    const reason = (query(folder, 'SELECT rebuilt FROM layout').flat() as string[])[0];
    expect(reason).toMatch(
      new RegExp(`^2\\d% more documents have come since the layout was made from ${fitted}$`),
    );
    expectTold(folder, third, reason);
  });

  it('when late documents have been outliers too often for three nights', async () => {
    const folder = await secondNight();
    await runIn(folder);
    const database = connect(join(folder, 'outputs', 'pipeline.db'), {});
    database.prepare('UPDATE clustering SET strange_nights = 3').run();
    database.close();
    writePapers(folder, rows.slice(1));
    const reason =
      'documents that came since the layout was made have been outliers far more often than the others for 3 nights';
    expectTold(folder, await runIn(folder), reason);
  });

  it('when vectors come from another model', async () => {
    const folder = await secondNight();
    await runIn(folder);
    expectTold(folder, await runIn(folder, { set: ['embed.adapt=true'] }), 'vectors come from another model');
  });

  it('when it was asked for by --force', async () => {
    const folder = await secondNight();
    await runIn(folder);
    expectTold(folder, await runIn(folder, { force: true, from: 'reduce' }), 'asked for by --force');
  });
});

describe('a second night', () => {
  let folder = '';
  let before: unknown[] = [];
  let labels: unknown[] = [];
  let summary: RunSummary;
  beforeAll(async () => {
    folder = await secondNight();
    before = query(folder, places);
    labels = query(folder, 'SELECT topic_id, label FROM topics ORDER BY topic_id');
    summary = await runIn(folder);
  });

  it('leaves every document where it lay, and places the new ones', () => {
    const after = query(folder, places);
    expect(after).toHaveLength(before.length + 20);
    expect(after).toEqual(expect.arrayContaining(before));
    expect(query(folder, 'SELECT sum(late), count(*) FROM position')).toEqual([[20, before.length + 20]]);
    expect(summary.notices.filter((notice) => notice.includes('anew'))).toEqual([]);
  });

  it('keeps topics under their ids and names', () => {
    const kept = new Map(
      query(folder, 'SELECT topic_id, label FROM topics WHERE size > 0') as [number, string][],
    );
    expect(labels.length).toBeGreaterThanOrEqual(5);
    const same = (labels as [number, string][]).filter(([id, label]) => kept.get(id) === label);
    expect(same.length / labels.length).toBeGreaterThanOrEqual(0.8);
    expect(query(folder, "SELECT DISTINCT reason FROM topic_events WHERE run_id = 'run-0002'")).toEqual([
      [''],
    ]);
  });

  it('that is stopped between places and topics, and resumed, gives the same bytes', async () => {
    for (const stage of ['cluster', 'label'] as const) {
      const stopped = await secondNight();
      await stopBefore(stopped, stage);
      await runIn(stopped);
      expect(exportedBytes(stopped), stage).toEqual(exportedBytes(folder));
    }
  });

  it('is followed by one that changes no byte when nothing is new', async () => {
    const bytes = exportedBytes(folder);
    expect((await runIn(folder)).upToDate).toBe(true);
    expect(exportedBytes(folder)).toEqual(bytes);
  });

  it('that only loses documents moves none of the others', async () => {
    writePapers(folder, rows.slice(10));
    const all = query(folder, places);
    await runIn(folder);
    expect(all).toEqual(expect.arrayContaining(query(folder, places)));
    writePapers(folder, rows);
  });

  it('that is to refit says so in notices and events, and keeps ids by overlap', async () => {
    const { runId, notices } = await runIn(folder, { set: ['run.refresh=refit'] });
    expect(notices).toContain('reduce: all documents were placed anew: run.refresh is refit.');
    expect(notices.join()).toContain('cluster: topics were found anew: run.refresh is refit.');
    const events = query(
      folder,
      `SELECT event, reason FROM topic_events WHERE run_id = '${runId}'`,
    ) as string[][];
    expect(new Set(events.map(([, reason]) => reason))).toEqual(new Set(['run.refresh is refit']));
    expect(events.filter(([event]) => event === 'continued').length).toBeGreaterThanOrEqual(5);
    expect(query(folder, 'SELECT sum(late) FROM position')).toEqual([[0]]);
  });

  it('with another setting of a stage finds anew what hangs on it, and says why', async () => {
    const cut = await runIn(folder, { set: ['cluster.min_samples=4'] });
    const why = `SELECT DISTINCT reason FROM topic_events WHERE run_id = '${cut.runId}'`;
    expect(query(folder, why)).toEqual([['cluster.min_samples 5 → 4']]);
    const placed = await runIn(folder, { set: ['cluster.min_samples=4', 'reduce.n_neighbors=12'] });
    expect(placed.notices).toContain('reduce: all documents were placed anew: reduce.n_neighbors 15 → 12.');
    const seeded = await runIn(folder, { set: ['run.seed=7'] });
    expect(seeded.notices.join()).toContain('reduce: all documents were placed anew: ');
    expect(seeded.notices.join()).toContain('run.seed 42 → 7');
  });
});
