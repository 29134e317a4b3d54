/** JSON lines of titles and abstracts, as the commands take them. */

import { createReadStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UserError } from '../errors.ts';

/** The longest line that is read, in bytes; a file without line ends must not fill memory. */
const maxLineBytes = 1 << 26;

const newline = 0x0a;

/**
 * A JSON-lines file, plain or gzip, one object a line; `line` counts from 1.
 *
 * Lines end at a line feed alone: JSON allows U+2028 within a text, where Node's readline would cut.
 *
 * @throws UserError naming the line that is no JSON object, no UTF-8, empty (the end of the file excepted) or
 *   too long; or saying that there is no such file, or that its packing is damaged.
 */
export async function* readJsonLines(
  path: string,
): AsyncGenerator<{ value: Record<string, unknown>; line: number }> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new UserError(`There is no file ${path}.`);
  if (found.isDirectory()) throw new UserError(`Expected a file of JSON lines, got the folder ${path}.`);
  let line = 0;
  let firstEmpty = 0;
  for await (const bytes of readLines(path)) {
    line++;
    const text = decode(bytes, path, line);
    if (text.trim() === '') {
      firstEmpty ||= line;
      continue;
    }
    if (firstEmpty > 0)
      throw new UserError(`${path}, line ${firstEmpty}: expected a JSON object, got an empty line.`);
    yield { value: parse(text, path, line), line };
  }
}

/** A field's text; anything else counts as none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

async function* readLines(path: string): AsyncGenerator<Uint8Array> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let count = 0;
  for await (const chunk of readBytes(path)) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      yield Buffer.concat([...pending, chunk.subarray(start, end)]);
      count++;
      pending = [];
      pendingBytes = 0;
      start = end + 1;
    }
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > maxLineBytes) {
      throw new UserError(`${path}, line ${count + 1}: expected at most ${maxLineBytes} bytes in a line.`);
    }
  }
  if (pendingBytes > 0) yield Buffer.concat(pending);
}

async function* readBytes(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  if (!path.endsWith('.gz')) {
    yield* file as AsyncIterable<Buffer>;
    return;
  }
  const unpacked = createGunzip();
  // Faults of either stream come out where the unpacked one is read.
  pipeline(file, unpacked, () => {});
  try {
    yield* unpacked as AsyncIterable<Buffer>;
  } catch (error) {
    throw new UserError(
      `${path} is no whole gzip file: ${(error as Error).message}. Copy or make it again.`,
      {
        cause: error,
      },
    );
  }
}

/** Without the byte-order mark, where there is one. */
function decode(bytes: Uint8Array, path: string, line: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError(`${path}, line ${line}: expected UTF-8, got other bytes.`, { cause: error });
  }
}

function parse(text: string, path: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path}, line ${line}: expected a JSON object: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`${path}, line ${line}: expected a JSON object, got ${text.slice(0, 40)}`);
  }
  return value as Record<string, unknown>;
}
