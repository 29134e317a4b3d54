/**
 * Keeps verified copies of the database, made by SQLite's own backup before a night changes it. A copy gets
 * its name only once it has been read back whole; older ones go only then.
 */

import { mkdirSync, rmSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Interrupted, UserError } from '../errors.ts';
import { backupFolder, backupPath, backupsOf, restoreAdvice } from './backup-files.ts';
import { connect, type Store } from './connection.ts';
import { wordOpeningError } from './sqlite-errors.ts';

/** Pages copied between two looks at the signal, 16 MB at the usual 4,096 bytes. */
const pagesPerStep = 4096;

/**
 * @param runId The run that left the database as it is.
 * @param keep How many copies stay, this one included.
 * @returns Path of the copy.
 * @throws UserError when the database is damaged, with how to restore it, or the copy cannot be written.
 */
export async function backUp(
  store: Store,
  path: string,
  runId: string,
  keep: number,
  signal: AbortSignal,
): Promise<string> {
  const copy = backupPath(path, runId);
  const partial = `${copy}.partial`;
  try {
    mkdirSync(backupFolder(path), { recursive: true });
    remove(partial);
    await store.backup(partial, {
      progress: () => {
        if (signal.aborted) throw new Interrupted('Interrupted.');
        return pagesPerStep;
      },
    });
    const fault = checkCopy(partial);
    if (fault !== null) throw damaged(store, path, fault);
    await rename(partial, copy);
    for (const old of backupsOf(path)
      .filter((other) => other !== copy)
      .slice(keep - 1))
      await rm(old, { force: true });
    return copy;
  } catch (error) {
    remove(partial);
    if (error instanceof UserError || error instanceof Interrupted) throw error;
    throw wordBackupError(error, path, copy);
  }
}

/** Makes the copy a file of its own, without a journal beside it, and reads it back; null when it is whole. */
function checkCopy(partial: string): string | null {
  const copy = connect(partial, {});
  try {
    copy.pragma('journal_mode = DELETE');
    return findFault(copy);
  } finally {
    copy.close();
  }
}

/** What SQLite finds wrong with a database; null when it is whole. */
export function findFault(store: Store): string | null {
  try {
    const found = store.pragma('quick_check(1)', { simple: true });
    return found === 'ok' ? null : String(found);
  } catch (error) {
    return (error as Error).message;
  }
}

function damaged(store: Store, path: string, fault: string): UserError {
  if (findFault(store) === null) {
    return new UserError(
      `The backup of ${path} in ${backupFolder(path)} could not be read back (${fault}), while the database itself is whole. Check the disk, or set run.backups to 0.`,
    );
  }
  return new UserError(
    `${path} is damaged (${fault.replaceAll('\n', ' ')}). Nothing was changed. ${restoreAdvice(path)}`,
  );
}

function wordBackupError(error: unknown, path: string, copy: string): unknown {
  if ((error as { code?: string }).code?.startsWith('SQLITE_CORRUPT') === true) {
    return new UserError(`${path} is damaged. Nothing was changed. ${restoreAdvice(path)}`, { cause: error });
  }
  const worded = wordOpeningError(error, copy);
  if (!(worded instanceof UserError)) return worded;
  return new UserError(
    `The backup before this run could not be made, and nothing was changed. ${worded.message} Fewer or no backups: run.backups.`,
    { cause: error },
  );
}

function remove(partial: string): void {
  for (const end of ['', '-journal', '-wal', '-shm']) {
    // The fault that brought us here matters more than what cannot be cleared away.
    try {
      rmSync(`${partial}${end}`, { force: true });
    } catch {}
  }
}
