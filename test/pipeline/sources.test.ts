import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openForReading } from '../../pipeline/store/open.ts';
import { FakeService, failed } from '../stages/ingest/fake-service.ts';
import { exportedBytes, freshFolder, run, sampleRows, start } from './fresh-folder.ts';

const rows = sampleRows().slice(0, 60);
const args = ['--config', 'config.yaml', '--set', 'embed.adapt=false', '--json'];

function folderWithTwo(): string {
  const folder = freshFolder(rows.slice(0, 40));
  writeFileSync(
    join(folder, 'config.yaml'),
    [
      'ingest:',
      '  - source: csv',
      '    path: papers.csv',
      '  - source: jsonl',
      '    name: second',
      '    path: more.jsonl',
      'cluster:',
      '  min_cluster_size: 8',
    ].join('\n'),
  );
  const more = rows
    .slice(30)
    .map((row, i) => JSON.stringify({ ...row, id: `other-${i}`, authors: ['A. Author'] }));
  writeFileSync(join(folder, 'more.jsonl'), more.join('\n'));
  return folder;
}

const summaryOf = (stdout: string) => JSON.parse(stdout.trim().split('\n').at(-1) ?? '');

describe('a list of sources', () => {
  it('gives one corpus, in which papers of both stand once, with where they come from', async () => {
    const folder = folderWithTwo();
    const night = await run(folder, 'pipeline', ...args);
    expect(night.code, night.stderr).toBe(0);
    expect(summaryOf(night.stdout)).toMatchObject({ documents_in: 70, documents_out: 60, merged: 10 });
    const store = openForReading(join(folder, 'outputs', 'pipeline.db'));
    const both = store
      .prepare(
        'SELECT document_id FROM document_sources GROUP BY document_id HAVING count(DISTINCT source) = 2',
      )
      .all();
    expect(both).toHaveLength(10);
    expect(
      store.prepare('SELECT count(*) FROM documents WHERE authors = \'["A. Author"]\'').pluck().get(),
    ).toBe(30);
    store.close();

    const again = await run(folder, 'pipeline', ...args);
    expect(summaryOf(again.stdout).up_to_date).toBe(true);
    const told = await run(folder, 'pipeline', '--config', 'config.yaml', '--only', 'ingest');
    expect(told.stderr + told.stdout).toContain(
      'Merged      10 records of papers that another source has, too',
    );
    expect(told.stderr + told.stdout).not.toContain('Left out');
  });

  it('is read again when a file of any of them changes', async () => {
    const folder = folderWithTwo();
    await run(folder, 'pipeline', ...args, '--only', 'ingest');
    writeFileSync(join(folder, 'papers.csv'), stringify(rows.slice(0, 20), { header: true }));
    const night = await run(folder, 'pipeline', ...args, '--only', 'ingest');
    expect(summaryOf(night.stdout)).toMatchObject({ documents_out: 50, merged: 0, removed: 10, added: 0 });
  });

  it.each([
    [
      '- source: csv\n    pth: papers.csv',
      'Unknown ingest.0 setting "pth" (config.yaml, line 3). Did you mean "path"?',
    ],
    [
      '- source: xml\n    path: a',
      'expected 0.source to be one of csv, jsonl, bibtex, ris, acl, openalex, arxiv, pubmed',
    ],
    ['- source: csv', 'expected a value for 0.path, found none (config.yaml, line 2)'],
  ])('has its mistakes named as those of a single one are: %s', async (text, message) => {
    const folder = freshFolder(rows.slice(0, 2));
    writeFileSync(join(folder, 'config.yaml'), `ingest:\n  ${text}\n`);
    const refused = await run(folder, 'pipeline', ...args);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(message);
  });
});

/** Resolves when the service has been asked so often. */
async function askedSoOften(service: FakeService, count: number): Promise<void> {
  while (service.asked.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a source that is asked each night', () => {
  const works = rows.map((row, i) => ({
    ...{ id: `https://openalex.org/W${i}`, display_name: row.title, publication_year: Number(row.year) },
    ...{ abstract_inverted_index: inverted(row.abstract), is_retracted: false, updated_date: '2024-01-01' },
    ...{
      cited_by_count: i,
      authorships: [{ author: { display_name: `Author ${i % 3}` }, institutions: [] }],
    },
  }));
  const service = new FakeService((url) => {
    const from = Number((url.searchParams.get('cursor') ?? '').replace('*', '0'));
    const results = works.slice(from, from + 20);
    const next = results.length === 0 ? null : String(from + 20);
    return { type: 'application/json', body: JSON.stringify({ meta: { next_cursor: next }, results }) };
  });
  beforeAll(() => service.start());
  afterAll(() => service.stop());

  function inverted(text: string): Record<string, number[]> {
    const index = new Map<string, number[]>();
    for (const [i, word] of text.split(' ').entries()) index.set(word, [...(index.get(word) ?? []), i]);
    return Object.fromEntries(index);
  }

  it('does nothing where nothing is new, works on what changed alone, and goes on where it was cut off', async () => {
    const folder = freshFolder([]);
    writeFileSync(
      join(folder, 'config.yaml'),
      `ingest:\n  source: openalex\n  query: anything\n  mailto: me@uni.example\n  url: ${service.url}\n  requests_per_second: 100\ncluster:\n  min_cluster_size: 8\n`,
    );
    service.spoilers.set(2, failed(401));
    const refused = await run(folder, 'pipeline', ...args);
    expect(refused.code).toBe(2);
    const asked = service.asked.length;
    const first = await run(folder, 'pipeline', ...args);
    expect(first.code, first.stderr).toBe(0);
    expect(summaryOf(first.stdout)).toMatchObject({ run_id: 'run-0001', documents_out: 60, added: 60 });
    // Two pages had been stored before the third was refused.
    expect(service.parameters('cursor').slice(asked)).toEqual(['40', '60']);

    expect(summaryOf((await run(folder, 'pipeline', ...args)).stdout).up_to_date).toBe(true);

    works[3] = { ...works[3], is_retracted: true };
    works[4] = { ...works[4], display_name: 'Another title altogether for this work' };
    const next = await run(folder, 'pipeline', ...args);
    expect(next.code, next.stderr).toBe(0);
    expect(summaryOf(next.stdout)).toMatchObject({ documents_out: 59, changed: 1, removed: 1, added: 0 });

    const status = await run(folder, 'status', '--config', 'config.yaml', '--json');
    expect(JSON.parse(status.stdout).sources).toEqual([{ name: 'openalex', records: 60, unread: 0 }]);
    const store = openForReading(join(folder, 'outputs', 'pipeline.db'));
    expect(store.prepare('SELECT id, reason FROM skipped_rows').all()).toEqual([
      { id: 'https://openalex.org/W3', reason: 'retracted' },
    ]);
    store.close();
    const latest = (name: string): string => readFileSync(join(folder, 'outputs', 'latest', name), 'utf8');
    expect(latest('punchcard_topic_author.csv')).toMatch(
      /^topic_id,label,author,documents,.*\r\n0,[^\r]*,Author \d,/,
    );
    expect(latest('report.html')).toContain('<p>Most cited</p>');
    const manifest = readFileSync(join(folder, 'outputs', 'latest', 'manifest.json'), 'utf8');
    expect(manifest).not.toContain('me@uni.example');
  });

  function askingFolder(): string {
    const folder = freshFolder([]);
    writeFileSync(
      join(folder, 'config.yaml'),
      `ingest:\n  source: openalex\n  query: killed\n  url: ${service.url}\n  requests_per_second: 100\ncluster:\n  min_cluster_size: 8\n`,
    );
    return folder;
  }

  it('gives the same bytes when the process is killed at any request, and stops when asked to', async () => {
    const undisturbed = askingFolder();
    expect((await run(undisturbed, 'pipeline', ...args)).code).toBe(0);
    const expected = exportedBytes(undisturbed);
    const killed = askingFolder();
    for (const [signal, code] of [
      ['SIGKILL', null],
      ['SIGINT', 130],
      ['SIGKILL', null],
    ] as const) {
      // The second request of each try is never answered.
      const before = service.asked.length;
      service.spoilers.set(before + 1, () => {});
      const { child, ended } = start(killed, 'pipeline', ...args);
      await askedSoOften(service, before + 2);
      child.kill(signal);
      expect((await ended).code).toBe(code);
    }
    const last = await run(killed, 'pipeline', ...args);
    expect(last.code, last.stderr).toBe(0);
    expect(exportedBytes(killed)).toEqual(expected);
  });
});
