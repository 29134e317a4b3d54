/** Finds a repository's files in the cache, without network: fetched by this program or by another library. */

import { stat } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import { errorCode, quoted } from '../http/transfer-fault.ts';
import { RepositoryCache } from './cache.ts';
import { checksum, difference } from './checksum.ts';
import type { HubEnvironment } from './environment.ts';
import { isReadOnly, reference } from './faults.ts';
import type { HubFile } from './listing.ts';
import { type Manifest, readManifest, type SnapshotFile, writeManifest } from './manifest.ts';
import { checkRepository, checkRevision, isSafePath } from './names.ts';

export interface SnapshotRequest {
  /** `owner/name`. */
  repository: string;
  /** Branch, tag or commit; null for `main`. */
  revision: string | null;
  environment: HubEnvironment;
  /**
   * Picks from a repository's files those that are needed, by path.
   *
   * @throws UserError when they do not make what is wanted, as the end of a sentence that names the repository.
   */
  choose: (files: readonly HubFile[]) => string[];
  signal: AbortSignal;
}

export interface Snapshot {
  /** Holds the files under the repository's own paths, absolute. */
  folder: string;
  /** Hex. */
  commit: string;
  /** The chosen ones. */
  files: SnapshotFile[];
  /**
   * True when the hub's own listing was seen, so that nothing that could have been chosen is missing. False for
   * what another library fetched, which may have left out what it had no use for.
   */
  listed: boolean;
}

export interface Missing {
  /** What the cache lacks, in words. */
  missing: string;
  /** True when the hub's listing was seen once: what lies there without the missing file is then known not to do. */
  recorded: boolean;
}

const nothing: Missing = { missing: 'all of it', recorded: false };

/**
 * The snapshot that `fetchRepository` would give, from the cache alone.
 *
 * @returns Null when something is missing.
 * @throws UserError for names that cannot be; the signal's reason when it is raised.
 */
export async function findSnapshot(request: SnapshotRequest): Promise<Snapshot | null> {
  const found = await cachedSnapshot(request);
  return 'missing' in found ? null : found;
}

/** The same, saying what is missing. */
export async function cachedSnapshot(request: SnapshotRequest): Promise<Snapshot | Missing> {
  const found = await ownSnapshot(request);
  return 'missing' in found && !found.recorded ? adoptedSnapshot(request) : found;
}

/** A snapshot that has its manifest; its files are looked for and measured, not summed again. */
export async function ownSnapshot(request: SnapshotRequest): Promise<Snapshot | Missing> {
  const { cache, commit } = await place(request);
  if (commit === null) return nothing;
  const manifest = await readManifest(cache.manifestPath(commit), request.repository, commit);
  if (manifest === null) return nothing;
  const fetched = new Map(manifest.files.map((file) => [file.path, file]));
  const files: SnapshotFile[] = [];
  for (const wanted of chosenFiles(request, manifest.listing ?? asListed(manifest))) {
    const file = fetched.get(wanted.path);
    const there = file === undefined ? null : await fileBytes(cache.snapshotPath(commit, file.path));
    if (file === undefined || there !== file.bytes) {
      return { missing: `its file ${wanted.path}`, recorded: manifest.listing !== null };
    }
    files.push(file);
  }
  return { folder: cache.snapshotFolder(commit), commit, files, listed: manifest.listing !== null };
}

/**
 * A snapshot that another library fetched, taken as it lies there. Each file is summed, compared with the name
 * of its content, and put into a manifest.
 */
async function adoptedSnapshot(request: SnapshotRequest): Promise<Snapshot | Missing> {
  const { repository, signal } = request;
  const { cache, commit } = await place(request);
  if (commit === null) return nothing;
  const there = await cache.snapshotFiles(commit);
  if (there.length === 0) return nothing;
  let chosen: HubFile[];
  try {
    chosen = chosenFiles(request, there);
  } catch (error) {
    if (error instanceof UserError) return { missing: `files of it (${error.message})`, recorded: false };
    throw error;
  }
  const files: SnapshotFile[] = [];
  for (const file of chosen) {
    const sums = await checksum(cache.snapshotPath(commit, file.path), signal);
    const fault = difference(sums, file);
    if (fault !== null) return { missing: `an undamaged ${file.path} (${fault})`, recorded: false };
    files.push({ path: file.path, bytes: sums.bytes, sha256: sums.sha256 });
  }
  const manifest: Manifest = { repository, commit, listing: null, files };
  await writeManifest(cache.manifestPath(commit), manifest).catch(ignoreReadOnly);
  return { folder: cache.snapshotFolder(commit), commit, files, listed: false };
}

/**
 * The chosen files of a listing, in the order of the choice.
 *
 * @throws UserError when the choice fails, or when a chosen path would leave the snapshot's folder.
 */
export function chosenFiles(request: SnapshotRequest, listing: readonly HubFile[]): HubFile[] {
  const name = reference({ repository: request.repository, revision: revisionOf(request), path: null });
  let paths: string[];
  try {
    paths = request.choose(listing);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${name}: ${error.message}`, { cause: error }) : error;
  }
  const byPath = new Map(listing.map((file) => [file.path, file]));
  const taken = new Set<string>();
  return paths.map((path) => {
    const file = byPath.get(path);
    if (file === undefined) throw new Error(`${path} was chosen, but is not listed.`);
    if (!isSafePath(path)) {
      throw new UserError(
        `${name}: expected paths within the repository, the hub lists ${quoted(path)}. Nothing was fetched; choose another model.`,
      );
    }
    // Two names that differ in case alone are one file on some systems.
    const folded = path.toLowerCase();
    if (taken.has(folded)) {
      throw new UserError(`${name}: the hub lists two files named ${quoted(path)}. Nothing was fetched.`);
    }
    taken.add(folded);
    return file;
  });
}

/** Checks the request's names, and tells where its files would be. */
export async function place(
  request: SnapshotRequest,
): Promise<{ cache: RepositoryCache; commit: string | null }> {
  const revision = revisionOf(request);
  checkRepository(request.repository);
  checkRevision(revision);
  const cache = new RepositoryCache(request.environment.cacheFolder, request.repository);
  return { cache, commit: await cache.commitOf(revision) };
}

export function revisionOf(request: SnapshotRequest): string {
  return request.revision ?? 'main';
}

/** A cache that is shared and may not be written to still serves, if a little slower. */
export function ignoreReadOnly(error: unknown): void {
  if (!isReadOnly(error)) throw error;
}

function asListed(manifest: Manifest): HubFile[] {
  return manifest.files.map((file) => ({ ...file, gitSha1: null }));
}

async function fileBytes(path: string): Promise<number | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
    throw error;
  }
}
