/** Rows of a BibTeX file: which of an entry's fields mean what, with LaTeX's accents and braces resolved. */

import { type BibtexEntry, createBibtexScanner } from './bibtex-entries.ts';
import type { SourceConfig } from './config.ts';
import { readLatex } from './latex-text.ts';
import type { SourceReport, SourceRow, SourceRows } from './source-row.ts';

/** Fields that are read, or that say nothing of the paper. */
const usedFields = new Set([
  ...['title', 'abstract', 'doi', 'year', 'author', 'journal', 'journaltitle', 'booktitle', 'date', 'month'],
  ...['file', 'owner', 'timestamp', 'date-added', 'date-modified', 'bdsk-url-1', 'bdsk-file-1', 'crossref'],
]);

/**
 * @param texts Pieces of the file's text.
 * @param report Filled in as reading goes on.
 */
export async function* readBibtex(
  texts: AsyncIterable<string>,
  _config: SourceConfig,
  path: string,
  report: SourceReport,
): AsyncGenerator<SourceRows> {
  report.recognised = `${path}: read as BibTeX.`;
  const scanner = createBibtexScanner();
  const convert = (entries: BibtexEntry[]): SourceRows => {
    const result: SourceRows = { rows: [], faulty: [] };
    for (const entry of entries) {
      report.line = entry.line;
      if (entry.fault === null) result.rows.push(toRow(entry));
      else result.faulty.push({ line: entry.line, id: null, reason: 'broken entry', detail: entry.fault });
    }
    return result;
  };
  for await (const text of texts) yield convert(scanner.push(text.replaceAll('\r\n', '\n')));
  yield convert(scanner.end());
}

function toRow({ line, type, key, fields }: BibtexEntry): SourceRow {
  const text = (name: string): string | undefined => {
    const value = fields.get(name);
    return value === undefined ? undefined : plainText(value);
  };
  const published = text('date') ?? dateOf(text('year'), text('month'));
  const extra: SourceRow['extra'] = [['type', type]];
  for (const [name, value] of fields) if (!usedFields.has(name)) extra.push([name, plainText(value)]);
  return {
    line,
    values: {
      id: key,
      doi: fields.get('doi')?.replaceAll('\\_', '_').replace(/[{}]/g, ''),
      title: text('title'),
      abstract: text('abstract'),
      year: text('year') ?? text('date'),
    },
    facts: {
      arxiv: isArxiv(fields) ? fields.get('eprint') : undefined,
      pmid: fields.get('pmid'),
      authors: splitAuthors(fields.get('author') ?? '').map(plainText),
      institutions: text('affiliation') ?? text('institution') ?? text('school'),
      venue: text('journal') ?? text('journaltitle') ?? text('booktitle'),
      published,
    },
    extra,
  };
}

function isArxiv(fields: ReadonlyMap<string, string>): boolean {
  return /arxiv/i.test(fields.get('archiveprefix') ?? fields.get('eprinttype') ?? '');
}

/** Names stand between "and", whatever is in braces aside. */
function splitAuthors(text: string): string[] {
  const names: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}') depth--;
    else if (depth === 0 && /\s/.test(text[i]) && /^and\s/i.test(text.slice(i + 1, i + 5))) {
      names.push(text.slice(start, i));
      start = i + 4;
      i += 3;
    }
  }
  names.push(text.slice(start));
  return names.filter((name) => name.trim() !== '' && name.trim() !== 'others');
}

function dateOf(year: string | undefined, month: string | undefined): string | undefined {
  if (year === undefined) return undefined;
  const names = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
  const word = month?.trim().toLowerCase() ?? '';
  const number = /^\d{1,2}$/.test(word) ? Number(word) : names.indexOf(word.slice(0, 3)) + 1;
  return number >= 1 && number <= 12 ? `${year}-${number}` : year;
}

/** A field's text: accents are letters, and braces, which only group, go; formulas keep theirs. */
export function plainText(value: string): string {
  // {\v C} and {\c c}, as TeX reads them; elsewhere a lone letter behind a backslash may be anything.
  const readable = readLatex(value.replace(/\\([uvHckrdb])\s+([A-Za-z])/g, '\\$1{$2}'));
  if (!/[{}]/.test(readable)) return readable;
  const formula =
    /\$[^$]{0,4000}\$|\\\((?:[^\\]|\\[^()]){0,4000}\\\)|\\\[(?:[^\\]|\\[^[\]]){0,4000}\\\]|\\[A-Za-z]+(?:\{[^{}]*\})+/g;
  let result = '';
  let copied = 0;
  for (const match of readable.matchAll(formula)) {
    result += readable.slice(copied, match.index).replace(/[{}]/g, '') + match[0];
    copied = match.index + match[0].length;
  }
  return result + readable.slice(copied).replace(/[{}]/g, '');
}
