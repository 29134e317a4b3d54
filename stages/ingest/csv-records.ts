/**
 * Splits the text of a delimited table into records, piece by piece, and mends itself: a record that
 * cannot be right costs its own line and no other. Knows nothing of what the columns mean.
 *
 * Written here because a parser that follows RFC 4180 alone (csv-parse, papaparse) takes a quote that is
 * never closed as the start of a field that runs on over all following rows, which then are missing
 * without a trace. Agrees with csv-parse 7.0.3 on well-formed tables (test/stages/ingest/csv-records.test.ts).
 */

/** A record, or what was wrong with it. */
export interface CsvRecord {
  /** Line of the input where the record starts, from 1. */
  line: number;
  fields: string[];
  fault: CsvFault | null;
}

export interface CsvFault {
  reason: 'wrong number of columns' | 'unclosed quote' | 'record too large';
  detail: string;
}

export interface CsvScanner {
  /** Takes the next piece of text, gives the records that end in it; to be read to its end. */
  push(piece: string): Iterable<CsvRecord>;
  /** Gives what is left at the end of the input. */
  end(): Iterable<CsvRecord>;
}

/** The longest record that is read, in characters: an abstract is a thousandth of it. */
const maxRecordLength = 1 << 24;

/** How often, on average, a character may be looked at again: a file of open quotes must not cost quadratic time. */
const rescansAllowed = 8;

/** What a scan of one record found. */
interface Scan {
  /** 'incomplete': the text ends before it is sure where the record ends. */
  outcome: 'record' | 'incomplete' | 'unclosed';
  fields: string[];
  /** Where the next record starts; for 'unclosed', how far the scan had to look. */
  end: number;
}

/**
 * @param delimiter One character.
 * @param newline '\n' ('\r\n' is understood) or '\r', where the file has no other.
 * @param maxLength Longest record, in characters.
 */
export function createCsvScanner(
  delimiter: string,
  newline: '\n' | '\r',
  maxLength = maxRecordLength,
): CsvScanner {
  let text = '';
  let line = 1;
  /** Columns of the first record, which all others must have. */
  let columns: number | null = null;
  /** Inside a line that was given up for its size: nothing is kept until it ends. */
  let dropping = false;
  /** Length that the text must have before an unfinished record is scanned once more: keeps rescans linear. */
  let worthwhileLength = 0;
  /** How many characters may be looked at once more. */
  let rescanBudget = 4 * maxLength;

  function* scanAll(isEnd: boolean): Generator<CsvRecord> {
    let position = 0;
    while (position < text.length) {
      if (dropping) {
        const lineEnd = text.indexOf(newline, position);
        position = lineEnd < 0 ? text.length : lineEnd + 1;
        if (lineEnd >= 0) {
          dropping = false;
          line++;
        }
        continue;
      }
      const scan = scanRecord(text, position, delimiter, newline, isEnd);
      const length = scan.end - position;
      if (scan.outcome === 'incomplete' && length <= maxLength) break;
      if (scan.outcome === 'record') {
        if (!isBlank(scan.fields)) yield checkRecord(position, scan.end, scan.fields);
        line += countNewlines(text, position, scan.end, newline);
        rescanBudget += rescansAllowed * length;
        position = scan.end;
        continue;
      }
      // A quote that does not close, or a record without end. Its first line alone is given up and reading
      // goes on below it, so that no other row is lost.
      const lineEnd = text.indexOf(newline, position);
      if (lineEnd < 0) {
        yield { line, fields: [], fault: isEnd ? unclosedQuote(position, text.length) : tooLarge() };
        dropping = true;
        position = text.length;
      } else if (rescanBudget >= length) {
        const fields = readPlain(position, lineEnd);
        const fault = fields === null ? unclosedQuote(position, lineEnd) : null;
        yield { line, fields: fields ?? [], fault };
        rescanBudget += rescansAllowed * (lineEnd + 1 - position) - length;
        line++;
        position = lineEnd + 1;
      } else {
        const end = text.indexOf(newline, scan.end - 1) + 1;
        dropping = end === 0 && !isEnd;
        const next = end === 0 ? text.length : end;
        const newlines = countNewlines(text, position, next, newline);
        const lines = newlines + (text[next - 1] === newline ? 0 : 1);
        const detail = `too much text in open quotes to look for rows in it: ${lines} lines from here are given up`;
        yield { line, fields: [], fault: { reason: 'unclosed quote', detail } };
        line += newlines;
        position = next;
      }
    }
    text = text.slice(position);
    worthwhileLength = 2 * text.length;
  }

  function checkRecord(start: number, end: number, fields: string[]): CsvRecord {
    if (end - start > maxLength) return { line, fields: [], fault: tooLarge() };
    if (columns === null) {
      columns = fields.length;
      return { line, fields, fault: null };
    }
    trimToColumns(fields);
    if (fields.length === columns) return { line, fields, fault: null };
    const plain = readPlain(start, end);
    if (plain !== null) return { line, fields: plain, fault: null };
    const detail = `expected ${columns} columns, found ${fields.length}`;
    return { line, fields: [], fault: { reason: 'wrong number of columns', detail } };
  }

  /** Tables with tabs are often written without any quoting: one line that fits so is taken so. */
  function readPlain(start: number, end: number): string[] | null {
    if (delimiter !== '\t' || columns === null) return null;
    const row = text.slice(start, end).replace(/\r?\n?$/, '');
    if (row.includes(newline)) return null;
    const fields = row.split(delimiter);
    trimToColumns(fields);
    return fields.length === columns ? fields : null;
  }

  /** Some exports end each row, but not the header, with a delimiter. */
  function trimToColumns(fields: string[]): void {
    while (columns !== null && fields.length > columns && fields[fields.length - 1] === '') fields.pop();
  }

  function unclosedQuote(start: number, end: number): CsvFault {
    const shown = text.slice(start, Math.min(end, start + 60)).trimEnd();
    const detail = `a quote opens and does not close before a column ends: ${shown}${end - start > 60 ? '…' : ''}`;
    return { reason: 'unclosed quote', detail };
  }

  function tooLarge(): CsvFault {
    return { reason: 'record too large', detail: `expected at most ${maxLength} characters in a record` };
  }

  return {
    push(piece) {
      text += piece;
      return text.length < worthwhileLength && text.length <= maxLength ? [] : scanAll(false);
    },
    end: () => scanAll(true),
  };
}

/** Reads one record from `start`. */
function scanRecord(text: string, start: number, delimiter: string, newline: string, isEnd: boolean): Scan {
  const delimiterCode = delimiter.charCodeAt(0);
  const newlineCode = newline.charCodeAt(0);
  const fields: string[] = [];
  let position = start;
  for (;;) {
    // A quote counts where a field starts, spaces before it aside.
    let open = position;
    while (text.charCodeAt(open) === space) open++;
    let fieldEnd = position;
    if (text.charCodeAt(open) === quote) {
      const { at, closes } = findClosingQuote(text, open + 1, delimiterCode, newlineCode);
      if (!closes && at < text.length) return { outcome: 'unclosed', fields, end: at };
      if (!closes) return { outcome: isEnd ? 'unclosed' : 'incomplete', fields, end: at };
      const value = text.slice(open + 1, at);
      fields.push(value.includes('""') ? value.replaceAll('""', '"') : value);
      fieldEnd = at + 1;
      while (text.charCodeAt(fieldEnd) === space) fieldEnd++;
      if (newlineCode === lineFeed && text.charCodeAt(fieldEnd) === carriageReturn) fieldEnd++;
    } else {
      for (; fieldEnd < text.length; fieldEnd++) {
        const code = text.charCodeAt(fieldEnd);
        if (code === delimiterCode || code === newlineCode) break;
      }
      const endsLine = fieldEnd >= text.length || text.charCodeAt(fieldEnd) === newlineCode;
      const hasReturn = endsLine && fieldEnd > position && text.charCodeAt(fieldEnd - 1) === carriageReturn;
      fields.push(text.slice(position, hasReturn ? fieldEnd - 1 : fieldEnd));
    }
    // Before the end of the input, more of the last field may follow in the next piece.
    if (fieldEnd >= text.length)
      return { outcome: isEnd ? 'record' : 'incomplete', fields, end: text.length };
    if (text.charCodeAt(fieldEnd) === newlineCode) return { outcome: 'record', fields, end: fieldEnd + 1 };
    position = fieldEnd + 1;
  }
}

const quote = 34;
const space = 32;
const lineFeed = 10;
const carriageReturn = 13;

/**
 * Finds the quote that ends a field: not doubled, and before a delimiter, a line end or the end of the text,
 * spaces aside. Other quotes belong to the text, but for one that stands, on a later line, where a field of
 * the next record would open: then the field's own quote was never closed.
 */
function findClosingQuote(
  text: string,
  from: number,
  delimiterCode: number,
  newlineCode: number,
): { at: number; closes: boolean } {
  let position = from;
  let lineEnd: number | null = null;
  for (;;) {
    const at = text.indexOf('"', position);
    if (at < 0) return { at: text.length, closes: false };
    if (text.charCodeAt(at + 1) === quote) {
      position = at + 2;
      continue;
    }
    let next = at + 1;
    while (text.charCodeAt(next) === space) next++;
    const code = text.charCodeAt(next);
    if (next >= text.length || code === delimiterCode || code === newlineCode) return { at, closes: true };
    if (code === carriageReturn && (next + 1 >= text.length || text.charCodeAt(next + 1) === newlineCode)) {
      return { at, closes: true };
    }
    const before = text.charCodeAt(at - 1);
    if (before === newlineCode || (before === delimiterCode && at > from)) {
      if (lineEnd === null) lineEnd = text.indexOf(String.fromCharCode(newlineCode), from);
      if (lineEnd >= 0 && lineEnd < at) return { at, closes: false };
    }
    position = at + 1;
  }
}

/** An empty line is no record. */
function isBlank(fields: string[]): boolean {
  return fields.length === 1 && fields[0].trim() === '';
}

function countNewlines(text: string, start: number, end: number, newline: string): number {
  let count = 0;
  for (let at = text.indexOf(newline, start); at >= 0 && at < end; at = text.indexOf(newline, at + 1))
    count++;
  return count;
}
