/**
 * Lets one process at a time fetch a repository, so that two do not bring the same gigabyte twice. What is
 * fetched would be whole without it: every file is checked and renamed into its place.
 *
 * A lock is a file that its owner touches again and again. One whose owner has died is told by its silence,
 * timed by those who wait and not by the file's date, so that clocks need not agree.
 */

import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { errorCode } from '../http/transfer-fault.ts';
import type { HubTiming } from './environment.ts';

interface Owner {
  host: string;
  process: number;
  /** Tells this lock from every other. */
  token: string;
}

/** Heartbeats that find the lock gone before it counts as lost: one who waits may have moved it by mistake. */
const maxMisses = 2;

/**
 * Does the work once the lock is ours, and gives the lock back however the work ends. Should another process
 * have taken the lock because this one gave no sign for too long (a machine asleep), the work is ended and
 * begins anew when the lock is ours again.
 *
 * @param onWait Told when another process holds the lock.
 * @param work Can be done again. Its signal is raised when the caller's is, and when the lock is lost.
 */
export async function withLock<T>(
  path: string,
  timing: HubTiming,
  signal: AbortSignal,
  onWait: (message: string) => void,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  for (;;) {
    const owner: Owner = { host: hostname(), process: process.pid, token: randomUUID() };
    await mkdir(dirname(path), { recursive: true });
    await acquire(path, owner, timing, signal, onWait);
    const lost = new AbortController();
    const stopBeating = keepBeating(path, owner, timing, () => lost.abort());
    try {
      return await work(AbortSignal.any([signal, lost.signal]));
    } catch (error) {
      if (signal.aborted || !lost.signal.aborted) throw error;
    } finally {
      stopBeating();
      if (await isOwn(path, owner)) await rm(path, { force: true });
    }
  }
}

async function acquire(
  path: string,
  owner: Owner,
  timing: HubTiming,
  signal: AbortSignal,
  onWait: (message: string) => void,
): Promise<void> {
  let lastSign = '';
  let silentSince = 0;
  let told = false;
  while (!(await create(path, owner))) {
    signal.throwIfAborted();
    const holder = await look(path);
    if (holder !== null) {
      if (holder.sign !== lastSign) {
        lastSign = holder.sign;
        silentSince = performance.now();
      }
      const silence = performance.now() - silentSince;
      const limit = isGone(holder.owner, owner)
        ? timing.deadOwnerMilliseconds
        : timing.silentOwnerMilliseconds;
      if (silence >= limit) await removeStale(path, holder.text, owner);
      else if (!told) {
        told = true;
        const who = holder.owner === null ? '' : ` (process ${holder.owner.process} on ${holder.owner.host})`;
        onWait(`another process${who} is fetching this; waiting for it`);
      }
    }
    await pause(timing.heartbeatMilliseconds / 2, undefined, { signal });
  }
}

/** @returns False when there is a lock already. */
async function create(path: string, owner: Owner): Promise<boolean> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, 'wx');
  } catch (error) {
    // Windows says EPERM of a file that is just being removed.
    if (errorCode(error) === 'EEXIST' || (process.platform === 'win32' && errorCode(error) === 'EPERM'))
      return false;
    throw error;
  }
  try {
    await handle.writeFile(JSON.stringify(owner));
  } finally {
    await handle.close();
  }
  return true;
}

interface Holder {
  text: string;
  /** Changes with every sign of life. */
  sign: string;
  /** Null while the file is being written, or when it was cut off. */
  owner: Owner | null;
}

async function look(path: string): Promise<Holder | null> {
  try {
    const text = await readFile(path, 'utf8');
    const { mtimeMs } = await stat(path);
    return { text, sign: `${text}${mtimeMs}`, owner: readOwner(text) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function readOwner(text: string): Owner | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    const { host, process, token } = value as Partial<Owner>;
    if (typeof host !== 'string' || typeof process !== 'number' || typeof token !== 'string') return null;
    return { host, process, token };
  } catch {
    return null;
  }
}

/** True when the owner ran on this machine and is not there any more. */
function isGone(holder: Owner | null, own: Owner): boolean {
  if (holder === null || holder.host !== own.host) return false;
  try {
    process.kill(holder.process, 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

/**
 * Takes a lock away that was left behind. It is moved aside before it is removed: of several that wait, one
 * moves it. Should that one find that it moved a newer lock, it puts it back.
 */
async function removeStale(path: string, text: string, own: Owner): Promise<void> {
  const aside = `${path}.${own.token}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) === text) await rm(aside, { force: true });
    else await rename(aside, path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** @returns Ends the signs of life. */
function keepBeating(path: string, owner: Owner, timing: HubTiming, onLost: () => void): () => void {
  let misses = 0;
  const beat = async (): Promise<void> => {
    if (!(await isOwn(path, owner))) {
      if (++misses === maxMisses) onLost();
      return;
    }
    misses = 0;
    const now = new Date();
    await utimes(path, now, now);
  };
  // A disk that fails here fails the work as well, which then says so.
  const timer = setInterval(() => void beat().catch(() => undefined), timing.heartbeatMilliseconds);
  return () => clearInterval(timer);
}

async function isOwn(path: string, owner: Owner): Promise<boolean> {
  return (await look(path))?.owner?.token === owner.token;
}
