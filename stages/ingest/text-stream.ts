/**
 * A file as pieces of text: unpacked when its bytes say gzip, decoded, without its byte-order mark.
 * Never holds more than a few pieces, whatever the size of the file.
 */

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { TextDecoder } from 'node:util';
import { createGunzip } from 'node:zlib';
import { UserError } from '../../pipeline/errors.ts';

/** The packed data ends too early or is damaged; whoever reads knows the line that was reached. */
export class DamagedArchive extends Error {
  override readonly name = 'DamagedArchive';
}

/** Bytes read at a time. */
const pieceBytes = 1 << 18;

/** Bytes from which the encoding is judged. */
const headBytes = 1024;

/** Formats that people hand in by mistake, by their first bytes (latin1), and what to do with them. */
const otherFormats: [start: string, name: string, advice: string][] = [
  ['PK\x03\x04', 'a ZIP archive or a spreadsheet (.xlsx)', 'unpack it, or save the sheet as CSV'],
  ['%PDF-', 'a PDF document', 'export the list of papers as CSV'],
  ['\xd0\xcf\x11\xe0', 'an old spreadsheet or document (.xls)', 'save the sheet as CSV'],
  ['BZh', 'packed by bzip2', 'unpack it, or pack it with gzip'],
  ['\xfd7zXZ', 'packed by xz', 'unpack it, or pack it with gzip'],
  ['\x28\xb5\x2f\xfd', 'packed by zstd', 'unpack it, or pack it with gzip'],
  ['SQLite format 3\0', 'a SQLite database', 'export the table as CSV'],
  ['PAR1', 'a Parquet file', 'export the table as CSV'],
];

/**
 * @param encoding A WHATWG label, or 'auto': the byte-order mark, else UTF-16 where every other byte is
 *   zero, else UTF-8. Bytes that mean nothing become U+FFFD.
 * @throws UserError when the file is empty or is not text; DamagedArchive when unpacking fails.
 */
export async function* readText(path: string, encoding: string): AsyncGenerator<string> {
  const start = await readStart(path);
  if (start.length === 0) throw new UserError(`ingest: expected records in ${path}, found an empty file.`);
  refuseOtherFormats(path, start);
  const isGzip = start[0] === 0x1f && start[1] === 0x8b;
  const pieces = isGzip ? unpack(path) : createReadStream(path, { highWaterMark: pieceBytes });

  let decoder: TextDecoder | null = null;
  let head: Buffer = Buffer.alloc(0);
  for await (const piece of pieces as AsyncIterable<Buffer>) {
    if (decoder !== null) {
      yield decoder.decode(piece, { stream: true });
      continue;
    }
    head = head.length === 0 ? piece : Buffer.concat([head, piece]);
    if (head.length < headBytes) continue;
    decoder = createDecoder(path, encoding, head);
    yield decoder.decode(head, { stream: true });
  }
  if (decoder === null) {
    if (head.length === 0)
      throw new UserError(`ingest: expected records in ${path}, found an empty archive.`);
    decoder = createDecoder(path, encoding, head);
    yield decoder.decode(head, { stream: true });
  }
  yield decoder.decode();
}

async function readStart(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function refuseOtherFormats(path: string, start: Buffer): void {
  const text = start.toString('latin1');
  for (const [bytes, name, advice] of otherFormats) {
    if (text.startsWith(bytes)) {
      throw new UserError(
        `ingest: expected text or gzip in ${path} (ingest.path), found ${name}; ${advice}.`,
      );
    }
  }
}

/** Unpacks piece by piece; the reader's own pace holds back the file. */
async function* unpack(path: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: pieceBytes });
  // Errors of either stream surface in the loop below; the callback only keeps them from being unhandled.
  pipeline(createReadStream(path, { highWaterMark: pieceBytes }), gunzip, () => {});
  try {
    for await (const piece of gunzip as AsyncIterable<Buffer>) yield piece;
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      throw new DamagedArchive(error.message, { cause: error });
    }
    throw error;
  }
}

function createDecoder(path: string, encoding: string, head: Buffer): TextDecoder {
  if (encoding !== 'auto') return new TextDecoder(encoding);
  if (head[0] === 0xff && head[1] === 0xfe) return new TextDecoder('utf-16le');
  if (head[0] === 0xfe && head[1] === 0xff) return new TextDecoder('utf-16be');
  const zeros = [0, 0];
  for (let i = 0; i < headBytes && i < head.length; i++) if (head[i] === 0) zeros[i & 1]++;
  // Latin letters in UTF-16 leave every other byte zero; text in UTF-8 has none, other data has them anywhere.
  const pairs = Math.min(headBytes, head.length) / 2;
  if (zeros[1] > 0.3 * pairs && zeros[0] < 0.05 * pairs) return new TextDecoder('utf-16le');
  if (zeros[0] > 0.3 * pairs && zeros[1] < 0.05 * pairs) return new TextDecoder('utf-16be');
  if (zeros[0] + zeros[1] > 0.1 * 2 * pairs) {
    throw new UserError(
      `ingest: expected text in ${path} (ingest.path), found binary data. Name a CSV or JSON-lines file.`,
    );
  }
  return new TextDecoder('utf-8');
}
