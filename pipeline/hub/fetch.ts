/**
 * Fetches what is needed of a hub repository at one commit, once: from the cache where it is whole, else from
 * the hub into the cache. A branch is resolved when it is first fetched and then stands for that commit.
 */

import { rm, statfs } from 'node:fs/promises';
import { Interrupted, UserError } from '../errors.ts';
import { errorCode, TransferFault } from '../http/transfer-fault.ts';
import type { RepositoryCache } from './cache.ts';
import { type Checksum, checksum, difference } from './checksum.ts';
import { HubConnection } from './connection.ts';
import { download, partialBytes } from './download.ts';
import { diskFault, reference } from './faults.ts';
import { type HubFile, type Listing, listFiles } from './listing.ts';
import { withLock } from './lock.ts';
import { type Manifest, type SnapshotFile, writeManifest } from './manifest.ts';
import { measureFile } from './measure.ts';
import {
  cachedSnapshot,
  chosenFiles,
  ignoreReadOnly,
  ownSnapshot,
  place,
  revisionOf,
  type Snapshot,
  type SnapshotRequest,
} from './snapshot.ts';

export interface FetchRequest extends SnapshotRequest {
  /** The chosen files together may be this large. */
  maxBytes: number;
  /** Asks the hub which commit a branch stands for now, also where it was fetched before. */
  renew?: boolean;
  onProgress: (progress: FetchProgress) => void;
}

export type FetchProgress =
  /** Over the whole download; a file that starts over takes bytes back. */
  | { kind: 'bytes'; file: string; bytes: number; totalBytes: number }
  /** Something that takes time and passes: a fault that is tried over, another process that is waited for. */
  | { kind: 'notice'; message: string };

/** Left free on the disk. */
const spareBytes = 64 << 20;

/**
 * @returns A snapshot whose files are all there, each compared with the hub's checksum when it was fetched.
 * @throws UserError saying what failed and what to do; Interrupted when the signal is raised, after which the
 *   same request goes on where this one ended.
 */
export async function fetchRepository(request: FetchRequest): Promise<Snapshot> {
  const { repository, environment, signal } = request;
  try {
    const own = await ownSnapshot(request);
    const isRenewed = request.renew === true && environment.offline === null;
    if (!isRenewed && !('missing' in own) && own.listed) return own;
    return await (environment.offline === null
      ? fromHub(request)
      : offlineSnapshot(request, environment.offline));
  } catch (error) {
    if (signal.aborted) {
      throw new Interrupted(
        `hf:${repository}: asked to stop; the same command goes on where this one ended.`,
        { cause: error },
      );
    }
    throw diskFault(error, repository, environment.cacheFolder);
  }
}

async function offlineSnapshot(request: FetchRequest, variable: string): Promise<Snapshot> {
  const found = await cachedSnapshot(request);
  if (!('missing' in found)) return found;
  const name = fullName(request);
  throw new UserError(
    `${name}: ${variable} forbids the network, and ${request.environment.cacheFolder} lacks ${found.missing}. ` +
      `Fetch it once without ${variable}: npm run models -- pull ${name}`,
  );
}

async function fromHub(request: FetchRequest): Promise<Snapshot> {
  const { repository, environment, signal } = request;
  const connection = new HubConnection(environment, signal);
  try {
    // A branch that was fetched before is listed at its commit, so that it still means the same files.
    const { cache, commit } = await place(request);
    const asked = (request.renew === true ? null : commit) ?? revisionOf(request);
    const listing = await listFiles(
      connection,
      { signal, onRetry: noticed(request) },
      repository,
      asked,
    ).catch(async (error: unknown) => {
      if (!isUnreachable(error)) throw error;
      // Nobody there to ask: what another library has fetched is better than nothing.
      const found = await cachedSnapshot(request);
      if ('missing' in found) throw error;
      return found;
    });
    return 'folder' in listing ? listing : await fetchListed(request, connection, cache, listing);
  } finally {
    await connection.close();
  }
}

/** Brings what is missing of a listing's chosen files, and writes the manifest when all are there. */
async function fetchListed(
  request: FetchRequest,
  connection: HubConnection,
  cache: RepositoryCache,
  { commit, files: listed, unmeasured }: Listing,
): Promise<Snapshot> {
  const { repository, environment, signal } = request;
  const wanted: HubFile[] = [];
  for (const file of chosenFiles(request, listed)) {
    const isTold = !unmeasured.has(file.path) && (file.sha256 !== null || file.gitSha1 !== null);
    wanted.push(isTold ? file : await measured(request, connection, commit, file));
  }
  const listing = listed.map((file) => wanted.find(({ path }) => path === file.path) ?? file);
  checkSizes(request, wanted);
  const done = new Map<string, SnapshotFile>();
  for (const file of wanted) {
    const sums = await sumsIfWhole(cache.snapshotPath(commit, file.path), file, signal);
    if (sums !== null) done.set(file.path, asFetched(file, sums));
  }
  const snapshot = (): Snapshot => {
    const files = wanted.flatMap((file) => done.get(file.path) ?? []);
    return { folder: cache.snapshotFolder(commit), commit, files, listed: true };
  };
  const record = async (): Promise<void> => {
    const manifest: Manifest = { repository, commit, listing, files: snapshot().files };
    await writeManifest(cache.manifestPath(commit), manifest);
    await cache.pin(revisionOf(request), commit);
  };

  const missing = wanted.filter((file) => !done.has(file.path));
  if (missing.length === 0) {
    await record().catch(ignoreReadOnly);
    return snapshot();
  }
  await withLock(cache.lockPath, environment.timing, signal, noticed(request), async (signal) => {
    await checkRoom(request, cache, missing);
    const totalBytes = sumOfBytes(wanted);
    // All of them, but for a second beginning after the lock was lost.
    for (const file of missing.filter((file) => !done.has(file.path))) {
      const before = sumOfBytes([...done.values()]);
      const sums = await bring(request, connection, cache, commit, file, signal, (bytes) =>
        request.onProgress({ kind: 'bytes', file: file.path, bytes: before + bytes, totalBytes }),
      );
      done.set(file.path, asFetched(file, sums));
    }
    await record();
    // What others left half done here has been waiting for nobody.
    await rm(cache.partialFolder, { recursive: true, force: true });
  });
  return snapshot();
}

/** Puts one file into the snapshot: from the cache when another process or commit has brought it, else from the hub. */
async function bring(
  request: FetchRequest,
  connection: HubConnection,
  cache: RepositoryCache,
  commit: string,
  file: HubFile,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<Checksum> {
  const inPlace = await sumsIfWhole(cache.snapshotPath(commit, file.path), file, signal);
  if (inPlace !== null) return inPlace;
  let sums = await sumsIfWhole(cache.blobPath(file), file, signal);
  if (sums === null) {
    const partial = cache.partialPath(file);
    sums = await download({
      connection,
      asked: { repository: request.repository, revision: revisionOf(request), path: file.path },
      address: contentAddress(request, commit, file.path),
      file,
      partial,
      signal,
      onRetry: noticed(request),
      onBytes,
    });
    signal.throwIfAborted();
    await cache.keep(partial, file);
  }
  await cache.show(commit, file);
  return sums;
}

function contentAddress({ environment, repository }: FetchRequest, commit: string, path: string): string {
  const escaped = path.split('/').map(encodeURIComponent).join('/');
  return `${environment.endpoint}/${repository}/resolve/${commit}/${escaped}`;
}

function measured(
  request: FetchRequest,
  connection: HubConnection,
  commit: string,
  file: HubFile,
): Promise<HubFile> {
  const asked = { repository: request.repository, revision: revisionOf(request), path: file.path };
  const retry = { asked, signal: request.signal, onRetry: noticed(request) };
  return measureFile(connection, retry, contentAddress(request, commit, file.path), file);
}

/** Sums of a file that holds what the hub lists; null when it does not, or is not there. */
async function sumsIfWhole(path: string, file: HubFile, signal: AbortSignal): Promise<Checksum | null> {
  if ((await partialBytes(path)) !== file.bytes) return null;
  try {
    const sums = await checksum(path, signal);
    return difference(sums, file) === null ? sums : null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'EISDIR') return null;
    throw error;
  }
}

function checkSizes(request: FetchRequest, wanted: readonly HubFile[]): void {
  const name = fullName(request);
  const unsummed = wanted.find((file) => file.sha256 === null && file.gitSha1 === null);
  if (unsummed !== undefined) {
    throw new UserError(
      `${name}: ${request.environment.endpoint} lists no checksum for ${unsummed.path}, so it could not be told from a broken file. Set HF_ENDPOINT to a hub that lists them.`,
    );
  }
  const bytes = sumOfBytes(wanted);
  if (bytes > request.maxBytes) {
    const largest = wanted.reduce((a, b) => (b.bytes > a.bytes ? b : a));
    throw new UserError(
      `${name}: its files take ${megabytes(bytes)}, most of it ${largest.path} (${megabytes(largest.bytes)}); at most ${megabytes(request.maxBytes)} are fetched. Choose a smaller model.`,
    );
  }
}

/** @throws UserError when the disk has too little room for what is still to come. */
async function checkRoom(
  request: FetchRequest,
  cache: RepositoryCache,
  missing: readonly HubFile[],
): Promise<void> {
  let needed = spareBytes;
  for (const file of missing) {
    const there = Math.max(
      await partialBytes(cache.partialPath(file)),
      await partialBytes(cache.blobPath(file)),
    );
    needed += Math.max(0, file.bytes - there);
  }
  const disk = await statfs(cache.folder).catch(() => null);
  // Some file systems over the network do not tell.
  if (disk === null || disk.blocks === 0) return;
  const free = disk.bavail * disk.bsize;
  if (free >= needed) return;
  throw new UserError(
    `${fullName(request)}: expected ${megabytes(needed)} of free disk at ${request.environment.cacheFolder}, found ${megabytes(free)}. ` +
      'Free some space, or name another folder in HF_HOME.',
  );
}

function isUnreachable(error: unknown): boolean {
  return error instanceof UserError && error.cause instanceof TransferFault && error.cause.unreachable;
}

function noticed(request: FetchRequest): (message: string) => void {
  return (message) => request.onProgress({ kind: 'notice', message });
}

function asFetched(file: HubFile, sums: Checksum): SnapshotFile {
  return { path: file.path, bytes: sums.bytes, sha256: sums.sha256 };
}

function sumOfBytes(files: readonly { bytes: number }[]): number {
  return files.reduce((sum, file) => sum + file.bytes, 0);
}

function fullName(request: SnapshotRequest): string {
  return reference({ repository: request.repository, revision: revisionOf(request), path: null });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
