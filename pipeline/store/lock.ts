/**
 * Lets one run at a time work on a database, on one machine and on folders that several machines share.
 *
 * On one machine the lock is an exclusive SQLite transaction on a small file of its own, which vanishes with
 * the process that holds it and so never goes stale. Shared folders (NFS without its lock service, SMB) may
 * keep such locks from other machines: there a record beside it tells who holds the lock, and a heartbeat that
 * he lives. A record of this machine's is not heeded once the transaction is ours: its owner is gone.
 */

import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { UserError } from '../errors.ts';
import { connect, type Store } from './connection.ts';
import { wordOpeningError, wordSqliteError } from './sqlite-errors.ts';

/** Holds the lock until `release`, or until the process dies. */
export interface Lock {
  /** Raised when another machine has taken the lock, because this one gave no sign for too long (it slept). */
  lost: AbortSignal;
  release(): void;
}

export interface LockTiming {
  heartbeatMilliseconds: number;
  /** A record without a heartbeat for so long was left behind; well over what network folders keep in caches. */
  staleMilliseconds: number;
  /** What tells machines apart. */
  machine: string;
}

interface LockRecord {
  host: string;
  process: number;
  machine: string;
  /** Tells this lock from every other. */
  token: string;
}

/** How long a run waits for the lock: longer than a glance at it takes (isLocked), too short to be noticed. */
const lockTimeoutMilliseconds = 200;

const defaultTiming: LockTiming = {
  heartbeatMilliseconds: 10_000,
  staleMilliseconds: 120_000,
  machine: machineId(),
};

/**
 * Takes the lock of a database.
 *
 * @param holder Says more of who holds it, for the message.
 * @throws UserError with exit code 3 when another process holds it, here or on another machine.
 */
export function takeLock(databasePath: string, holder: () => string, timing = defaultTiming): Lock {
  return take(
    `${databasePath}.lock`,
    (who) =>
      `Another run is working on ${databasePath}${who === '' ? holder() : who}. Wait for it to end, or stop it; it can be resumed.`,
    timing,
  );
}

/** The same for the scheduler of a database, which holds it night and day. */
export function takeScheduleLock(databasePath: string, timing = defaultTiming): Lock {
  return take(
    `${databasePath}.schedule.lock`,
    (who) => `Another scheduler runs the nights of ${databasePath}${who}. Stop one of the two.`,
    timing,
  );
}

/** Whether a run is working on the database at this moment. */
export function isLocked(databasePath: string): boolean {
  const path = `${databasePath}.lock`;
  if (!existsSync(path)) return false;
  const lock = connect(path, { readonly: true, timeout: 0 });
  try {
    lock.pragma('user_version');
  } catch (error) {
    if (isBusy(error)) return true;
    throw wordSqliteError(error, path);
  } finally {
    lock.close();
  }
  const found = look(recordPath(path));
  const { machine, staleMilliseconds } = defaultTiming;
  return (
    found !== null && found.record?.machine !== machine && Date.now() - found.touched < staleMilliseconds
  );
}

// ---------------------------------------------------------------------------------------------

function take(path: string, refusal: (who: string) => string, timing: LockTiming): Lock {
  let transaction: Store | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    transaction = connect(path, { timeout: lockTimeoutMilliseconds });
    transaction.exec('BEGIN EXCLUSIVE');
    const record: LockRecord = {
      host: hostname(),
      process: process.pid,
      machine: timing.machine,
      token: randomUUID(),
    };
    writeRecord(recordPath(path), record, refusal, timing);
    return keep(transaction, recordPath(path), record, timing);
  } catch (error) {
    transaction?.close();
    if (isBusy(error)) throw new UserError(refusal(''), { exitCode: 3, cause: error });
    throw wordOpeningError(error, path);
  }
}

function recordPath(lockPath: string): string {
  return `${lockPath}.json`;
}

/** Makes the record; of several machines that try at once, one succeeds. */
function writeRecord(
  path: string,
  record: LockRecord,
  refusal: (who: string) => string,
  timing: LockTiming,
): void {
  for (;;) {
    if (create(path, record)) return;
    const found = look(path);
    if (found === null) continue;
    const own = found.record?.machine === timing.machine;
    if (!own && folderTime(path, record.token) - found.touched < timing.staleMilliseconds) {
      const who = found.record === null ? '' : ` (process ${found.record.process} on ${found.record.host})`;
      throw new UserError(refusal(who), { exitCode: 3 });
    }
    removeLeftBehind(path, found.text, record.token);
  }
}

/**
 * Written aside and linked to its name, so that whoever finds a record finds a whole one.
 *
 * @returns False when there is a record already.
 */
function create(path: string, record: LockRecord): boolean {
  const aside = `${path}.${record.token}`;
  try {
    writeNew(aside, JSON.stringify(record));
    linkSync(aside, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    // Some shares know no links.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EMLINK'].includes(codeOf(error) ?? ''))
      throw error;
  } finally {
    rmSync(aside, { force: true });
  }
  return writeNew(path, JSON.stringify(record));
}

/** @returns False when there is such a file already. */
function writeNew(path: string, text: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'wx');
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    writeSync(file, text);
    return true;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

interface FoundRecord {
  text: string;
  /** Null while it is being written, or when it was cut off. */
  record: LockRecord | null;
  /** Milliseconds since 1970, by the clock of the folder. */
  touched: number;
}

function look(path: string): FoundRecord | null {
  let file: number;
  try {
    // Opening asks a network folder for what is true now; stat may answer from a cache.
    file = openSync(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const text = readFileSync(file, 'utf8');
    return { text, record: readRecord(text), touched: fstatSync(file).mtimeMs };
  } finally {
    closeSync(file);
  }
}

function readRecord(text: string): LockRecord | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    const { host, process, machine, token } = value as Partial<LockRecord>;
    const whole =
      typeof host === 'string' &&
      typeof process === 'number' &&
      typeof machine === 'string' &&
      typeof token === 'string';
    return whole ? { host, process, machine, token } : null;
  } catch {
    return null;
  }
}

/** What time the folder's own clock shows, so that machines whose clocks differ judge alike. */
function folderTime(path: string, token: string): number {
  const probe = `${path}.${token}`;
  const file = openSync(probe, 'wx');
  try {
    // A server dates what it writes; an empty file may carry the time of the one who made it.
    writeSync(file, token);
    return fstatSync(file).mtimeMs;
  } finally {
    closeSync(file);
    rmSync(probe, { force: true });
  }
}

/**
 * Moved aside before it is removed: of several that find it, one moves it. Should that one find that it moved
 * a newer record, it puts it back.
 */
function removeLeftBehind(path: string, text: string, token: string): void {
  const aside = `${path}.${token}`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, 'utf8') === text) rmSync(aside, { force: true });
    else renameSync(aside, path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/**
 * Beats in a thread of its own, since stages compute for minutes without a pause. A beat writes one byte that
 * is there already: only then is it the folder's clock that dates it. Two beats that find another's record,
 * or none, mean that the lock was lost; one may fall into the moment in which a record is put back.
 */
const heart = `
  const { closeSync, openSync, readFileSync, writeSync } = require('node:fs');
  const { parentPort, workerData } = require('node:worker_threads');
  const { path, token, milliseconds } = workerData;
  let misses = 0;
  setInterval(() => {
    try {
      const file = openSync(path, 'r+');
      try {
        if (!readFileSync(file, 'utf8').includes(token)) throw { code: 'ENOENT' };
        writeSync(file, '{', 0);
        misses = 0;
      } finally {
        closeSync(file);
      }
    } catch (error) {
      // A disk that fails here fails the run as well, which then says so.
      if (error.code === 'ENOENT' && ++misses === 2) parentPort.postMessage('lost');
    }
  }, milliseconds);
`;

function keep(transaction: Store, path: string, record: LockRecord, timing: LockTiming): Lock {
  const lost = new AbortController();
  const thread = new Worker(heart, {
    eval: true,
    execArgv: [],
    workerData: { path, token: record.token, milliseconds: timing.heartbeatMilliseconds },
  });
  thread.on('message', () => lost.abort());
  // Without a heartbeat another machine may take the lock: the same danger.
  thread.on('error', () => lost.abort());
  thread.unref();
  return {
    lost: lost.signal,
    release() {
      thread.removeAllListeners();
      void thread.terminate();
      try {
        if (look(path)?.record?.token === record.token) rmSync(path, { force: true });
      } finally {
        transaction.close();
      }
    },
  };
}

/** Containers of one machine share its kernel, and with it the locks that tell the dead from the living. */
function machineId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return hostname();
  }
}

function isBusy(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_BUSY';
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}
