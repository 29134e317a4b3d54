import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hubTiming } from '../../pipeline/hub/environment.ts';
import { withLock } from '../../pipeline/hub/lock.ts';

const timing = {
  ...hubTiming,
  heartbeatMilliseconds: 10,
  deadOwnerMilliseconds: 60,
  silentOwnerMilliseconds: 150,
};
const never = new AbortController().signal;

let folder: string;
let path: string;
let notices: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scinertopic-lock-'));
  path = join(folder, 'own', 'lock');
  notices = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function locked<T>(work: (signal: AbortSignal) => Promise<T>, signal = never): Promise<T> {
  return withLock(path, timing, signal, (message) => notices.push(message), work);
}

/** A lock as another process would leave it. */
async function leave(owner: object | string): Promise<void> {
  await locked(async () => undefined);
  writeFileSync(path, typeof owner === 'string' ? owner : JSON.stringify(owner));
}

describe('withLock', () => {
  it('lets one at a time work, and leaves nothing behind', async () => {
    let working = 0;
    let most = 0;
    const work = async (): Promise<number> => {
      most = Math.max(most, ++working);
      await pause(15);
      return working--;
    };
    expect(await Promise.all(Array.from({ length: 6 }, () => locked(work)))).toEqual([1, 1, 1, 1, 1, 1]);
    expect(most).toBe(1);
    expect(readdirSync(join(folder, 'own'))).toEqual([]);
  });

  it('gives the lock back when the work fails', async () => {
    await expect(locked(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(existsSync(path)).toBe(false);
  });

  it('waits longer for a live owner than for a dead one, whatever its date says', async () => {
    await leave({ host: hostname(), process: process.pid, token: 'alive' });
    utimesSync(path, 0, 0);
    const began = performance.now();
    await locked(async () => undefined);
    expect(performance.now() - began).toBeGreaterThanOrEqual(timing.silentOwnerMilliseconds);
    expect(notices).toEqual([
      `another process (process ${process.pid} on ${hostname()}) is fetching this; waiting for it`,
    ]);
  });

  it.each(['', '{', 'null', '{"host":1}'])('outlasts a lock that was cut off: %j', async (text) => {
    await leave(text);
    expect(await locked(async () => 'done')).toBe('done');
  });

  it('waits for as long as the owner gives signs, however old', async () => {
    const order: string[] = [];
    const first = locked(async () => {
      await pause(2 * timing.silentOwnerMilliseconds);
      order.push('first');
    });
    await pause(5);
    await Promise.all([first, locked(async () => order.push('second'))]);
    expect(order).toEqual(['first', 'second']);
  });

  it('stops waiting when asked to', async () => {
    const stop = new AbortController();
    const first = locked(() => pause(50));
    await pause(5);
    const second = locked(async () => 'never', stop.signal);
    stop.abort();
    await expect(second).rejects.toThrow('abort');
    await first;
  });

  it('lets one of many take over what a dead owner left', async () => {
    await leave('{"host":"elsewhere","process":1,"token":"gone"}');
    let working = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++working);
      await pause(10);
      working--;
    };
    await Promise.all(Array.from({ length: 8 }, () => locked(work)));
    expect(most).toBe(1);
    expect(readdirSync(join(folder, 'own'))).toEqual([]);
  });

  it('ends the work when another process has taken the lock, and begins anew when that one is gone', async () => {
    const other = JSON.stringify({ host: 'elsewhere', process: 1, token: 'other' });
    const began: boolean[] = [];
    const result = await locked(async (signal) => {
      began.push(readFileSync(path, 'utf8') === other);
      if (began.length > 1) return 'done';
      writeFileSync(path, other);
      await pause(10_000, undefined, { signal });
      return 'not ended';
    });
    expect(result).toBe('done');
    expect(began).toEqual([false, false]);
    expect(notices).toEqual(['another process (process 1 on elsewhere) is fetching this; waiting for it']);
  });
});
