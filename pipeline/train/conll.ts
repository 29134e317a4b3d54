/**
 * Labelled sentences from CoNLL files: one token per line with its tag in the last column, an empty line
 * between sentences. Whatever scheme the tags follow, what comes out is BIO. Reads plain text and gzip.
 */

import { closeSync, createReadStream, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UserError } from '../errors.ts';

export interface LabelledSentence {
  tokens: string[];
  /** BIO: "O", "B-Type", "I-Type"; every entity begins with B-. */
  labels: string[];
}

/**
 * How a file marks entities. BIO: B- begins each entity. IOB1: B- only parts neighbours of one type. IO: types
 * alone or all I-. BIOES: E- ends and S- is a whole entity (BILOU's L- and U- likewise).
 */
export type TagScheme = 'BIO' | 'IOB1' | 'IO' | 'BIOES';

export interface LabelledFile {
  path: string;
  scheme: TagScheme;
  sentences: LabelledSentence[];
  /** Entity types, in code-unit order. */
  types: string[];
  /** I- tags in a BIO file that no B- came before; each begins an entity, as conlleval reads it. */
  strayTags: number;
}

/** Files of a data set, by what they are for. */
export interface LabelledParts {
  train: string;
  dev: string | null;
  test: string | null;
}

/** A small gzip can unpack to anything; labelled corpora beyond this are not read. */
const MAX_UNPACKED_BYTES = 2 ** 30;
const MAX_LINE_UNITS = 100_000;

/**
 * Reads one file.
 *
 * @throws UserError with the line number, when a line has no tag, a tag is none, schemes are mixed, the text is
 *   not UTF-8, or nothing is in the file.
 */
export async function readConll(path: string, maxBytes = MAX_UNPACKED_BYTES): Promise<LabelledFile> {
  const sentences: RawSentence[] = [];
  let current: RawSentence = { tokens: [], tags: [], line: 1 };
  const finish = (): void => {
    if (current.tokens.length > 0) sentences.push(current);
  };
  let number = 0;
  await readLines(path, maxBytes, (line) => {
    number++;
    if (line.trim() === '' || line.startsWith('-DOCSTART-')) {
      finish();
      current = { tokens: [], tags: [], line: number + 1 };
      return;
    }
    const columns = line.includes('\t') ? line.trimEnd().split('\t') : line.trim().split(/\s+/);
    const [token] = columns;
    const tag = columns[columns.length - 1];
    if (line.startsWith('#') && !line.includes('\t') && !/^(?:O|[BIESLUM]-\S+)$/.test(tag)) return;
    if (columns.length < 2 || token === '' || tag === '') {
      throw new UserError(
        `Expected a token and its tag with a tab or space between, got ${quoted(line)} (${path}, line ${number}).`,
      );
    }
    current.tokens.push(token);
    current.tags.push(tag);
  });
  finish();
  if (sentences.length === 0) {
    throw new UserError(`Expected labelled sentences, one "token tag" per line, got none in ${path}.`);
  }
  const scheme = detectScheme(sentences, path);
  const types = new Set<string>();
  let strayTags = 0;
  const normal = sentences.map(({ tokens, tags }) => {
    const { labels, stray } = toBio(tags, scheme);
    strayTags += stray;
    for (const label of labels) if (label !== 'O') types.add(label.slice(2));
    return { tokens, labels };
  });
  return { path, scheme, sentences: normal, types: [...types].sort(byCodeUnit), strayTags };
}

/**
 * Finds the parts of a data set: a single file is the training part; in a folder, files are told by their names
 * (train; dev, devel, valid, validation, testa; test, testb).
 *
 * @throws UserError when there is no training part, or two files claim the same part.
 */
export function findParts(path: string): LabelledParts {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new UserError(`Expected a CoNLL file or a folder of them, found nothing at ${path}.`);
  if (!stat.isDirectory()) return { train: path, dev: null, test: null };
  const names = readdirSync(path).sort(byCodeUnit);
  const part = (wanted: RegExp): string | null => {
    const matches = names.filter(
      (name) =>
        READABLE.test(name) &&
        name
          .toLowerCase()
          .split(/[._-]/)
          .some((piece) => wanted.test(piece)),
    );
    if (matches.length > 1) {
      throw new UserError(
        `Expected one file for each part in ${path}, got ${matches.join(' and ')}. Remove one or name a file.`,
      );
    }
    return matches.length === 0 ? null : join(path, matches[0]);
  };
  const train = part(/^(?:train|training)$/);
  if (train === null) {
    throw new UserError(
      `Expected a file named train (train.txt, train.conll.gz, …) in ${path}, found ${names.slice(0, 10).join(', ') || 'an empty folder'}.`,
    );
  }
  return {
    train,
    dev: part(/^(?:dev|devel|development|valid|validation|testa)$/),
    test: part(/^(?:test|testb)$/),
  };
}

const READABLE =
  /(?:\.(?:txt|tsv|conll|bio|iob|iob1|iob2|io|bioes|iobes|train|testa|testb|dev|test)|^[^.]+)(?:\.gz)?$/i;

// ---------------------------------------------------------------------------------------------
// Lines

async function readLines(path: string, maxBytes: number, take: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let lines = 0;
  let bytes = 0;
  const takeText = (text: string): void => {
    const pieces = (rest + text).split('\n');
    rest = pieces.pop() ?? '';
    for (const piece of pieces) {
      lines++;
      take(piece.endsWith('\r') ? piece.slice(0, -1) : piece);
    }
    if (rest.length > MAX_LINE_UNITS) {
      throw new UserError(
        `Expected a token and its tag, got a line of over ${MAX_LINE_UNITS} characters (${path}, line ${lines + 1}).`,
      );
    }
  };
  const file = createReadStream(path);
  try {
    for await (const chunk of isGzip(path) ? unpacked(file) : file) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new UserError(
          `Expected at most ${maxBytes} bytes of labelled text in ${path}, got more. Split the file.`,
        );
      }
      takeText(decode(decoder, chunk, path, lines));
    }
    takeText(decode(decoder, undefined, path, lines));
    if (rest !== '') take(rest.endsWith('\r') ? rest.slice(0, -1) : rest);
  } catch (error) {
    if (isReadingError(error)) {
      throw new UserError(
        `Expected a readable CoNLL file, got "${error.message}" after line ${lines} of ${path}.`,
        { cause: error },
      );
    }
    throw error;
  } finally {
    file.destroy();
  }
}

function unpacked(file: Readable): AsyncIterable<Buffer> {
  const gunzip = createGunzip();
  file.on('error', (error) => gunzip.destroy(error));
  return file.pipe(gunzip);
}

/** Whether the file system or the unpacking failed, not this program. */
function isReadingError(error: unknown): error is Error {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^(?:Z_|ENOENT|EACCES|EISDIR|EIO)/.test(error.code)
  );
}

function decode(
  decoder: InstanceType<typeof TextDecoder>,
  chunk: Buffer | undefined,
  path: string,
  lines: number,
): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (error) {
    throw new UserError(
      `Expected UTF-8 text, got other bytes after line ${lines} of ${path}. Convert the file.`,
      {
        cause: error,
      },
    );
  }
}

function isGzip(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(2);
    return readSync(file, magic, 0, 2, 0) === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    closeSync(file);
  }
}

// ---------------------------------------------------------------------------------------------
// Tags

interface RawSentence {
  tokens: string[];
  tags: string[];
  /** Where the sentence starts, from 1; its lines follow without a gap, comments aside. */
  line: number;
}

const PREFIXED = /^[BIESLUM]-./;

/** The scheme of a whole file, told from which tags occur and what stands before them. */
function detectScheme(sentences: readonly RawSentence[], path: string): TagScheme {
  const prefixes = new Set<string>();
  let bare: string | null = null;
  let bareLine = 0;
  let strayInside = false;
  let freeBegin = false;
  for (const { tags, line } of sentences) {
    let previous = 'O';
    for (const [i, tag] of tags.entries()) {
      if (tag !== 'O') {
        if (PREFIXED.test(tag)) {
          prefixes.add(tag[0]);
          const continues = previous !== 'O' && previous.slice(2) === tag.slice(2);
          if (tag[0] === 'I' && !continues) strayInside = true;
          if (tag[0] === 'B' && !continues) freeBegin = true;
        } else if (bare === null) {
          bare = tag;
          bareLine = line + i;
        }
      }
      previous = tag;
    }
  }
  if (bare !== null && (prefixes.size > 0 || /^[BIESLUM]-?$/.test(bare))) {
    throw new UserError(
      `Expected tags like "B-Type", "I-Type" and "O" throughout, got ${quoted(bare)} (${path}, line ${bareLine}).`,
    );
  }
  if (bare !== null) return 'IO';
  if ([...'ESLUM'].some((prefix) => prefixes.has(prefix))) return 'BIOES';
  if (!prefixes.has('B') && prefixes.has('I')) return 'IO';
  return strayInside && !freeBegin ? 'IOB1' : 'BIO';
}

/** One sentence's tags as BIO. A tag that cannot continue what stands before it begins an entity. */
function toBio(tags: readonly string[], scheme: TagScheme): { labels: string[]; stray: number } {
  const labels = new Array<string>(tags.length);
  let open: string | null = null;
  let stray = 0;
  for (const [i, tag] of tags.entries()) {
    if (tag === 'O') {
      labels[i] = 'O';
      open = null;
      continue;
    }
    const prefixed = PREFIXED.test(tag);
    const prefix = prefixed ? tag[0] : 'I';
    const type = prefixed ? tag.slice(2) : tag;
    const begins = prefix === 'B' || prefix === 'S' || prefix === 'U' || open !== type;
    if (begins && prefix === 'I' && scheme === 'BIO') stray++;
    labels[i] = `${begins ? 'B' : 'I'}-${type}`;
    open = 'ESLU'.includes(prefix) ? null : type;
  }
  return { labels, stray };
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
