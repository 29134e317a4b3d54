/**
 * The JSON header of a safetensors file, read by its own small parser: JSON.parse would take the last of
 * two tensors with one name, round sizes above 2^53, and build whatever else a hostile header holds.
 */

import { type ByteSource, fault, quoted } from './byte-source.ts';

export interface HeaderEntry {
  /** As the format names it: F32. */
  type: string;
  dims: number[];
  /** First byte in the data behind the header. */
  start: number;
  /** Byte after the last. */
  end: number;
}

/** Tensors by name, in file order. `__metadata__` (strings by name) is checked and dropped. */
export function parseSafetensorsHeader(source: ByteSource, header: Uint8Array): Map<string, HeaderEntry> {
  const parser = new HeaderParser(source, decode(source, header));
  const entries = new Map<string, HeaderEntry>();
  parser.object('tensor', (name) => {
    if (name === '__metadata__') parser.object('entry of __metadata__', () => void parser.string());
    else entries.set(name, entryOf(parser, name));
  });
  parser.finish();
  return entries;
}

function decode(source: ByteSource, header: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw fault(source, 'expected the safetensors header to be UTF-8 text.');
  }
}

function entryOf(parser: HeaderParser, name: string): HeaderEntry {
  let type: string | undefined;
  let dims: number[] | undefined;
  let offsets: number[] | undefined;
  parser.object(`entry of tensor ${quoted(name)}`, (key) => {
    if (key === 'dtype') type = parser.string();
    else if (key === 'shape') dims = parser.integers();
    else if (key === 'data_offsets') offsets = parser.integers();
    else throw parser.fault(`tensor ${quoted(name)} has the unknown entry ${quoted(key)}`);
  });
  if (type === undefined || dims === undefined || offsets?.length !== 2) {
    throw parser.fault(`expected dtype, shape and two data_offsets for tensor ${quoted(name)}`);
  }
  return { type, dims, start: offsets[0], end: offsets[1] };
}

/** Reads only what such headers have: objects, strings, lists of whole numbers from 0 up. */
class HeaderParser {
  readonly #source: ByteSource;
  readonly #text: string;
  #at = 0;

  constructor(source: ByteSource, text: string) {
    this.#source = source;
    this.#text = text;
  }

  fault(message: string): Error {
    return fault(this.#source, `${message} (safetensors header, character ${this.#at}).`);
  }

  /** Calls `member` for each key; it has to read the value. A key given twice is refused. */
  object(what: string, member: (key: string) => void): void {
    const keys = new Set<string>();
    this.#expect('{');
    if (this.#accept('}')) return;
    do {
      const key = this.string();
      if (keys.has(key)) throw this.fault(`the ${what} ${quoted(key)} is given twice`);
      keys.add(key);
      this.#expect(':');
      member(key);
    } while (this.#accept(','));
    this.#expect('}');
  }

  string(): string {
    this.#expect('"');
    const start = this.#at;
    let end = start;
    for (let escaped = false; end < this.#text.length; end++) {
      if (escaped) escaped = false;
      else if (this.#text[end] === '\\') escaped = true;
      else if (this.#text[end] === '"') break;
    }
    if (end === this.#text.length) throw this.fault('a string does not end');
    this.#at = end + 1;
    const raw = this.#text.slice(start, end);
    try {
      return JSON.parse(`"${raw}"`);
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw this.fault(`expected a string as JSON writes it, found ${quoted(raw)}`);
    }
  }

  integers(): number[] {
    const values: number[] = [];
    this.#expect('[');
    if (this.#accept(']')) return values;
    do values.push(this.#integer());
    while (this.#accept(','));
    this.#expect(']');
    return values;
  }

  /** The header may be padded with spaces, and nothing else follows. */
  finish(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) {
      throw this.fault(
        `expected the end of the header, found ${quoted(this.#text.slice(this.#at, this.#at + 20))}`,
      );
    }
  }

  #integer(): number {
    this.#skipSpace();
    const pattern = /(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y;
    pattern.lastIndex = this.#at;
    const digits = pattern.exec(this.#text)?.[0];
    const value = Number(digits);
    if (digits === undefined || !Number.isSafeInteger(value)) {
      const found = this.#text.slice(this.#at, this.#at + 24);
      throw this.fault(`expected a whole number from 0 to 2^53 − 1, found ${quoted(found)}`);
    }
    this.#at += digits.length;
    return value;
  }

  #expect(character: string): void {
    if (!this.#accept(character)) {
      const found = this.#text.slice(this.#at, this.#at + 20);
      throw this.fault(
        `expected ${character}, found ${found === '' ? 'the end of the header' : quoted(found)}`,
      );
    }
  }

  #accept(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    while (' \n\r\t'.includes(this.#text[this.#at] ?? '!')) this.#at++;
  }
}
