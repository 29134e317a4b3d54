import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../pipeline/math/random.ts';
import { type CsvRecord, createCsvScanner } from '../../../stages/ingest/csv-records.ts';

/** Scans a table handed over in pieces of the given length. */
function scan(text: string, pieceLength = text.length, delimiter = ',', maxLength?: number): CsvRecord[] {
  const scanner = createCsvScanner(delimiter, '\n', maxLength);
  const records: CsvRecord[] = [];
  for (let i = 0; i < text.length; i += pieceLength)
    records.push(...scanner.push(text.slice(i, i + pieceLength)));
  records.push(...scanner.end());
  return records;
}

const fieldsOf = (records: CsvRecord[]): string[][] =>
  records.filter((r) => r.fault === null).map((r) => r.fields);
const faultsOf = (records: CsvRecord[]): string[] =>
  records.flatMap((r) => (r.fault === null ? [] : [`${r.line}: ${r.fault.reason}`]));

describe('well-formed tables', () => {
  it('reads quoted commas, doubled quotes and line breaks, and tells the line where each record starts', () => {
    const records = scan('id,title\r\n1,"a, ""b""\r\nc"\r\n2,plain\r\n\r\n3,""\n');
    expect(records.map((r) => [r.line, ...r.fields])).toEqual([
      [1, 'id', 'title'],
      [2, '1', 'a, "b"\r\nc'],
      [4, '2', 'plain'],
      [6, '3', ''],
    ]);
  });

  it('gives the same records however the text is cut into pieces', () => {
    const text =
      'id,title,x\r\n1,"a ""q"" \r\nb",z\r\n2,"open,z\r\n3,"ok, fine","y"\r\n4,bad\r\n"5" ,  "s" , t\r\n';
    const whole = scan(text);
    expect(whole).toHaveLength(6);
    for (let length = 1; length < text.length; length++) expect(scan(text, length)).toEqual(whole);
  });

  it('agrees with csv-parse 7.0.3 on random tables', () => {
    const random = createRandom(7);
    const alphabet = ['a', 'B', ' ', ',', '"', '\n', '\r\n', ';', '\t', 'é', '漢', "'", '\\', '0'];
    const cell = (): string => {
      let text = '';
      for (let i = random.nextBelow(8); i > 0; i--) text += alphabet[random.nextBelow(alphabet.length)];
      // csv-parse keeps spaces around a quoted field as text; here they are no part of it, so none are made.
      return text.trim();
    };
    for (let table = 0; table < 300; table++) {
      const rows = Array.from({ length: 6 }, () => ['k', cell(), cell(), cell()]);
      const text = rows
        .map((row) => row.map((c) => (/[",\n\r]/.test(c) ? `"${c.replaceAll('"', '""')}"` : c)).join(','))
        .join('\r\n');
      expect(fieldsOf(scan(text, 5))).toEqual(parse(text, { record_delimiter: '\r\n' }));
    }
  });

  it('takes spaces around a quoted field as no part of it', () => {
    expect(fieldsOf(scan('a, "b, c" ,d\n'))).toEqual([['a', 'b, c', 'd']]);
  });

  it('reads a last record without line end', () => {
    expect(fieldsOf(scan('a,b\n1,"2"'))).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
  });
});

describe('broken rows', () => {
  it('keeps quotes in the middle of a field as text', () => {
    expect(fieldsOf(scan('id,t,y\n1,a 5" disk,2000\n2,"he said "no" to it",2001\n'))).toEqual([
      ['id', 't', 'y'],
      ['1', 'a 5" disk', '2000'],
      ['2', 'he said "no" to it', '2001'],
    ]);
  });

  it('gives up rows with too few or too many columns, each with its line', () => {
    const records = scan('id,t,y\n1,a\n2,b,2000\n3,c,2001,more\n4,d,2002,,\n');
    expect(faultsOf(records)).toEqual(['2: wrong number of columns', '4: wrong number of columns']);
    expect(records[1].fault?.detail).toBe('expected 3 columns, found 2');
    expect(fieldsOf(records).at(-1)).toEqual(['4', 'd', '2002']);
  });

  it('loses one row to a quote that never closes, where csv-parse loses the rest', () => {
    const text =
      'id,title,abstract\n1,"open,text\n2,"Second, one","ok"\n3,Third,"fine, too"\n4,Fourth,plain\n';
    const records = scan(text);
    expect(faultsOf(records)).toEqual(['2: unclosed quote']);
    expect(fieldsOf(records).map((row) => row[0])).toEqual(['id', '2', '3', '4']);
    expect(() => parse(text)).toThrow(CsvError);
    const relaxed: string[][] = parse(text, {
      relax_quotes: true,
      relax_column_count: true,
      skip_records_with_error: true,
    });
    expect(relaxed.map((row) => row[0])).not.toEqual(expect.arrayContaining(['2']));
  });

  it('loses one row to a quote that is open at the end of the input', () => {
    const records = scan('id,t\n1,a\n2,"open\n3,c\n4,d\n', 3);
    expect(faultsOf(records)).toEqual(['3: unclosed quote']);
    expect(fieldsOf(records).map((row) => row[0])).toEqual(['id', '1', '3', '4']);
  });

  it('takes the quotes of a tab-separated row as text where only that gives the right columns', () => {
    const text = 'TI\tAB\tPY\n"Why trust you?": a study\tHe says "no\t2016\nPlain\tText\t2017\n';
    expect(fieldsOf(scan(text, 7, '\t'))).toEqual([
      ['TI', 'AB', 'PY'],
      ['"Why trust you?": a study', 'He says "no', '2016'],
      ['Plain', 'Text', '2017'],
    ]);
  });

  it('drops a record beyond the size limit and goes on after its line', () => {
    const records = scan(`id,t\n1,${'x'.repeat(500)}\n2,b\n`, 50, ',', 100);
    expect(faultsOf(records)).toEqual(['2: record too large']);
    expect(fieldsOf(records).at(-1)).toEqual(['2', 'b']);
    expect(records.at(-1)?.line).toBe(3);
  });

  it('accounts for every line of a file of open quotes', () => {
    const lines = 20_000;
    const scanner = createCsvScanner(',', '\n', 1000);
    const records = [...scanner.push(`id,t\n${'"a b c\n'.repeat(lines)}`), ...scanner.end()];
    expect(records).toHaveLength(lines + 1);
    expect(new Set(records.slice(1).map((r) => r.fault?.reason))).toEqual(new Set(['unclosed quote']));
  });

  it('says how many lines are given up when a hostile file would cost too much to read twice', () => {
    // Quotes behind a space are no sign of a new record, so that each line must be read to the limit.
    const scanner = createCsvScanner(',', '\n', 1000);
    const records = [
      ...scanner.push(`id,t\n${' "a \n'.repeat(20_000)}`),
      ...scanner.push('1,b'),
      ...scanner.end(),
    ];
    expect(records.length).toBeLessThan(20_000);
    const accounted = records.reduce((lines, record) => {
      const more = /: (\d+) lines from here/.exec(record.fault?.detail ?? '');
      return lines + (more === null ? 1 : Number(more[1]));
    }, 0);
    expect(accounted).toBe(20_002);
  });
});
