/**
 * The folder of one repository in the cache, laid out as Hugging Face's own libraries lay it out, so that what
 * either fetches serves both: `blobs` by content, `snapshots/<commit>` with links to them, `refs` from branches
 * to commits. What only this program needs stands beside them in a folder of its own.
 */

import { randomUUID } from 'node:crypto';
import {
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { errorCode } from '../http/transfer-fault.ts';
import type { HubFile } from './listing.ts';
import { isCommit } from './names.ts';

export class RepositoryCache {
  /** Holds everything below, absolute. */
  readonly folder: string;
  private readonly ownFolder: string;

  constructor(cacheFolder: string, repository: string) {
    this.folder = join(cacheFolder, `models--${repository.replace('/', '--')}`);
    this.ownFolder = join(this.folder, '.scinertopic');
  }

  get lockPath(): string {
    return join(this.ownFolder, 'lock');
  }

  /** Holds what is on its way; the owner of the lock may empty it. */
  get partialFolder(): string {
    return join(this.ownFolder, 'partial');
  }

  manifestPath(commit: string): string {
    return join(this.ownFolder, `${commit}.json`);
  }

  snapshotFolder(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  /** @param path Checked: `isSafePath`. */
  snapshotPath(commit: string, path: string): string {
    return join(this.snapshotFolder(commit), ...path.split('/'));
  }

  blobPath(file: HubFile): string {
    return join(this.folder, 'blobs', contentName(file));
  }

  partialPath(file: HubFile): string {
    return join(this.partialFolder, contentName(file));
  }

  /**
   * The commit that a revision stands for here: what this program took it for when it first fetched it, or else
   * what another library noted. The former holds still when the latter follows the branch.
   *
   * @param revision Checked: `checkRevision`.
   */
  async commitOf(revision: string): Promise<string | null> {
    if (isCommit(revision)) return revision;
    return (await readCommit(this.pinPath(revision))) ?? (await readCommit(this.refPath(revision)));
  }

  /** Notes for this program and for others which commit a revision stands for. */
  async pin(revision: string, commit: string): Promise<void> {
    if (isCommit(revision)) return;
    await writeWhole(this.refPath(revision), commit);
    await writeWhole(this.pinPath(revision), commit);
  }

  /** Files of a snapshot as they lie there, whoever fetched them; empty when there is none. */
  async snapshotFiles(commit: string): Promise<HubFile[]> {
    const folder = this.snapshotFolder(commit);
    let entries: Awaited<ReturnType<typeof readEntries>>;
    try {
      entries = await readEntries(folder);
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
      throw error;
    }
    const files: HubFile[] = [];
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      const found = await stat(path).catch(() => null);
      if (!found?.isFile()) continue;
      // A link's target is named for its content; where links are impossible, nothing tells.
      const name = entry.isSymbolicLink() ? ((await readlink(path)).split(/[/\\]/).at(-1) ?? '') : '';
      files.push({
        path: relative(folder, path).replaceAll('\\', '/'),
        bytes: found.size,
        sha256: /^[0-9a-f]{64}$/.test(name) ? name : null,
        gitSha1: /^[0-9a-f]{40}$/.test(name) ? name : null,
      });
    }
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Puts a whole file into its place among the contents. */
  async keep(partial: string, file: HubFile): Promise<void> {
    const blob = this.blobPath(file);
    await mkdir(dirname(blob), { recursive: true });
    await rename(partial, blob);
  }

  /** Makes a snapshot show a content: by a link as other libraries do, or as far as the file system allows. */
  async show(commit: string, file: HubFile): Promise<void> {
    const place = this.snapshotPath(commit, file.path);
    const blob = this.blobPath(file);
    await mkdir(dirname(place), { recursive: true });
    // Not beside its place: what a crash leaves must not look like a file of the repository.
    const aside = join(this.partialFolder, randomUUID());
    await mkdir(this.partialFolder, { recursive: true });
    try {
      await symlink(relative(dirname(place), blob), aside);
    } catch (error) {
      if (errorCode(error) === 'ENOSPC') throw error;
      // No links here (Windows without the privilege, FAT): a second name for the same file, or a copy.
      await link(blob, aside).catch(() => copyFile(blob, aside));
    }
    await rename(aside, place).catch(async (error: unknown) => {
      await rm(aside, { force: true });
      throw error;
    });
  }

  private refPath(revision: string): string {
    return join(this.folder, 'refs', ...revision.split('/'));
  }

  private pinPath(revision: string): string {
    return join(this.ownFolder, 'refs', ...revision.split('/'));
  }
}

/** Writes aside, forces to disk, renames. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const aside = `${path}.${randomUUID()}`;
  try {
    const handle = await open(aside, 'wx');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

/** What a content is called: by its sha256, or as git calls it, as the hub's entity tags do. */
function contentName(file: HubFile): string {
  const name = file.sha256 ?? file.gitSha1;
  if (name === null) throw new Error(`${file.path} has no checksum to be named by.`);
  return name;
}

async function readEntries(folder: string) {
  return readdir(folder, { recursive: true, withFileTypes: true });
}

async function readCommit(path: string): Promise<string | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errorCode(error) ?? '')) return null;
    throw error;
  }
  return isCommit(text.trim()) ? text.trim() : null;
}
