/**
 * Brings one file from the hub into a partial file beside the cache's own, however often the line breaks, and
 * hands it over when its content is what the hub lists. A partial file is named for its content, so that a
 * later process goes on where an earlier one ended.
 */

import {
  constants,
  existsSync,
  ftruncateSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../errors.ts';
import type { Answer } from '../http/request.ts';
import { errorCode, headerText, TransferFault } from '../http/transfer-fault.ts';
import { type Checksum, checksum, difference } from './checksum.ts';
import type { HubConnection } from './connection.ts';
import { type Asked, reference } from './faults.ts';
import type { HubFile } from './listing.ts';
import { withHubRetries } from './retry.ts';

export interface Download {
  connection: HubConnection;
  asked: Asked;
  /** Address of the file at a commit. */
  address: string;
  file: HubFile;
  /** Where the file grows. */
  partial: string;
  signal: AbortSignal;
  onRetry: (message: string) => void;
  /** Told how many bytes there are, those of earlier tries included. */
  onBytes: (bytes: number) => void;
}

/** A try that brings this much does not count as a failed one. */
const muchBytes = 1 << 20;

/**
 * @returns The sums of the partial file, which holds what the hub lists.
 * @throws UserError when the hub does not give what it lists; TransferFaults have been tried over by then.
 */
export async function download(wanted: Download): Promise<Checksum> {
  const { file, asked, partial, signal } = wanted;
  await mkdir(dirname(partial), { recursive: true });
  for (let attempt = 1; ; attempt++) {
    await transfer(wanted);
    // Read back from the disk: what earlier processes left, and what the disk made of it, is checked as well.
    const sums = await checksum(partial, signal);
    const fault = difference(sums, file);
    if (fault === null) return sums;
    discardPartial(partial);
    if (attempt === 2) {
      throw new UserError(
        `${reference(asked)}: ${file.path} arrived twice with other content than the hub lists (${fault}). ` +
          'Something on the way changes it, or the hub holds a broken file: try again without a proxy, or choose another revision.',
      );
    }
    wanted.onRetry(
      `${file.path} arrived with other content than the hub lists (${fault}); fetching it again`,
    );
  }
}

function discardPartial(partial: string): void {
  rmSync(partial, { force: true });
  rmSync(etagPath(partial), { force: true });
}

/** Bytes that lie ready in a partial file. */
export async function partialBytes(partial: string): Promise<number> {
  try {
    return (await stat(partial)).size;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** Makes the partial file as long as the listing says, over as many requests as that takes. */
async function transfer(wanted: Download): Promise<void> {
  const { file, partial, connection, asked, signal, onRetry } = wanted;
  let arrived = 0;
  let most = 0;
  const broughtMuch = (): boolean => {
    // Against the most there ever was: a host that starts over at each try does not get on.
    const much = arrived >= most + muchBytes;
    most = Math.max(most, arrived);
    return much;
  };
  const tell = (bytes: number): void => {
    arrived = bytes;
    wanted.onBytes(bytes);
  };
  most = await partialBytes(partial);
  await withHubRetries(
    { asked, environment: connection.environment, signal, onRetry, broughtMuch },
    async () => {
      const before = await partialBytes(partial);
      if (before === file.bytes && before > 0) tell(before);
      else await append(wanted, before < file.bytes ? before : 0, tell);
    },
  );
}

/**
 * Asks for the bytes from `from` on and writes them as they come.
 *
 * @param tell Told how many bytes the partial file holds.
 */
async function append(wanted: Download, from: number, tell: (bytes: number) => void): Promise<void> {
  const { file, partial, connection, asked, address, signal } = wanted;
  const headers = from > 0 ? rangeHeaders(partial, from) : {};
  const handle = await open(partial, constants.O_RDWR | constants.O_CREAT);
  let host = '';
  let end = 0;
  try {
    await connection.get(address, asked, headers, (answer) => {
      host = answer.host;
      end = answer.status === 206 ? from : 0;
      checkPart(wanted, answer, from);
      checkAnnounced(wanted, answer, end);
      if (end === 0) startOver(handle.fd, partial, answer);
      tell(end);
      return (piece) => {
        signal.throwIfAborted();
        if (end + piece.length > file.bytes) throw tooLarge(wanted, host);
        writePiece(handle.fd, piece, end);
        end += piece.length;
        tell(end);
      };
    });
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (end < file.bytes) {
    throw new TransferFault(`${host} ended ${file.path} after ${end} of ${file.bytes} bytes`);
  }
}

/** Asks for the rest, on condition that the file is still the one that the first part came from. */
function rangeHeaders(partial: string, from: number): Record<string, string> {
  const etag = existsSync(etagPath(partial)) ? readFileSync(etagPath(partial), 'utf8') : '';
  // A weak tag may not stand in this condition. Without one, the sum over the whole tells.
  return { range: `bytes=${from}-`, ...(isStrongEtag(etag) ? { 'if-range': etag } : {}) };
}

/** An answer to a request for a part must go on where the partial file ends. */
function checkPart(wanted: Download, answer: Answer, from: number): void {
  if (answer.status === 200) return;
  const first = /^bytes (\d{1,15})-/.exec(headerText(answer.headers, 'content-range') ?? '')?.[1];
  if (answer.status === 206 && first !== undefined && Number(first) === from) return;
  discardPartial(wanted.partial);
  throw new TransferFault(
    `${answer.host} does not go on at byte ${from}, so ${wanted.file.path} starts over`,
  );
}

/** Compares the length that the host announces, where it does, with the listing's before anything is written. */
function checkAnnounced(wanted: Download, answer: Answer, from: number): void {
  const text = headerText(answer.headers, 'content-length');
  if (text === null || !/^\d{1,15}$/.test(text)) return;
  const bytes = from + Number(text);
  if (bytes > wanted.file.bytes) throw tooLarge(wanted, answer.host);
  if (bytes < wanted.file.bytes) {
    throw new TransferFault(
      `${answer.host} offers ${bytes} bytes for ${wanted.file.path}, of which the hub lists ${wanted.file.bytes}`,
    );
  }
}

function startOver(descriptor: number, partial: string, answer: Answer): void {
  ftruncateSync(descriptor, 0);
  rmSync(etagPath(partial), { force: true });
  const etag = headerText(answer.headers, 'etag') ?? '';
  if (isStrongEtag(etag)) writeFileSync(etagPath(partial), etag);
}

function tooLarge(wanted: Download, host: string): UserError {
  discardPartial(wanted.partial);
  return new UserError(
    `${reference(wanted.asked)}: ${host} sends more for ${wanted.file.path} than the ${wanted.file.bytes} bytes that the hub lists, so the transfer was stopped. ` +
      'Something on the way changes it: try again without a proxy, or check HF_ENDPOINT.',
  );
}

/** A single write may take only part of the piece, as when the disk is nearly full. */
function writePiece(descriptor: number, piece: Buffer, position: number): void {
  for (let done = 0; done < piece.length; ) {
    done += writeSync(descriptor, piece, done, piece.length - done, position + done);
  }
}

function etagPath(partial: string): string {
  return `${partial}.etag`;
}

function isStrongEtag(etag: string): boolean {
  return etag.length <= 256 && /^"[\x21\x23-\x7e]*"$/.test(etag);
}
