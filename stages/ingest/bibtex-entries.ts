/**
 * Splits BibTeX into entries, piece by piece, and mends itself: an entry that cannot be right costs itself and no
 * other. Knows nothing of what the fields mean; LaTeX in them stays as it is.
 *
 * Written here because the parsers there are take a file as a whole, and give none of it where one brace is
 * missing.
 */

export interface BibtexEntry {
  /** Line of the file where the entry starts, from 1. */
  line: number;
  /** article, inproceedings, …, in lower case. */
  type: string;
  /** What it is cited by; empty where the entry has none. */
  key: string;
  /** Values by name, names in lower case. */
  fields: Map<string, string>;
  fault: string | null;
}

export interface BibtexScanner {
  /** Takes the next piece of text, gives the entries that are surely whole. */
  push(piece: string): BibtexEntry[];
  end(): BibtexEntry[];
}

/** The longest entry that is read, in characters. */
const maxEntryLength = 1 << 22;

/** A line that begins an entry: nothing else in a field looks so. */
const entryLine =
  /^[ \t]*@[ \t]*(?:(?:string|preamble|comment)[ \t]*[{(]|[A-Za-z]+[ \t]*[{(][^={}()"\n]*,)/gim;

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

export function createBibtexScanner(): BibtexScanner {
  const strings = new Map(months.map((name, i) => [name, String(i + 1)]));
  let text = '';
  let line = 1;
  /** Inside an entry that was given up for its size. */
  let dropping = false;

  /** Reads the text up to `end`, which begins with an entry or with what stands before the first. */
  function take(end: number, entries: BibtexEntry[]): void {
    const chunk = text.slice(0, end);
    if (!dropping) readChunk(chunk, line, strings, entries);
    dropping = false;
    line += chunk.split('\n').length - 1;
    text = text.slice(end);
  }

  function scan(entries: BibtexEntry[]): void {
    for (;;) {
      entryLine.lastIndex = 0;
      const first = entryLine.exec(text);
      if (first?.index === 0) entryLine.lastIndex = first[0].length;
      const next = first?.index === 0 ? entryLine.exec(text) : first;
      if (next === null) break;
      take(next.index, entries);
    }
  }

  function giveUpWhatIsTooLong(entries: BibtexEntry[]): void {
    if (text.length <= maxEntryLength) return;
    if (!dropping) entries.push(broken(line, `expected at most ${maxEntryLength} characters in an entry`));
    line += text.split('\n').length - 1;
    text = '';
    dropping = true;
  }

  return {
    push(piece) {
      text += piece;
      const entries: BibtexEntry[] = [];
      // A line that is not whole yet may begin an entry.
      const lastLine = text.lastIndexOf('\n') + 1;
      const rest = text.slice(lastLine);
      text = text.slice(0, lastLine);
      scan(entries);
      text += rest;
      giveUpWhatIsTooLong(entries);
      return entries;
    },
    end() {
      const entries: BibtexEntry[] = [];
      scan(entries);
      take(text.length, entries);
      return entries;
    },
  };
}

function broken(line: number, fault: string): BibtexEntry {
  return { line, type: '', key: '', fields: new Map(), fault };
}

/** Reads all entries that begin in a chunk; there is more than one where they follow on one line. */
function readChunk(
  chunk: string,
  firstLine: number,
  strings: Map<string, string>,
  entries: BibtexEntry[],
): void {
  const start = /@[ \t]*([A-Za-z]+)\s*[{(]/g;
  let line = firstLine;
  let counted = 0;
  for (let match = start.exec(chunk); match !== null; match = start.exec(chunk)) {
    line += chunk.slice(counted, match.index).split('\n').length - 1;
    counted = match.index;
    const type = match[1].toLowerCase();
    if (type === 'comment' || type === 'preamble') {
      start.lastIndex = closingBrace(chunk, start.lastIndex - 1) + 1 || chunk.length;
      continue;
    }
    const reader = createReader(chunk, start.lastIndex, strings);
    try {
      if (type === 'string') {
        for (const [name, value] of reader.fields()) strings.set(name, value);
      } else {
        entries.push({ line, type, key: reader.key(), fields: reader.fields(), fault: null });
      }
      start.lastIndex = reader.position();
    } catch (error) {
      if (!(error instanceof BrokenEntry)) throw error;
      entries.push(
        broken(line, `${error.message}: ${chunk.slice(match.index, match.index + 60).split('\n')[0]}`),
      );
      return;
    }
  }
}

class BrokenEntry extends Error {}

/** Reads key and fields from behind the opening brace on. */
function createReader(text: string, from: number, strings: ReadonlyMap<string, string>) {
  let at = from;
  const skipSpace = (): void => {
    while (/\s/.test(text[at] ?? '')) at++;
  };
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? null;
    at += found?.length ?? 0;
    return found;
  };

  /** One part of a value: {…}, "…", a number or a name. */
  function part(): string {
    skipSpace();
    if (text[at] === '{') {
      const close = closingBrace(text, at);
      if (close < 0) throw new BrokenEntry('a brace opens and does not close');
      const value = text.slice(at + 1, close);
      at = close + 1;
      return value;
    }
    if (text[at] === '"') {
      const close = closingQuote(text, at);
      if (close < 0) throw new BrokenEntry('a quote opens and does not close');
      const value = text.slice(at + 1, close);
      at = close + 1;
      return value;
    }
    const word = match(/[^\s,#{}()"=]+/y);
    if (word === null) throw new BrokenEntry('expected a value');
    return /^\d+$/.test(word) ? word : (strings.get(word.toLowerCase()) ?? word);
  }

  function value(): string {
    let result = part();
    for (;;) {
      skipSpace();
      if (text[at] !== '#') return result;
      at++;
      result += part();
    }
  }

  return {
    position: () => at,
    key(): string {
      skipSpace();
      const found = /[^\s,={}"]*(?=\s*,)/y;
      found.lastIndex = at;
      return (match(found) ?? '').trim();
    },
    fields(): Map<string, string> {
      const fields = new Map<string, string>();
      for (;;) {
        match(/[\s,]+/y);
        if (at >= text.length) throw new BrokenEntry('the entry does not close');
        if (text[at] === '}' || text[at] === ')') {
          at++;
          return fields;
        }
        const name = match(/[^\s,={}"#()]+/y)?.toLowerCase() ?? null;
        skipSpace();
        if (name === null || text[at] !== '=') throw new BrokenEntry('expected name = value');
        at++;
        const found = value();
        // Of a name that is given twice the first counts, as in BibTeX.
        if (!fields.has(name)) fields.set(name, found);
      }
    },
  };
}

/** Where the brace or parenthesis at `from` closes, escaped ones aside; −1 where it does not. */
function closingBrace(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const character = text[i];
    if (character === '\\') i++;
    else if (character === '{' || (depth === 0 && character === '(')) depth++;
    else if (character === '}' || (depth === 1 && text[from] === '(' && character === ')')) {
      depth--;
      if (depth === 0) return i;
    }
  }
  return -1;
}

/** Where the quote at `from` closes: outside of braces. */
function closingQuote(text: string, from: number): number {
  let depth = 0;
  for (let i = from + 1; i < text.length; i++) {
    const character = text[i];
    if (character === '\\') i++;
    else if (character === '{') depth++;
    else if (character === '}') depth--;
    else if (character === '"' && depth === 0) return i;
  }
  return -1;
}
