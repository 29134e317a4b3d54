/**
 * Rows of a RIS file, as reference managers and publishers export it: lines of a tag and a value, records from TY
 * to ER. Lines without a tag go on with the value above them.
 */

import type { SourceConfig } from './config.ts';
import type { SourceReport, SourceRow, SourceRows } from './source-row.ts';

/** The longest record that is read, in characters. */
const maxRecordLength = 1 << 22;

const tagLine = /^([A-Z][A-Z0-9]) {1,2}-(?: (.*)|)$/;

/** Tags that are read; all others are passed on by their names. */
const usedTags = new Set([
  'TY',
  'ER',
  'TI',
  'T1',
  'AB',
  'N2',
  'DO',
  'PY',
  'Y1',
  'DA',
  'AU',
  'A1',
  'ID',
  'L1',
  'L2',
]);

/** Values by tag, in the order of the file. */
type RisRecord = Map<string, string[]>;

/**
 * @param texts Pieces of the file's text.
 * @param report Filled in as reading goes on.
 */
export async function* readRis(
  texts: AsyncIterable<string>,
  _config: SourceConfig,
  path: string,
  report: SourceReport,
): AsyncGenerator<SourceRows> {
  report.recognised = `${path}: read as RIS.`;
  let pending = '';
  let record: RisRecord | null = null;
  let recordLine = 0;
  let length = 0;
  let lastTag = '';

  const finish = (result: SourceRows): void => {
    if (record !== null && length > maxRecordLength) {
      const detail = `expected at most ${maxRecordLength} characters in a record`;
      result.faulty.push({ line: recordLine, id: null, reason: 'record too large', detail });
    } else if (record !== null) result.rows.push(toRow(record, recordLine));
    record = null;
  };
  const take = (line: string, result: SourceRows): void => {
    const [, tag, value = ''] = tagLine.exec(line) ?? [];
    if (tag === 'TY') {
      // One that was never ended is whole all the same.
      finish(result);
      record = new Map([['TY', [value.trim()]]]);
      recordLine = report.line;
      length = 0;
      lastTag = '';
      return;
    }
    if (tag === 'ER') {
      finish(result);
      return;
    }
    if (record === null) {
      if (line.trim() === '') return;
      const detail = `expected a record from TY to ER, found ${line.slice(0, 60)}`;
      result.faulty.push({ line: report.line, id: null, reason: 'not in a record', detail });
      return;
    }
    length += line.length;
    if (length > maxRecordLength) return;
    if (tag !== undefined) {
      lastTag = tag;
      const values = record.get(tag);
      if (values === undefined) record.set(tag, [value.trim()]);
      else values.push(value.trim());
    } else if (lastTag !== '' && line.trim() !== '') {
      const values = record.get(lastTag);
      if (values !== undefined) values[values.length - 1] += ` ${line.trim()}`;
    }
  };

  for await (const text of texts) {
    const result: SourceRows = { rows: [], faulty: [] };
    const lines = (pending + text).split(/\r\n|\n|\r(?!$)/);
    pending = (lines.pop() ?? '').slice(0, maxRecordLength + 1);
    for (const line of lines) {
      report.line++;
      take(line, result);
    }
    yield result;
  }
  const result: SourceRows = { rows: [], faulty: [] };
  report.line++;
  take(pending.replace(/\r$/, ''), result);
  finish(result);
  yield result;
}

function toRow(record: RisRecord, line: number): SourceRow {
  const first = (...tags: string[]): string | undefined =>
    tags.flatMap((tag) => record.get(tag) ?? []).find((value) => value !== '');
  const all = (...tags: string[]): string[] => tags.flatMap((tag) => record.get(tag) ?? []);
  const extra: SourceRow['extra'] = [['type', first('TY')]];
  for (const [tag, values] of record)
    if (!usedTags.has(tag)) extra.push([tag, values.length === 1 ? values[0] : values]);
  const date = first('DA', 'PY', 'Y1');
  return {
    line,
    values: {
      id: first('ID'),
      doi: first('DO') ?? doiOf(all('UR', 'M3', 'L3')),
      title: first('TI', 'T1'),
      abstract: first('AB', 'N2'),
      // 2020/03/01/ is the old way to write a date.
      year: first('PY', 'Y1', 'DA')?.replace(/\/.*$/, ''),
    },
    facts: {
      arxiv: all('UR', 'L1', 'AN').find((value) => /arxiv/i.test(value)),
      pmid: /pubmed/i.test(first('DB', 'DP') ?? '') ? first('AN') : undefined,
      authors: all('AU', 'A1'),
      institutions: all('AD'),
      venue: first('JO', 'JF', 'T2', 'JA', 'BT'),
      published: date?.replace(/\/+$/, '').replace(/^(\d{4}(?:\/\d{1,2}){0,2}).*$/, '$1'),
    },
    extra,
  };
}

function doiOf(values: readonly string[]): string | undefined {
  return values.find((value) => /^(?:https?:\/\/(?:dx\.)?doi\.org\/|doi:\s*)?10\.\d{4,9}\//i.test(value));
}
