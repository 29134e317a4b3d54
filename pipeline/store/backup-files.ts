/** Where the copies of a database lie, and how one is put back. */

import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Folder of the copies: beside the database. */
export function backupFolder(path: string): string {
  return join(dirname(path), 'backups');
}

/** The copy of a database as a run left it. */
export function backupPath(path: string, runId: string): string {
  return join(backupFolder(path), `${stem(path)}-${runId}.db`);
}

/** Verified copies, newest first. */
export function backupsOf(path: string): string[] {
  const folder = backupFolder(path);
  if (!existsSync(folder)) return [];
  const ours = (name: string): RegExpExecArray | null =>
    name.startsWith(`${stem(path)}-run-`) ? /-run-(\d+)\.db$/.exec(name) : null;
  return readdirSync(folder)
    .filter((name) => ours(name) !== null)
    .sort((a, b) => Number(ours(b)?.[1]) - Number(ours(a)?.[1]))
    .map((name) => join(folder, name));
}

/** What to do with a database that is damaged. */
export function restoreAdvice(path: string): string {
  const newest = backupsOf(path)[0];
  if (newest === undefined)
    return 'There is no backup of it: move it away and run again, which makes it anew.';
  // The journal belongs to the damaged file: with the copy it would damage that.
  return [
    `Put the backup of ${basename(newest, '.db').slice(stem(path).length + 1)} in its place, then run again:`,
    `  mv ${quoted(path)} ${quoted(`${path}.damaged`)}`,
    `  rm -f ${quoted(`${path}-wal`)} ${quoted(`${path}-shm`)}`,
    `  cp ${quoted(newest)} ${quoted(path)}`,
  ].join('\n');
}

function stem(path: string): string {
  return basename(path).replace(/\.(db|sqlite3?)$/, '');
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
