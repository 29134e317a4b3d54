/**
 * Puts a run's files where people read them: written aside, forced to disk, renamed to runs/<run id>, and
 * `latest` turned over to them at once. Whoever opens `latest` finds one whole run at every moment.
 *
 * manifest.json is written last, so that its existence means completion. It holds no clock times and no
 * machine's name or path of its own: equal runs give equal bytes.
 */

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import {
  copyFile,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { ExportFile, ExportInput, RunFacts } from './contract.ts';
import { Interrupted, UserError } from './errors.ts';

export interface Publication {
  /** Export folder, absolute; made when it is missing. */
  directory: string;
  /** Names the run's folder: letters, digits, points, hyphens and underscores. */
  runId: string;
  files: Iterable<ExportFile>;
  facts: Omit<RunFacts, 'runId'>;
  counts: ManifestCounts;
  signal: AbortSignal;
}

/** How much there is of everything that the files tell of. */
export interface ManifestCounts {
  documents: number;
  /** Documents in no topic. */
  outliers: number;
  topics: number;
  /** Distinct entities, generic ones included, and their mentions. */
  entities: number;
  mentions: number;
}

export interface PublishedFile {
  bytes: number;
  /** Hex. */
  sha256: string;
}

export interface Published {
  /** Folder of the run, absolute. */
  folder: string;
  /** Every file but the manifest, by name. */
  files: Record<string, PublishedFile>;
  /** Where another run's files that had the same id were moved; null where there were none. */
  movedAside: string | null;
}

const MANIFEST = 'manifest.json';
const LATEST = 'latest';
/** A link or folder on its way to become `latest`. */
const NEXT_LATEST = 'latest.next';
/** A `latest` that is a folder, for the moment between two renames. */
const FORMER_LATEST = 'latest.former';

/** What the manifest counts, from what the export stage is handed. */
export function manifestCounts(input: ExportInput): ManifestCounts {
  return {
    documents: input.documents.id.length,
    outliers: input.assignments.topic.reduce((sum, topic) => sum + (topic < 0 ? 1 : 0), 0),
    topics: input.topics.topicId.length,
    entities: input.entities.list.canonical.length,
    mentions: input.entities.entity.length,
  };
}

/**
 * A run that was published before under the same id and with the same bytes is left as it is; one with other
 * bytes (an earlier database's, or a night that began anew) is moved aside, never lost.
 *
 * @throws UserError when the folder cannot be written; `latest` then still holds the run before.
 * @throws Interrupted when the signal is raised before the files are whole.
 */
export async function publish(publication: Publication): Promise<Published> {
  const { directory, runId } = publication;
  checkName(runId);
  const runs = join(directory, 'runs');
  const partial = join(runs, `${runId}.partial`);
  let files: Record<string, PublishedFile>;
  let manifest: string;
  try {
    await mkdir(runs, { recursive: true });
    await recover(directory);
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial);
    files = await writeFiles(partial, publication);
    manifest = manifestText(publication, files);
    await writeFile(join(partial, MANIFEST), [manifest], publication.signal);
    await syncFolder(partial);
  } catch (error) {
    // What stays behind when even this fails is removed by the next run.
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    throw forUser(error, directory);
  }
  try {
    const movedAside = await settle(directory, runId, manifest, files);
    return { folder: join(runs, runId), files, movedAside };
  } catch (error) {
    throw forUser(error, directory);
  }
}

// ---------------------------------------------------------------------------------------------
// Writing

async function writeFiles(folder: string, publication: Publication): Promise<Record<string, PublishedFile>> {
  const written: Record<string, PublishedFile> = {};
  const taken = new Set([MANIFEST]);
  for (const file of publication.files) {
    checkName(file.name);
    // Two names that differ in case alone are one file on some systems.
    if (taken.has(file.name.toLowerCase())) throw new Error(`Two exported files are named ${file.name}.`);
    taken.add(file.name.toLowerCase());
    written[file.name] = await writeFile(join(folder, file.name), file.content, publication.signal);
  }
  return written;
}

async function writeFile(
  path: string,
  content: Iterable<string | Uint8Array>,
  signal: AbortSignal,
): Promise<PublishedFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  const handle = await open(path, 'wx');
  try {
    for (const piece of content) {
      if (signal.aborted) throw new Interrupted('export: asked to stop; the same command resumes it.');
      const buffer = typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece;
      hash.update(buffer);
      bytes += buffer.length;
      await writeWhole(handle, buffer);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** A single write may take only part of the buffer, as when the disk is nearly full. */
async function writeWhole(handle: FileHandle, buffer: Uint8Array): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    const { bytesWritten } = await handle.write(buffer, done, buffer.length - done);
    done += bytesWritten;
  }
}

function manifestText(publication: Publication, files: Record<string, PublishedFile>): string {
  const { runId, facts, counts } = publication;
  const { config, models, skipped, notices } = facts;
  return `${JSON.stringify({ run_id: runId, config, models, counts, skipped, notices, files }, null, 2)}\n`;
}

/** A name must be a plain one, so that nothing is written outside the run's folder. */
function checkName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) || name.endsWith('.partial') || name.endsWith('.whole')) {
    throw new Error(`"${name}" cannot name an exported file or run.`);
  }
}

// ---------------------------------------------------------------------------------------------
// Turning over

/** Makes the written folder the run's, and `latest` the run. Each step leaves a whole `latest`. */
async function settle(
  directory: string,
  runId: string,
  manifest: string,
  files: Record<string, PublishedFile>,
): Promise<string | null> {
  const runs = join(directory, 'runs');
  const partial = join(runs, `${runId}.partial`);
  const folder = join(runs, runId);
  const whole = join(runs, `${runId}.whole`);
  let movedAside: string | null = null;

  if ((await kindOf(folder)) === 'none') await rename(partial, folder);
  else if (await isSame(folder, manifest, files)) await rm(partial, { recursive: true });
  else {
    // `latest` may be a link to the folder that has to make way: it looks at a copy meanwhile.
    if ((await linkTarget(directory)) === join('runs', runId)) {
      await rm(whole, { recursive: true, force: true });
      await copyFolder(partial, whole);
      await turnOver(directory, `${runId}.whole`);
    }
    movedAside = await moveAside(folder);
    await rename(partial, folder);
  }
  await syncFolder(runs);
  await turnOver(directory, runId);
  await rm(whole, { recursive: true, force: true });
  return movedAside;
}

/** Makes `latest` show runs/<name>. */
async function turnOver(directory: string, name: string): Promise<void> {
  const latest = join(directory, LATEST);
  const next = join(directory, NEXT_LATEST);
  await rm(next, { recursive: true, force: true });
  try {
    // Relative, so that the export folder can be moved.
    await symlink(join('runs', name), next, 'dir');
  } catch (error) {
    if (!isCode(error, ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'UNKNOWN'])) throw error;
    // No links here (Windows without the privilege, FAT): `latest` becomes a copy.
    await copyFolder(join(directory, 'runs', name), next);
  }
  if ((await kindOf(latest)) === 'folder' || (await kindOf(next)) === 'folder') {
    // A rename cannot replace a folder: for the moment between these two, the former run stands beside its
    // place. recover() puts it back after a crash in that moment.
    const former = join(directory, FORMER_LATEST);
    await rm(former, { recursive: true, force: true });
    if ((await kindOf(latest)) !== 'none') await rename(latest, former);
    await rename(next, latest);
    await rm(former, { recursive: true, force: true });
  } else {
    await rename(next, latest);
  }
  await syncFolder(directory);
}

/** Undoes what a crash in the middle of turnOver left, and refuses to replace what no run has made. */
async function recover(directory: string): Promise<void> {
  const latest = join(directory, LATEST);
  const former = join(directory, FORMER_LATEST);
  if ((await kindOf(latest)) === 'none' && (await kindOf(former)) !== 'none') await rename(former, latest);
  const kind = await kindOf(latest);
  const foreign = kind === 'file' || (kind === 'folder' && (await kindOf(join(latest, MANIFEST))) === 'none');
  if (foreign) {
    throw new UserError(
      `export: expected ${latest} to be an earlier run, but it is a ${kind} without ${MANIFEST}. Move it away or change export.directory, then run again.`,
    );
  }
}

/** Whether a published run has exactly these files with exactly these bytes. */
async function isSame(
  folder: string,
  manifest: string,
  files: Record<string, PublishedFile>,
): Promise<boolean> {
  const names = [...Object.keys(files), MANIFEST].sort();
  const found = (await readdir(folder)).sort();
  if (found.join('/') !== names.join('/')) return false;
  if ((await readFile(join(folder, MANIFEST), 'utf8')) !== manifest) return false;
  for (const [name, { sha256 }] of Object.entries(files)) {
    const bytes = await readFile(join(folder, name));
    if (createHash('sha256').update(bytes).digest('hex') !== sha256) return false;
  }
  return true;
}

/** Renames a run's folder to the first free <folder>.replaced-<number>. */
async function moveAside(folder: string): Promise<string> {
  let number = 1;
  while ((await kindOf(`${folder}.replaced-${number}`)) !== 'none') number++;
  await rename(folder, `${folder}.replaced-${number}`);
  return `${folder}.replaced-${number}`;
}

async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to);
  // The manifest last, as in every run.
  const names = (await readdir(from)).filter((name) => name !== MANIFEST);
  for (const name of [...names, MANIFEST]) {
    await copyFile(join(from, name), join(to, name), constants.COPYFILE_EXCL);
    const handle = await open(join(to, name), 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
  await syncFolder(to);
}

async function kindOf(path: string): Promise<'none' | 'link' | 'folder' | 'file'> {
  try {
    const found = await lstat(path);
    if (found.isSymbolicLink()) return 'link';
    return found.isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (isCode(error, ['ENOENT'])) return 'none';
    throw error;
  }
}

/** What `latest` points at, or null where it is no link. */
async function linkTarget(directory: string): Promise<string | null> {
  const latest = join(directory, LATEST);
  return (await kindOf(latest)) === 'link' ? await readlink(latest) : null;
}

/** Makes renames within the folder last through a power cut; Windows opens no folders and needs no such help. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems cannot; the files themselves are on disk.
    if (!isCode(error, ['EINVAL', 'ENOTSUP', 'EBADF'])) throw error;
  } finally {
    await handle.close();
  }
}

// ---------------------------------------------------------------------------------------------
// Errors

const causes: Record<string, string> = {
  EACCES: 'it may not be written to; change its permissions or export.directory',
  EPERM: 'it may not be written to; change its permissions or export.directory',
  EROFS: 'the file system is read-only; change export.directory',
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the disk quota is used up; free some space',
  ENOTDIR: 'a file stands where a folder is needed; move it or change export.directory',
  EEXIST: 'a file stands where a folder is needed; move it or change export.directory',
  EISDIR: 'a folder stands where a file is needed; move it or change export.directory',
  ENAMETOOLONG: 'its path is too long; change export.directory',
  EBUSY: 'another program has one of its files open; close that',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  EIO: 'the disk reports an error',
};

function forUser(error: unknown, directory: string): unknown {
  const code = codeOf(error);
  if (code === null || !(code in causes)) return error;
  return new UserError(
    `export: expected to write to ${directory}, but ${causes[code]} (${code}). latest/ still holds the run before; then run again.`,
    { cause: error },
  );
}

function isCode(error: unknown, codes: readonly string[]): boolean {
  const code = codeOf(error);
  return code !== null && codes.includes(code);
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
