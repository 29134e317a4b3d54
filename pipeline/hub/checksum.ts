/** Sums over a file's bytes: sha256, the SHA-1 by which git names its content, and the plain one. */

import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { HubFile } from './listing.ts';

export interface Checksum {
  bytes: number;
  /** Hex. */
  sha256: string;
  /** Hex, over "blob", the size, a zero byte and the content. */
  gitSha1: string;
  /** Hex. */
  sha1: string;
}

const readBytes = 1 << 20;

/** @throws The signal's reason when it is raised; the disk's own errors. */
export async function checksum(path: string, signal: AbortSignal): Promise<Checksum> {
  const handle = await open(path, 'r');
  try {
    return await sumsOf(handle, signal);
  } finally {
    await handle.close();
  }
}

async function sumsOf(handle: FileHandle, signal: AbortSignal): Promise<Checksum> {
  const { size } = await handle.stat();
  const sha256 = createHash('sha256');
  const sha1 = createHash('sha1');
  const git = createHash('sha1').update(`blob ${size}\0`);
  const buffer = Buffer.allocUnsafe(readBytes);
  let bytes = 0;
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, readBytes, bytes);
    if (bytesRead === 0) break;
    const piece = buffer.subarray(0, bytesRead);
    sha256.update(piece);
    sha1.update(piece);
    git.update(piece);
    bytes += bytesRead;
  }
  return { bytes, sha256: sha256.digest('hex'), gitSha1: git.digest('hex'), sha1: sha1.digest('hex') };
}

/** What differs from what the hub lists, in words; null when all agrees. */
export function difference(found: Checksum, listed: HubFile): string | null {
  if (found.bytes !== listed.bytes) return `expected ${listed.bytes} bytes, found ${found.bytes}`;
  if (listed.sha256 !== null && found.sha256 !== listed.sha256) {
    return `expected sha256 ${listed.sha256}, found ${found.sha256}`;
  }
  // Servers that keep no git repository give the plain SHA-1, which proves the content as well.
  if (listed.gitSha1 !== null && listed.gitSha1 !== found.gitSha1 && listed.gitSha1 !== found.sha1) {
    return `expected git's SHA-1 ${listed.gitSha1}, found ${found.gitSha1}`;
  }
  return null;
}
