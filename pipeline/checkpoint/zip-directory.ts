/**
 * Where the files of a zip archive stand, so that those stored as they are can be read in place. Nothing is
 * ever unpacked.
 *
 * Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 (records) and 4.5.3 (zip64).
 */

import { type ByteSource, Cursor, fault, quoted } from './byte-source.ts';

/** Where a file's bytes are. */
export interface ZipEntry {
  position: number;
  /** As the archive keeps them. */
  bytes: number;
  compressed: boolean;
}

const signatures = {
  file: 0x04034b50,
  entry: 0x02014b50,
  end: 0x06054b50,
  locator: 0x07064b50,
  end64: 0x06064b50,
};

/** Fixed parts of the records, in bytes. */
const endBytes = 22;
const locatorBytes = 20;
const end64Bytes = 56;
const entryBytes = 46;
const fileBytes = 30;
const maxCommentBytes = 65535;

/** Longest directory that is read; BERT-base's has 30 kB. */
const maxDirectoryBytes = 2 ** 24;

/** What a 16- or 32-bit field holds when the true number stands in a zip64 record. */
const elsewhere16 = 0xffff;
const elsewhere32 = 0xffffffff;

/**
 * Reads the central directory and each file's own header.
 *
 * @returns Files by name; folders are left out.
 * @throws UserError when a record lies outside the archive, two files overlap or share a name, or one
 *   is encrypted.
 */
export function readZipDirectory(source: ByteSource): Map<string, ZipEntry> {
  const directory = findDirectory(source);
  const cursor = new Cursor(
    source,
    directory.position,
    directory.position + directory.bytes,
    'zip directory',
  );
  const entries = new Map<string, ZipEntry>();
  const ranges: { name: string; start: number; end: number }[] = [];
  for (let i = 0; i < directory.count; i++) {
    const record = readDirectoryEntry(cursor);
    const { name } = record;
    const position = dataPosition(source, record, directory.position);
    ranges.push({ name, start: record.header, end: position + record.bytes });
    if (name.endsWith('/') && record.bytes === 0) continue;
    if (entries.has(name)) throw fault(source, `the archive has two files named ${quoted(name)}.`);
    entries.set(name, { position, bytes: record.bytes, compressed: record.compressed });
  }
  if (cursor.left > 0)
    throw cursor.fault(`${cursor.left} bytes follow the last of ${directory.count} entries`);

  ranges.sort((a, b) => a.start - b.start || a.end - b.end);
  for (let i = 1; i < ranges.length; i++) {
    if (ranges[i].start < ranges[i - 1].end) {
      throw fault(
        source,
        `the files ${quoted(ranges[i - 1].name)} and ${quoted(ranges[i].name)} overlap in the archive.`,
      );
    }
  }
  return entries;
}

interface Directory {
  position: number;
  bytes: number;
  count: number;
}

function findDirectory(source: ByteSource): Directory {
  const endPosition = findEnd(source);
  const end = new Cursor(source, endPosition, source.bytes, 'end of the zip directory');
  end.take(4);
  const disks = [end.uint16(), end.uint16()];
  const countHere = end.uint16();
  let directory: Directory = { count: end.uint16(), bytes: end.uint32(), position: end.uint32() };
  let limit = endPosition;
  const has64 =
    directory.count === elsewhere16 || directory.bytes === elsewhere32 || directory.position === elsewhere32;
  if (has64) {
    ({ directory, position: limit } = readEnd64(source, endPosition));
  } else if (disks[0] !== 0 || disks[1] !== 0 || countHere !== directory.count) {
    throw fault(source, 'expected a zip archive in one piece, found one part of several.');
  }
  const { position, bytes, count } = directory;
  if (position + bytes > limit) {
    throw fault(
      source,
      `the zip directory claims bytes ${position} to ${position + bytes}, it has to end by byte ${limit}.`,
    );
  }
  if (bytes > maxDirectoryBytes) {
    throw fault(source, `expected a zip directory of at most ${maxDirectoryBytes} bytes, found ${bytes}.`);
  }
  if (count * entryBytes > bytes) {
    throw fault(source, `the zip directory claims ${count} files in ${bytes} bytes.`);
  }
  return directory;
}

/** The end record is the last thing in the file but for a comment, whose length it tells. */
function findEnd(source: ByteSource): number {
  const length = Math.min(source.bytes, endBytes + maxCommentBytes);
  const tail = new Uint8Array(length);
  source.read(tail, source.bytes - length);
  const view = new DataView(tail.buffer);
  for (let at = length - endBytes; at >= 0; at--) {
    if (view.getUint32(at, true) !== signatures.end) continue;
    if (at + endBytes + view.getUint16(at + 20, true) === length) return source.bytes - length + at;
  }
  throw fault(source, 'the zip archive has no directory at its end; the file is cut off. Fetch it again.');
}

function readEnd64(source: ByteSource, endPosition: number): { directory: Directory; position: number } {
  const missing = 'expected the zip64 directory record that the archive refers to';
  if (endPosition < locatorBytes) throw fault(source, `${missing}.`);
  const locator = new Cursor(source, endPosition - locatorBytes, endPosition, 'zip64 locator');
  if (locator.uint32() !== signatures.locator) throw locator.fault(missing);
  locator.take(4);
  const position = locator.uint64();
  if (position + end64Bytes > endPosition - locatorBytes) throw locator.fault(missing);
  const end = new Cursor(source, position, position + end64Bytes, 'zip64 end of the directory');
  if (end.uint32() !== signatures.end64) throw end.fault(missing);
  end.take(28);
  const directory = { count: end.uint64(), bytes: end.uint64(), position: end.uint64() };
  return { directory, position };
}

interface DirectoryEntry {
  name: string;
  /** Where the file's own header starts. */
  header: number;
  bytes: number;
  compressed: boolean;
}

function readDirectoryEntry(cursor: Cursor): DirectoryEntry {
  if (cursor.uint32() !== signatures.entry) throw cursor.fault('expected the next file of the zip archive');
  cursor.take(4);
  const flags = cursor.uint16();
  const method = cursor.uint16();
  cursor.take(8);
  let stored = cursor.uint32();
  let bytes = cursor.uint32();
  const nameBytes = cursor.uint16();
  const extraBytes = cursor.uint16();
  const commentBytes = cursor.uint16();
  cursor.take(8);
  let header = cursor.uint32();
  const name = Buffer.from(cursor.take(nameBytes)).toString('utf8');
  const numbers = numbers64(Buffer.from(cursor.take(extraBytes)));
  cursor.take(commentBytes);

  // The zip64 field holds, in this order, those numbers that did not fit into the record.
  const wide = (value: number): number => {
    if (value !== elsewhere32) return value;
    const found = numbers.shift();
    if (found === undefined || !Number.isSafeInteger(found)) {
      throw cursor.fault(`expected a size below 2^53 in the zip64 field of ${quoted(name)}`);
    }
    return found;
  };
  bytes = wide(bytes);
  stored = wide(stored);
  header = wide(header);
  if ((flags & 1) !== 0) throw cursor.fault(`the file ${quoted(name)} in the archive is encrypted`);
  if (method === 0 && stored !== bytes) {
    throw cursor.fault(
      `the file ${quoted(name)} in the archive is said to have ${bytes} bytes and to take ${stored}`,
    );
  }
  return { name, header, bytes: stored, compressed: method !== 0 };
}

/** The numbers of the zip64 field, tag 1, among an entry's extra fields. */
function numbers64(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const tag = extra.readUInt16LE(at);
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) return [];
    if (tag === 1) {
      const numbers: number[] = [];
      for (at += 4; at + 8 <= end; at += 8) numbers.push(Number(extra.readBigUInt64LE(at)));
      return numbers;
    }
    at = end;
  }
  return [];
}

/** The file's own header has extra fields of its own (PyTorch pads there), so its length is read from it. */
function dataPosition(source: ByteSource, entry: DirectoryEntry, limit: number): number {
  const outside = `the file ${quoted(entry.name)} is said to be at byte ${entry.header} with ${entry.bytes} bytes, the archive's files end at byte ${limit}.`;
  if (entry.header + fileBytes > limit) throw fault(source, outside);
  const header = new DataView(new ArrayBuffer(fileBytes));
  source.read(new Uint8Array(header.buffer), entry.header);
  if (header.getUint32(0, true) !== signatures.file) {
    throw fault(source, `expected the header of ${quoted(entry.name)} at byte ${entry.header}.`);
  }
  const position = entry.header + fileBytes + header.getUint16(26, true) + header.getUint16(28, true);
  if (position + entry.bytes > limit) throw fault(source, outside);
  return position;
}
