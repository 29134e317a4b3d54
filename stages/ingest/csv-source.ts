/** Rows of a delimited table: finds the delimiter and the columns, then gives rows as the text comes in. */

import { UserError } from '../../pipeline/errors.ts';
import type { FactRole, Role, SourceConfig } from './config.ts';
import { type CsvRecord, createCsvScanner } from './csv-records.ts';
import { describeColumns, findColumns, findFacts, rankOf, roles } from './header-names.ts';
import type { SourceReport, SourceRow, SourceRows } from './source-row.ts';

const delimiters = [',', '\t', ';', '|'];

/** Rows that are given at a time: a piece of text may hold millions of broken ones. */
const rowsAtOnce = 500;

/** The header must end within this many characters. */
const headerLength = 1 << 20;

/**
 * @param texts Pieces of the table's text.
 * @param report Filled in as reading goes on.
 * @throws UserError when there is no header, or the header lacks a column.
 */
export async function* readCsv(
  texts: AsyncIterable<string>,
  config: SourceConfig,
  path: string,
  report: SourceReport,
): AsyncGenerator<SourceRows> {
  let head = '';
  let table: Table | null = null;
  for await (const text of texts) {
    if (table !== null) {
      yield* table.read(text);
      continue;
    }
    head += text;
    // Enough to see the header whole and how lines end.
    if (head.length < headerLength && !/[\r\n][^\r\n]/.test(head)) continue;
    table = openTable(head, config, path, report);
    yield* table.read(head.slice(table.skipped));
    head = '';
  }
  table ??= openTable(head, config, path, report);
  yield* table.read(head.slice(table.skipped));
  yield* table.end();
}

interface Table {
  /** Characters before the header: Excel's own "sep=;" line, or what Dimensions says about its data. */
  skipped: number;
  read(text: string): Iterable<SourceRows>;
  end(): Iterable<SourceRows>;
}

function openTable(head: string, config: SourceConfig, path: string, report: SourceReport): Table {
  const separatorLine = /^sep=(.)\r?\n/.exec(head);
  const about = /^"?About the data:[^\r\n]*(?:\r\n?|\n)/.exec(head);
  const skipped = (separatorLine ?? about)?.[0].length ?? 0;
  const newline = head.includes('\n') || !head.includes('\r') ? '\n' : '\r';
  const body = head.slice(skipped);
  if (body.trim() === '')
    throw new UserError(`ingest: expected a header and rows in ${path}, found only blanks.`);
  const delimiter =
    config.delimiter === 'auto'
      ? (separatorLine?.[1] ?? detectDelimiter(body, newline, config))
      : config.delimiter === 'tab'
        ? '\t'
        : config.delimiter;

  const scanner = createCsvScanner(delimiter, newline);
  const lineOffset = skipped > 0 ? 1 : 0;
  let names: string[] | null = null;
  let columns: Record<Role, number> = { id: -1, doi: -1, title: -1, abstract: -1, year: -1 };
  let factColumns: [role: FactRole, column: number][] = [];
  let extraColumns: number[] = [];

  function readHeader(record: CsvRecord): void {
    if (record.fault !== null) {
      throw new UserError(
        `ingest: expected names of columns in the first line of ${path}, found none (${record.fault.reason}: ${record.fault.detail}).`,
      );
    }
    names = record.fields.map((name) => name.trim());
    columns = findColumns(names, config.columns, path);
    const taken: Partial<Record<Role, string>> = {};
    for (const role of roles) if (columns[role] >= 0) taken[role] = names[columns[role]];
    factColumns = findFacts(names, config.columns, path);
    const used = new Set(Object.values(columns));
    extraColumns = names.flatMap((name, i) => (used.has(i) || name === '' ? [] : [i]));
    const named = delimiterNames[delimiter] ?? JSON.stringify(delimiter);
    report.recognised = describeColumns(path, `a table with ${named}`, names, taken);
    report.abstractName = taken.abstract ?? 'abstract';
  }

  function* convert(records: Iterable<CsvRecord>): Generator<SourceRows> {
    let result: SourceRows = { rows: [], faulty: [] };
    for (const record of records) {
      const line = record.line + lineOffset;
      report.line = line;
      if (names === null) readHeader(record);
      else if (record.fault !== null) result.faulty.push({ line, id: null, ...record.fault });
      else result.rows.push(toRow(line, record.fields, names, columns, factColumns, extraColumns));
      if (result.rows.length + result.faulty.length < rowsAtOnce) continue;
      yield result;
      result = { rows: [], faulty: [] };
    }
    yield result;
  }

  return {
    skipped,
    read: (text) => convert(scanner.push(text)),
    end: () => convert(scanner.end()),
  };
}

const delimiterNames: Record<string, string> = {
  ',': 'commas',
  '\t': 'tabs',
  ';': 'semicolons',
  '|': 'bars',
};

/** The delimiter under which the first line names most of what is looked for, then has most columns. */
function detectDelimiter(body: string, newline: '\n' | '\r', config: SourceConfig): string {
  const mapped = new Set(Object.values(config.columns));
  let best = ',';
  let bestScore = -1;
  for (const delimiter of delimiters) {
    const scanner = createCsvScanner(delimiter, newline);
    const [header] = [...scanner.push(body), ...scanner.end()];
    const names = header?.fields.map((name) => name.trim()) ?? [];
    const known = names.filter((name) => mapped.has(name) || roles.some((role) => rankOf(role, name) >= 0));
    const score = known.length * 1e6 + names.length;
    if (score > bestScore) {
      best = delimiter;
      bestScore = score;
    }
  }
  return best;
}

function toRow(
  line: number,
  fields: string[],
  names: readonly string[],
  columns: Record<Role, number>,
  factColumns: readonly [role: FactRole, column: number][],
  extraColumns: readonly number[],
): SourceRow {
  const values: SourceRow['values'] = {};
  for (const role of roles) if (columns[role] >= 0) values[role] = fields[columns[role]];
  const facts: SourceRow['facts'] = {};
  for (const [role, column] of factColumns) facts[role] = fields[column];
  const extra: SourceRow['extra'] = [];
  for (const i of extraColumns) if (fields[i] !== '') extra.push([names[i], fields[i]]);
  return { line, values, facts, extra };
}
