/** Opens the database: settings, migrations, and the lock that lets one run at a time write to it. */

import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../errors.ts';
import { connect, type Store } from './connection.ts';
import { migrations } from './schema.ts';

export type { Store };

/** Marks the file as ours ("SciT"), so that a migration never runs on somebody else's database. */
const applicationId = 0x53636954;

/** How long a statement waits for another process that is writing. */
const busyTimeoutMilliseconds = 10_000;

/** How long a run waits for the lock: longer than a glance at it takes (isLocked), too short to be noticed. */
const lockTimeoutMilliseconds = 200;

/**
 * Opens or creates the database and brings it to this version's schema.
 *
 * @param path Database file; its folder is made when missing.
 * @throws UserError when the file is no SQLite database, belongs to another program, is newer than this
 *   program, or cannot be written.
 */
export function openDatabase(path: string): Store {
  let store: Store | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    store = connect(path, { timeout: busyTimeoutMilliseconds });
    store.pragma('journal_mode = WAL');
    // A power cut may lose the last transactions in WAL mode, never the database; those are done again.
    store.pragma('synchronous = NORMAL');
    store.pragma('foreign_keys = ON');
    store.pragma('cache_size = -65536');
    store.pragma('mmap_size = 1073741824');
    migrate(store, path);
    return store;
  } catch (error) {
    store?.close();
    throw wordOpeningError(error, path);
  }
}

/** Opens an existing database for reading only; the same checks apply. */
export function openForReading(path: string): Store {
  if (!existsSync(path)) {
    throw new UserError(`There is no database at ${path} yet. Run the pipeline first.`);
  }
  let store: Store | undefined;
  try {
    store = connect(path, { readonly: true, timeout: busyTimeoutMilliseconds });
    const version = checkOwner(store, path);
    if (version < migrations.length) {
      store.close();
      openDatabase(path).close();
      store = connect(path, { readonly: true, timeout: busyTimeoutMilliseconds });
    }
    store.pragma('mmap_size = 1073741824');
    return store;
  } catch (error) {
    store?.close();
    throw wordSqliteError(error, path);
  }
}

function migrate(store: Store, path: string): void {
  if (checkOwner(store, path) === migrations.length) return;
  store
    .transaction(() => {
      // Asked again now that nobody else writes: another process may have migrated in between.
      for (let next = checkOwner(store, path); next < migrations.length; next++) {
        store.exec(migrations[next]);
        store.pragma(`user_version = ${next + 1}`);
        store.pragma(`application_id = ${applicationId}`);
      }
    })
    .immediate();
}

/** @returns The database's schema version; 0 for a new file. */
function checkOwner(store: Store, path: string): number {
  const version = store.pragma('user_version', { simple: true }) as number;
  const owner = store.pragma('application_id', { simple: true }) as number;
  const tables = store.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
  if (owner !== applicationId && tables > 0) {
    throw new UserError(`${path} is another program's database; give run.database another name.`);
  }
  if (version > migrations.length) {
    throw new UserError(
      `${path} was written by a newer version (schema ${version}, this one knows ${migrations.length}). Update scinertopic.`,
    );
  }
  return version;
}

/** Holds the lock until `release`; the operating system releases it when the process dies. */
export interface Lock {
  release(): void;
}

/**
 * Takes the lock beside the database: an exclusive SQLite transaction on a small file of its own, which
 * vanishes with the process that holds it and so never goes stale.
 *
 * @throws UserError with exit code 3 when another process holds it.
 */
export function takeLock(databasePath: string, holder: () => string): Lock {
  const path = `${databasePath}.lock`;
  let lock: Store | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    lock = connect(path, { timeout: lockTimeoutMilliseconds });
    lock.exec('BEGIN EXCLUSIVE');
    const held = lock;
    return { release: () => held.close() };
  } catch (error) {
    lock?.close();
    if (isBusy(error)) {
      throw new UserError(
        `Another run is working on ${databasePath}${holder()}. Wait for it to end, or stop it; it can be resumed.`,
        { exitCode: 3, cause: error },
      );
    }
    throw wordOpeningError(error, path);
  }
}

/** Whether a run is working on the database at this moment. */
export function isLocked(databasePath: string): boolean {
  const path = `${databasePath}.lock`;
  if (!existsSync(path)) return false;
  const lock = connect(path, { readonly: true, timeout: 0 });
  try {
    lock.pragma('user_version');
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw wordSqliteError(error, path);
  } finally {
    lock.close();
  }
}

function isBusy(error: unknown): boolean {
  return (error as { code?: string }).code === 'SQLITE_BUSY';
}

/** SQLite's faults that the user can mend, in words; anything else is passed on as it is. */
export function wordSqliteError(error: unknown, path: string): unknown {
  return worded(error, path, 'SQLITE_');
}

/** The same with the faults of making the database's folder. */
function wordOpeningError(error: unknown, path: string): unknown {
  return worded(error, path, '');
}

/** @param kind Start of the codes that are the database's: a run meets other files' errors as well. */
function worded(error: unknown, path: string, kind: 'SQLITE_' | ''): unknown {
  if (error instanceof UserError) return error;
  const code = (error as { code?: string }).code ?? '';
  if (!code.startsWith(kind)) return error;
  const words: [string, string][] = [
    ['SQLITE_NOTADB', `${path} is not a SQLite database; move it away or give run.database another name.`],
    ['SQLITE_CORRUPT', `${path} is damaged; restore it from a backup, or move it away and run again.`],
    ['SQLITE_FULL', `The disk that holds ${path} is full; free some space and run the same command again.`],
    ['SQLITE_READONLY', `${path} cannot be written; check the permissions of the file and its folder.`],
    ['SQLITE_CANTOPEN', `${path} cannot be opened or made; check that its folder exists and can be written.`],
    ['SQLITE_BUSY', `${path} is locked by another program; close it and run the same command again.`],
    ['SQLITE_IOERR', `Reading or writing ${path} failed; check the disk, then run the same command again.`],
    ['EACCES', `${path} cannot be made: no permission to write in its folder.`],
    ['EPERM', `${path} cannot be made: no permission to write in its folder.`],
    ['ENOENT', `${path} cannot be made: its folder does not exist and cannot be made.`],
    ['ENOTDIR', `${path} cannot be made: a file stands where its folder should be; change run.database.`],
    ['EEXIST', `${path} cannot be made: a file stands where its folder should be; change run.database.`],
    ['ENAMETOOLONG', `${path} cannot be made: the path is too long; change run.database.`],
    ['EROFS', `${path} cannot be made: its folder is read-only.`],
    ['ENOSPC', `The disk that holds ${path} is full; free some space and run the same command again.`],
  ];
  const found = words.find(([prefix]) => code.startsWith(prefix));
  return found === undefined ? error : new UserError(found[1], { cause: error });
}
