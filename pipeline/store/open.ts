/** Opens the database: settings and migrations. */

import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../errors.ts';
import { connect, type Store } from './connection.ts';
import { migrations } from './schema.ts';
import { wordOpeningError, wordSqliteError } from './sqlite-errors.ts';

export type { Store };

/** Marks the file as ours ("SciT"), so that a migration never runs on somebody else's database. */
const applicationId = 0x53636954;

/**
 * Bytes of a page of a new database. Vectors fill pages of the usual 4,096 bytes by half: with 512 numbers each
 * the database is a fifth smaller by these, and is read in two thirds of the time.
 */
const pageBytes = 8192;

/** How long a statement waits for another process that is writing. */
const busyTimeoutMilliseconds = 10_000;

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
    store.pragma(`page_size = ${pageBytes}`);
    store.pragma('journal_mode = WAL');
    // A power cut may lose the last transactions in WAL mode, never the database; those are done again.
    store.pragma('synchronous = NORMAL');
    store.pragma('foreign_keys = ON');
    // Pages are read, not mapped: a map is no faster here, and counts as memory of the process, up to the whole file.
    store.pragma('cache_size = -65536');
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
