import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { IngestedRecord, SkippedRow } from '../../../pipeline/contract.ts';
import { Interrupted, UserError } from '../../../pipeline/errors.ts';
import { source } from '../../../stages/ingest/config.ts';
import { stage } from '../../../stages/ingest/stage.ts';

const folder = mkdtempSync(join(tmpdir(), 'ingest-'));
afterAll(() => rmSync(folder, { recursive: true }));

const text = 'We measure how fast the layer grows on sapphire.';

interface Outcome {
  records: IngestedRecord[];
  skipped: SkippedRow[];
  notices: string[];
  batches: number[];
}

/** Writes the content to a file and reads it through the stage. */
async function ingest(
  content: string | Buffer,
  settings: Record<string, unknown> = {},
  signal = new AbortController().signal,
): Promise<Outcome> {
  const name = settings.source === 'jsonl' ? 'papers.jsonl' : 'papers.csv';
  writeFileSync(join(folder, name), content);
  return readAll({ path: name, ...settings }, signal);
}

async function readAll(
  settings: Record<string, unknown>,
  signal = new AbortController().signal,
): Promise<Outcome> {
  const config = stage.section.schema.parse(settings);
  const outcome: Outcome = { records: [], skipped: [], notices: [], batches: [] };
  const job = {
    ...{
      config,
      seed: 1,
      threads: 1,
      baseFolder: folder,
      model: () => {
        throw new Error('no model here');
      },
      signal,
    },
    progress: () => {},
    notice: (message: string) => outcome.notices.push(message),
  };
  for await (const batch of stage.read(job)) {
    outcome.records.push(...batch.records);
    outcome.skipped.push(...batch.skipped);
    outcome.batches.push(batch.records.length + batch.skipped.length);
  }
  return outcome;
}

const ids = (outcome: Outcome): string[] => outcome.records.map((record) => record.id);
const faults = (outcome: Outcome): string[] => outcome.skipped.map((row) => `${row.line}: ${row.reason}`);
const jsonl = (objects: unknown[]): string => objects.map((object) => `${JSON.stringify(object)}\n`).join('');
const jsonlSettings = { source: 'jsonl' };

describe('formats', () => {
  const plain = `id,title,abstract,year\n1,Film growth on glass,"${text}",2019\n`;

  it.each([
    ['UTF-8', Buffer.from(plain)],
    ['UTF-8 with byte-order mark', Buffer.from(`\ufeff${plain}`)],
    ['UTF-16LE with byte-order mark', Buffer.from(`\ufeff${plain}`, 'utf16le')],
    ['UTF-16LE without byte-order mark', Buffer.from(plain, 'utf16le')],
    ['UTF-16BE with byte-order mark', Buffer.from(`\ufeff${plain}`, 'utf16le').swap16()],
    ['gzip', gzipSync(plain)],
    ['gzip of several members', Buffer.concat([gzipSync(plain.slice(0, 40)), gzipSync(plain.slice(40))])],
    ['Windows line ends', Buffer.from(plain.replaceAll('\n', '\r\n'))],
    ['line ends of old Macs', Buffer.from(plain.replaceAll('\n', '\r'))],
    ['no line end at the end', Buffer.from(plain.trimEnd())],
    ['tabs', Buffer.from(plain.replaceAll(',', '\t'))],
    ['semicolons', Buffer.from(plain.replaceAll(',', ';'))],
    ['bars', Buffer.from(plain.replaceAll(',', '|'))],
    ['Excel’s sep= line', Buffer.from(`sep=;\n${plain.replaceAll(',', ';')}`)],
  ])('%s', async (_, content) => {
    const { records, skipped } = await ingest(content);
    expect(skipped).toEqual([]);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ id: '1', title: 'Film growth on glass', abstract: text, year: 2019 });
  });

  it('decodes another encoding where the config names it, and else says so', async () => {
    const latin = Buffer.from(
      `id,title,abstract\n1,Über das Wachsen dünner Schichten,${text} ${text} “Größe” ${text}\n`,
      'latin1',
    );
    const named = await ingest(latin, { encoding: 'windows-1252' });
    expect(named.records[0].title).toBe('Über das Wachsen dünner Schichten');
    const unnamed = await ingest(latin);
    expect(unnamed.records[0].title).toContain('\ufffd');
    expect(unnamed.notices.join()).toContain('set ingest.encoding');
  });

  it('leaves out rows full of bytes that cannot be decoded', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`id,title,abstract\n1,Film growth,${text}\n2,`),
      Buffer.alloc(200, 0xe9),
      Buffer.from(',x\n'),
    ]);
    const outcome = await ingest(bytes);
    expect(ids(outcome)).toEqual(['1']);
    expect(faults(outcome)).toEqual(['3: not text']);
    expect(outcome.skipped[0]).toMatchObject({
      id: '2',
      detail: expect.stringContaining('cannot be decoded'),
    });
  });

  it('reads several files, and names the file of a row that is left out', async () => {
    writeFileSync(join(folder, 'a.csv'), plain);
    writeFileSync(join(folder, 'b.csv'), 'id,title,abstract\n2,,\n3,Film growth on glass,\n');
    const outcome = await readAll({ path: ['a.csv', 'b.csv', 'a.csv'] });
    expect(ids(outcome)).toEqual(['1', '3']);
    expect(outcome.skipped).toEqual([
      { line: 2, id: '2', reason: 'no title and no abstract', detail: 'both are empty (b.csv)' },
    ]);
  });
});

describe('headers', () => {
  const read = async (header: string, row: string) => {
    const outcome = await ingest(`${header}\n${row}\n`);
    return { record: outcome.records[0], notice: outcome.notices[0] };
  };

  it('recognises OpenAlex', async () => {
    const { record, notice } = await read(
      'id,doi,display_name,publication_year,abstract,cited_by_count',
      `https://openalex.org/W1,https://doi.org/10.1000/A,Film growth on glass,2015,${text},4`,
    );
    expect(record).toMatchObject({
      ...{ id: 'https://openalex.org/W1', doi: '10.1000/a', title: 'Film growth on glass', year: 2015 },
      extra: { cited_by_count: '4' },
    });
    expect(notice).toBe(
      'papers.csv: read as OpenAlex, a table with commas: id from "id", doi from "doi", title from "display_name", ' +
        'abstract from "abstract", year from "publication_year".',
    );
  });

  it('recognises Scopus', async () => {
    const { record, notice } = await read(
      '\ufeff"Authors","Title","Year","Source title","Cited by","DOI","Abstract","Author Keywords","EID"',
      `"Doe J.","Film growth on glass","2011","J. Films","3","10.1000/b","${text}","film; glass","2-s2.0-1"`,
    );
    expect(record).toMatchObject({
      ...{ id: '2-s2.0-1', doi: '10.1000/b', title: 'Film growth on glass', year: 2011, abstract: text },
      extra: {
        Authors: 'Doe J.',
        'Source title': 'J. Films',
        'Cited by': '3',
        'Author Keywords': 'film; glass',
      },
    });
    expect(notice).toContain('read as Scopus');
  });

  it('recognises Web of Science by field tags, with a tab at the end of each row', async () => {
    const { record, notice } = await read(
      'PT\tAU\tTI\tSO\tAB\tTC\tPY\tDI\tUT',
      `J\tDoe, J\t"Film" growth on glass\tJ FILMS\t${text}\t3\t1999\t10.1000/c\tWOS:001\t`,
    );
    expect(record).toMatchObject({
      ...{ id: 'WOS:001', doi: '10.1000/c', title: '"Film" growth on glass', year: 1999 },
      extra: { PT: 'J', AU: 'Doe, J', SO: 'J FILMS', TC: '3' },
    });
    expect(notice).toContain('read as Web of Science (field tags), a table with tabs');
  });

  it('recognises Web of Science by full names', async () => {
    const { record, notice } = await read(
      'Article Title;Source Title;Abstract;Publication Year;DOI;UT (Unique WOS ID)',
      `Film growth on glass;J FILMS;${text};2001;10.1000/d;WOS:002`,
    );
    expect(record).toMatchObject({
      id: 'WOS:002',
      title: 'Film growth on glass',
      year: 2001,
      doi: '10.1000/d',
    });
    expect(notice).toContain('read as Web of Science,');
  });

  it('recognises names in other case and with other signs', async () => {
    const { record } = await read(
      'Paper_ID,TITLE,Abstract Text,Publication Date',
      `7,Film growth on glass,${text},2003-04-05`,
    );
    expect(record).toMatchObject({ id: '7', title: 'Film growth on glass', abstract: text, year: 2003 });
  });

  it('follows the mapping of the config', async () => {
    const outcome = await ingest(`nr|Überschrift|Inhalt|id\n9|Film growth on glass|${text}|x\n`, {
      columns: { id: 'nr', title: 'überschrift', abstract: 'Inhalt' },
    });
    expect(outcome.records[0]).toMatchObject({ id: '9', title: 'Film growth on glass', extra: { id: 'x' } });
  });

  it('reads titles alone where the config says that there are no abstracts', async () => {
    const outcome = await ingest('id,title\n1,Film growth on glass\n', { columns: { abstract: null } });
    expect(outcome.records[0]).toMatchObject({ title: 'Film growth on glass', abstract: '' });
  });

  it('names what is missing, what was found and the mapping to write', async () => {
    const error = await ingest('nr,Titel,Zusammenfassung\n1,a,b\n').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(/expected a column for title and abstract in .*papers\.csv/);
    expect((error as UserError).message).toContain('found "nr", "Titel", "Zusammenfassung"');
    expect((error as UserError).message).toContain('    columns:\n      title: Titel\n');
  });

  it('names a mapped column that the file does not have', async () => {
    await expect(ingest(`id,title,abstrakt\n1,a,b\n`, { columns: { abstract: 'abstarkt' } })).rejects.toThrow(
      /"abstarkt" \(ingest\.columns\.abstract\)[\s\S]*abstract: abstrakt/,
    );
  });

  it('refuses a table whose first line is a row', async () => {
    await expect(ingest(`1,Film growth on glass,${text}\n2,b,c\n`)).rejects.toThrow(
      /The first line must name the columns/,
    );
  });
});

describe('JSON lines', () => {
  it('keeps sound objects and gives each broken line with its number', async () => {
    const outcome = await ingest(
      `\ufeff${jsonl([{ id: 'a', title: 'Film growth on glass', abstract: text, year: 2019, venue: 'J' }])}` +
        '\n{"id": "b", "title": \n[1, 2]\n"text"\n{"id": "c", "title": 5, "abstract": "x"}\n' +
        `{"id": "d", "title": "Film growth on steel", "abstract": null}`,
      jsonlSettings,
    );
    expect(ids(outcome)).toEqual(['a', 'd']);
    expect(outcome.records.map((record) => record.line)).toEqual([1, 7]);
    expect(outcome.records[0].extra).toEqual({ venue: 'J' });
    expect(faults(outcome)).toEqual([
      '3: broken JSON',
      '4: not an object',
      '5: not an object',
      '6: wrong type',
    ]);
  });

  it('survives a line that nests without end', async () => {
    const deep = `{"title": "Film growth on steel", "abstract": "${text}", "x": ${'['.repeat(1e6)}${']'.repeat(1e6)}}`;
    const outcome = await ingest(
      `${deep}\n${jsonl([{ id: 'a', title: 'Film growth on glass', abstract: text }])}`,
      jsonlSettings,
    );
    expect(ids(outcome).at(-1)).toBe('a');
    expect(outcome.records.length + outcome.skipped.length).toBe(2);
  });

  it('follows dotted paths', async () => {
    const objects = [{ paper: { name: 'Film growth on glass', ids: { main: 3 } }, body: { text } }];
    const outcome = await ingest(jsonl(objects), {
      ...jsonlSettings,
      columns: { id: 'paper.ids.main', title: 'paper.name', abstract: 'body.text' },
    });
    expect(outcome.records[0]).toMatchObject({ id: '3', title: 'Film growth on glass', abstract: text });
  });

  it('puts OpenAlex’s inverted index in order', async () => {
    const index: Record<string, number[]> = {};
    text.split(' ').forEach((word, i) => {
      index[word] = [...(index[word] ?? []), i];
    });
    const work = {
      id: 'https://openalex.org/W1',
      display_name: 'Film growth',
      publication_year: 2019,
      abstract: null,
    };
    const outcome = await ingest(jsonl([{ ...work, abstract_inverted_index: index }]), jsonlSettings);
    expect(outcome.records[0]).toMatchObject({ abstract: text, year: 2019, extra: {} });
  });

  it('refuses a JSON array, on one line or on many', async () => {
    const objects = [{ id: 1, title: 'a', abstract: text }];
    for (const content of [JSON.stringify(objects), JSON.stringify(objects, null, 2)]) {
      await expect(ingest(content, jsonlSettings)).rejects.toThrow(
        /found one JSON array\. Turn it into JSON lines/,
      );
    }
  });

  it('refuses one object spread over lines', async () => {
    await expect(ingest(JSON.stringify({ id: 1, title: 'a' }, null, 2), jsonlSettings)).rejects.toThrow(
      /one object over several lines/,
    );
  });

  it('names the keys found when no object has a title or an abstract', async () => {
    await expect(ingest(jsonl([{ nr: 1, name: 'a', body: 'b' }]), jsonlSettings)).rejects.toThrow(
      /expected a column for title and abstract[\s\S]*"nr", "name", "body"/,
    );
  });
});

describe('files that cannot be read', () => {
  it('are refused when they are missing, or folders', async () => {
    await expect(readAll({ path: 'none.csv' })).rejects.toThrow(
      /expected a file at .*none\.csv \(ingest\.path\), found nothing/,
    );
    mkdirSync(join(folder, 'sub'), { recursive: true });
    await expect(readAll({ path: 'sub' })).rejects.toThrow(/found a folder/);
  });

  it.each([
    ['empty', Buffer.alloc(0), /found an empty file/],
    ['an empty archive', gzipSync(''), /found an empty archive/],
    ['blank', Buffer.from('\n \n'), /found only blanks/],
    ['a header alone', Buffer.from('id,title,abstract\n'), /found none below the header/],
    ['a spreadsheet', Buffer.from('PK\x03\x04xxxxxxxxxxxx'), /ZIP archive or a spreadsheet/],
    [
      'binary',
      Buffer.from(Array.from({ length: 4000 }, (_, i) => (i % 5 < 2 ? 0 : (i * 7) & 255))),
      /found binary data/,
    ],
  ])('are refused when they are %s', async (_, content, message) => {
    await expect(ingest(content)).rejects.toThrow(message);
    await expect(ingest(content)).rejects.toBeInstanceOf(UserError);
  });

  it('are refused when the archive is cut off, naming the line that was reached', async () => {
    const rows = Array.from(
      { length: 20_000 },
      (_, i) => `${i},Film ${i} growth ${(i * 7919) % 104729},${text}`,
    );
    const packed = gzipSync(`id,title,abstract\n${rows.join('\n')}\n`);
    await expect(ingest(packed.subarray(0, packed.length / 2))).rejects.toThrow(
      /expected a whole gzip file at .*papers\.csv, found it cut off or damaged after line \d{3,}/,
    );
    const flipped = Buffer.from(packed);
    flipped.fill(0xff, 30_000, 30_200);
    await expect(ingest(flipped)).rejects.toBeInstanceOf(UserError);
  });
});

describe('reading', () => {
  it('gives batches of about 500 and every row once', async () => {
    const rows = Array.from({ length: 2300 }, (_, i) => `${i},Film growth number ${i},${text}`);
    const outcome = await ingest(`id,title,abstract\n${rows.join('\n')}\n`);
    expect(ids(outcome)).toEqual(rows.map((_, i) => String(i)));
    expect(outcome.batches).toHaveLength(5);
    expect(Math.max(...outcome.batches)).toBeLessThanOrEqual(1000);
  });

  it('gives the fields that tell duplicates: equal DOIs and titles have equal keys', async () => {
    const { records } = await ingest(
      `id,doi,title,abstract\n1,10.1000/A,Film Growth on Glass,${text}\n2,https://doi.org/10.1000/a,FILM GROWTH: on glass!,\n`,
    );
    expect(records[0].doi).toBe(records[1].doi);
    expect(records[0].titleKey).toBe(records[1].titleKey);
    expect(records[0].richness).toBeGreaterThan(records[1].richness);
  });

  it('leaves out a row of one megabyte and goes on', async () => {
    const outcome = await ingest(
      `id,title,abstract\n1,Film growth,"${'word, '.repeat(180_000)}"\n2,Film growth on steel,${text}\n`,
    );
    expect(ids(outcome)).toEqual(['2']);
    expect(faults(outcome)).toEqual(['2: too long']);
  });

  it('stops when the run is interrupted', async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(
      ingest(`id,title,abstract\n1,Film growth,${text}\n`, {}, controller.signal),
    ).rejects.toBeInstanceOf(Interrupted);
  });

  it('counts what was mended in one notice each', async () => {
    const outcome = await ingest(
      `doi,title,abstract,year\n10.1000/a,Film growth on glass,,soon\n,Film growth on steel,${text},\n`,
    );
    expect(outcome.notices.slice(1)).toEqual([
      'papers.csv: 1 of 2 records have a title and no abstract; they are kept.',
      'papers.csv: 1 of 2 records have no year; they are kept and left out of counts by year.',
      'papers.csv: 1 of 2 records have a year that is none from 1500 to 2100; it is left empty.',
      'papers.csv: 2 of 2 records have no id; theirs is made from the DOI, else from the title.',
    ]);
  });
});

describe('settings', () => {
  it('have a description each', () => {
    const schema = source as unknown as { shape: Record<string, { description?: string }> };
    for (const [name, field] of Object.entries(schema.shape)) expect(field.description, name).toBeTruthy();
  });

  it.each([
    ['an unknown key', { path: 'x', colums: {} }],
    ['an unknown column role', { path: 'x', columns: { titel: 'a' } }],
    ['an unknown encoding', { path: 'x', encoding: 'utf-99' }],
    ['an unknown source', { path: 'x', source: 'xml' }],
    ['no path', {}],
  ])('refuse %s', (_, settings) => {
    expect(stage.section.schema.safeParse(settings).success).toBe(false);
  });
});

const openalex = '../shared/data/openalex';
describe.skipIf(!existsSync(openalex))('on OpenAlex exports (skipped without ../shared/data)', () => {
  it.each([
    ['nlp_openalex.csv', 1072],
    ['ner_openalex.csv', 247],
  ])('%s is read whole and its abstracts are called damaged', async (name, n) => {
    const outcome = await readAll({ path: join(process.cwd(), openalex, name) });
    expect(outcome.records).toHaveLength(n);
    expect(outcome.notices.filter((notice) => notice.includes('the abstracts are damaged'))).toHaveLength(1);
  });
});
