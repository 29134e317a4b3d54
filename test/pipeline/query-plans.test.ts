import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { runPipeline } from '../../pipeline/run.ts';
import { freshFolder, sampleRows, writePapers } from './fresh-folder.ts';

/** Tables that grow with the corpus; of the others a glance through all rows costs nothing. */
const large = [
  ...['document', 'mention', 'document_mentions', 'surface', 'entity', 'acronym', 'tagged', 'embedding'],
  ...['position', 'assignment', 'skipped_row', 'merged_record', 'source_record'],
];

/**
 * What a night with new documents reads from end to end, and why that is its work. All else that names a large
 * table has to search it.
 */
const wholeReads: readonly [statement: RegExp, why: string][] = [
  [/^DELETE FROM document WHERE document_key IN/, 'compares the ids of the source with those stored'],
  [/^SELECT id, content_hash, year, extra, authors, .* FROM document/, 'tells whether the corpus is another'],
  [/^SELECT d\.document_key FROM document d LEFT JOIN/, 'finds what is not worked on yet'],
  [
    /^SELECT surface_id, count\(\*\), count\(DISTINCT document_key\) FROM mention/,
    'counts for canonical forms',
  ],
  [/^SELECT short, long, count\(\*\) FROM acronym/, 'counts for canonical forms'],
  [/^DELETE FROM surface WHERE NOT EXISTS/, 'drops what nothing mentions any more'],
  [/^SELECT document_key FROM tagged WHERE NOT EXISTS/, 'finds what is not packed yet'],
  [/^SELECT document_key, vector FROM (embedding|position)/, 'reduce and cluster take the whole corpus'],
  [/^SELECT (dimensions|length\(vector\)) FROM \w+ LIMIT 1/, 'looks at the first row'],
  [/^SELECT document_key, (topic_id|topic_id, probability, .*) FROM assignment/, 'all of a run'],
  [/^DELETE FROM assignment WHERE run_number/, 'all of a run'],
  [/^DELETE FROM position$/, 'the layout is another'],
  [/^SELECT document_key, x, y FROM position/, 'the map shows every document'],
  [/^DELETE FROM merged_record$/, 'what was merged is told anew'],
  [/^SELECT id, title, (abstract|''), year FROM document/, 'export reads every document'],
  [/^SELECT title, abstract FROM document/, 'label reads every text, one at a time'],
  [/^SELECT document_key, (length\(mentions\)|mentions) FROM document_mentions/, 'all mentions'],
];

const asked: string[] = [];
let quiet: string[] = [];
let busy: string[] = [];
let database: Database.Database;

beforeAll(async () => {
  const { prepare, exec } = Database.prototype;
  Database.prototype.prepare = function (this: Database.Database, sql: string) {
    asked.push(sql);
    return prepare.call(this, sql);
  } as typeof prepare;
  Database.prototype.exec = function (this: Database.Database, sql: string) {
    // Without semicolons in texts, which ours have none of, statements part at them.
    asked.push(...sql.split(';').filter((part) => part.trim() !== ''));
    return exec.call(this, sql);
  };
  const folder = freshFolder(sampleRows().slice(0, 130), 'embed:\n  adapt: false\nrun:\n  threads: 1\n');
  const night = async (): Promise<string[]> => {
    asked.length = 0;
    await runPipeline({ config: join(folder, 'config.yaml') });
    return asked.map((sql) => sql.trim().replace(/\s+/g, ' '));
  };
  await night();
  quiet = await night();
  writePapers(folder, sampleRows().slice(0, 134));
  busy = await night();
  Object.assign(Database.prototype, { prepare, exec });
  database = new Database(join(folder, 'outputs', 'pipeline.db'));
  database.function('order_key', (id) => String(id).length);
  for (const name of ['content_hash_of', 'with_missing', 'with_missing_facts'])
    database.function(name, (own, _other) => own);
  for (const sql of busy.filter((text) => /^CREATE (TEMP|UNIQUE INDEX temp)/.test(text))) database.exec(sql);
}, 120_000);

/** Steps of a statement's plan; null for what has none. */
function planOf(sql: string): string[] | null {
  if (!/^(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(sql)) return null;
  const names = [...sql.matchAll(/@(\w+)/g)].map(([, name]) => [name, 0]);
  const marks = sql.split('?').length - 1;
  const values = names.length > 0 ? [Object.fromEntries(names)] : Array(marks).fill(0);
  const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[];
  return rows.map(({ detail }) => detail);
}

/** Steps that go through all rows of a large table. */
function wholeTableSteps(sql: string): string[] {
  const aliases = new Map(
    [...sql.matchAll(/(?:FROM|JOIN|UPDATE|INTO) (?:main\.)?(\w+)(?: (?:AS )?(\w{1,2})\b)?/g)].map(
      ([, table, alias]) => [alias ?? table, table],
    ),
  );
  return (planOf(sql) ?? []).filter((step) => {
    const [, name] = /^SCAN (\w+)/.exec(step) ?? [];
    return name !== undefined && large.includes(aliases.get(name) ?? name);
  });
}

describe('a night with nothing new', () => {
  it('counts by indexes alone, and goes through no table that grows with the corpus', () => {
    const steps = quiet.flatMap(wholeTableSteps);
    expect(steps.filter((step) => !step.includes('USING COVERING INDEX'))).toEqual([]);
    // Not even ids are read: numbers of documents and of rows left out are all that is told.
    expect(quiet.filter((sql) => /FROM document\b/.test(sql))).toEqual(['SELECT count(*) FROM document']);
  });
});

describe('a night with a few new documents', () => {
  it('finds by an index whatever belongs to one of them', () => {
    const whole = busy.filter((sql) => {
      const steps = wholeTableSteps(sql);
      return (
        steps.some((step) => !step.includes('USING COVERING INDEX')) ||
        (steps.length > 0 && sql.includes('?'))
      );
    });
    expect(whole.filter((sql) => !wholeReads.some(([statement]) => statement.test(sql)))).toEqual([]);
  });

  it('reads no text where ids and hashes are enough', () => {
    const plans = busy.filter((sql) => /FROM document\b/.test(sql) && !/title|extra/.test(sql));
    expect(plans.length).toBeGreaterThan(5);
    for (const sql of plans) {
      for (const step of wholeTableSteps(sql)) expect(`${sql}: ${step}`).toContain('USING COVERING INDEX');
    }
  });

  it('is told apart: every whole read above is still made', () => {
    for (const [statement] of wholeReads)
      expect(
        busy.some((sql) => statement.test(sql)),
        `${statement}`,
      ).toBe(true);
  });
});
