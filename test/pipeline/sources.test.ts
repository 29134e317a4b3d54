import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { describe, expect, it } from 'vitest';
import { openForReading } from '../../pipeline/store/open.ts';
import { freshFolder, run, sampleRows } from './fresh-folder.ts';

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
    ['- source: xml\n    path: a', 'expected 0.source to be one of csv, jsonl, bibtex, ris'],
    ['- source: csv', 'expected a value for 0.path, found none (config.yaml, line 2)'],
  ])('has its mistakes named as those of a single one are: %s', async (text, message) => {
    const folder = freshFolder(rows.slice(0, 2));
    writeFileSync(join(folder, 'config.yaml'), `ingest:\n  ${text}\n`);
    const refused = await run(folder, 'pipeline', ...args);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(message);
  });
});
