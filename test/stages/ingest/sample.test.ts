import { describe, expect, it } from 'vitest';
import type { IngestedRecord, SkippedRow } from '../../../pipeline/contract.ts';
import { stage } from '../../../stages/ingest/stage.ts';

const config = stage.section.schema.parse({ path: 'data/sample/papers.csv' });
const records: IngestedRecord[] = [];
const skipped: SkippedRow[] = [];
const notices: string[] = [];
const job = {
  ...{
    config,
    seed: 1,
    threads: 1,
    baseFolder: process.cwd(),
    model: () => {
      throw new Error('no model here');
    },
    signal: new AbortController().signal,
  },
  ...{ progress: () => {}, notice: (message: string) => notices.push(message) },
};
for await (const batch of stage.read(job)) {
  records.push(...batch.records);
  skipped.push(...batch.skipped);
}

/** The first record of the papers that this one repeats, by id, DOI or title. */
function originals(): IngestedRecord[] {
  const byKey = new Map<string, IngestedRecord>();
  return records.map((record) => {
    const keys = [
      `id ${record.id}`,
      `doi ${record.doi ?? record.id}`,
      `title ${record.titleKey ?? record.id}`,
    ];
    const first = keys.map((key) => byKey.get(key)).find((known) => known !== undefined) ?? record;
    for (const key of keys) if (!byKey.has(key)) byKey.set(key, first);
    return first;
  });
}

/** Sentences of four words or more, as letters and digits alone. */
function sentencesOf(text: string): string[] {
  return text
    .split(/(?<=[.!?;:])\s+/)
    .map((sentence) => sentence.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])
    .filter((words) => words.length >= 4)
    .map((words) => words.join(' '));
}

describe('the sample corpus', () => {
  it('has every fault that its README tells of', () => {
    const rows = skipped.map((row) => `${row.id ?? 'row'}: ${row.reason}`).sort();
    expect(rows).toEqual([
      'demo-360: no title and no abstract',
      'demo-361: no title and no abstract',
      'demo-362: not text',
      'demo-363: not text',
      'demo-364: too short',
      'row: unclosed quote',
      'row: wrong number of columns',
      'row: wrong number of columns',
    ]);
    expect(records).toHaveLength(357);
    expect(notices.slice(1)).toEqual([
      'papers.csv: 3 of 357 records have a title and no abstract; they are kept.',
      'papers.csv: 3 of 357 records have no year; they are kept and left out of counts by year.',
      'papers.csv: 1 of 357 records have a year that is none from 1500 to 2100; it is left empty.',
    ]);
  });

  it('has eight duplicates, no paper more than twice', () => {
    const first = originals();
    const papers = new Set(first);
    expect(papers.size).toBe(349);
    for (const paper of papers) {
      const same = records.filter((_, i) => first[i] === paper);
      if (same.length > 1) expect(same).toHaveLength(2);
    }
  });

  it('has 29 papers in each of twelve fields, beside one correction notice', () => {
    const counts = new Map<unknown, number>();
    for (const paper of new Set(originals())) {
      if (paper.id === 'demo-349') continue;
      counts.set(paper.extra.field, (counts.get(paper.extra.field) ?? 0) + 1);
    }
    expect(counts.size).toBe(12);
    expect(new Set(counts.values())).toEqual(new Set([29]));
  });

  it('repeats no sentence in two papers, nor seven words in a row', () => {
    const owner = new Map<string, IngestedRecord>();
    const shared: string[] = [];
    const first = originals();
    for (const [i, record] of records.entries()) {
      if (record.id === 'demo-349') continue;
      const words = `${record.title} . ${record.abstract}`.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
      const runs = words.slice(6).map((_, at) => words.slice(at, at + 7).join(' '));
      for (const phrase of [...sentencesOf(record.title), ...sentencesOf(record.abstract), ...runs]) {
        const known = owner.get(phrase) ?? first[i];
        if (known !== first[i]) shared.push(`${first[i].id} and ${known.id}: ${phrase}`);
        owner.set(phrase, known);
      }
    }
    expect(owner.size).toBeGreaterThan(10_000);
    expect(shared).toEqual([]);
  });

  it('is clean once it is read', () => {
    for (const { title, abstract } of records) {
      expect(`${title} ${abstract}`).not.toMatch(
        /<\/?(?:p|i|b|br|sub|sup|jats:\w+)\b|&(?:amp|lt|gt|#\d+);|^Abstract|\s{2}/,
      );
    }
  });
});
