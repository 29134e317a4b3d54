import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { isLocked, takeLock, takeScheduleLock } from '../../pipeline/store/lock.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'scinertopic-lock-'));

describe('takeLock', () => {
  it('refuses a second holder with exit code 3 and says who holds it', () => {
    const path = join(folder(), 'pipeline.db');
    const lock = takeLock(path, () => '');
    let refusal: unknown;
    try {
      takeLock(path, () => ' (run-0007)');
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(UserError);
    expect((refusal as UserError).exitCode).toBe(3);
    expect((refusal as UserError).message).toContain('(run-0007)');
    lock.release();
    takeLock(path, () => '').release();
  });

  it('is not held by a process that was killed', async () => {
    const path = join(folder(), 'pipeline.db');
    const script = `
      const Database = require('better-sqlite3');
      const lock = new Database(${JSON.stringify(`${path}.lock`)});
      lock.exec('BEGIN EXCLUSIVE');
      console.log('held');
      setInterval(() => {}, 1000);
    `;
    const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    expect(() => takeLock(path, () => '')).toThrow(/Another run/);
    const gone = new Promise((resolve) => holder.once('exit', resolve));
    holder.kill('SIGKILL');
    await gone;
    takeLock(path, () => '').release();
  });

  it('keeps schedulers and runs apart: each has a lock of its own', () => {
    const path = join(folder(), 'pipeline.db');
    const scheduler = takeScheduleLock(path);
    expect(isLocked(path)).toBe(false);
    takeLock(path, () => '').release();
    expect(() => takeScheduleLock(path)).toThrow(/Another scheduler/);
    scheduler.release();
    takeScheduleLock(path).release();
  });
});

describe('the record beside the lock', () => {
  const here = { heartbeatMilliseconds: 20, staleMilliseconds: 500, machine: 'here' };
  const record = (machine: string): string =>
    JSON.stringify({ host: 'far-away', process: 4711, machine, token: `token of ${machine}` });

  it('is there while the lock is held, and gone after', () => {
    const path = join(folder(), 'pipeline.db');
    const lock = takeLock(path, () => '', here);
    expect(JSON.parse(readFileSync(`${path}.lock.json`, 'utf8'))).toMatchObject({ process: process.pid });
    lock.release();
    expect(existsSync(`${path}.lock.json`)).toBe(false);
  });

  it("of another machine is respected while its heartbeat is fresh, with its owner's name", () => {
    const path = join(folder(), 'pipeline.db');
    writeFileSync(`${path}.lock.json`, record('elsewhere'));
    let refusal: unknown;
    try {
      takeLock(path, () => '');
    } catch (error) {
      refusal = error;
    }
    expect((refusal as UserError).exitCode).toBe(3);
    expect((refusal as UserError).message).toContain('process 4711 on far-away');
    expect(readFileSync(`${path}.lock.json`, 'utf8')).toBe(record('elsewhere'));
    writeFileSync(`${path}.lock`, '');
    expect(isLocked(path)).toBe(true);
  });

  it('of another machine is taken away once it has been silent for long, however it looks', () => {
    for (const text of [record('elsewhere'), '', '{"host": 1}', 'not JSON']) {
      const path = join(folder(), 'pipeline.db');
      writeFileSync(`${path}.lock.json`, text);
      expect(() => takeLock(path, () => '', here)).toThrow(UserError);
      const past = new Date(Date.now() - 1000);
      utimesSync(`${path}.lock.json`, past, past);
      takeLock(path, () => '', here).release();
      expect(existsSync(`${path}.lock.json`)).toBe(false);
    }
  });

  it('of this machine is not heeded: whoever wrote it is gone', () => {
    const path = join(folder(), 'pipeline.db');
    writeFileSync(`${path}.lock.json`, record('here'));
    takeLock(path, () => '', here).release();
  });

  it('beats while the thread that holds the lock computes', () => {
    const path = join(folder(), 'pipeline.db');
    const lock = takeLock(path, () => '', here);
    const past = new Date(Date.now() - 3_600_000);
    utimesSync(`${path}.lock.json`, past, past);
    const before = readFileSync(`${path}.lock.json`, 'utf8');
    // The heart's thread has begun when the record is touched; until then, and here, nothing yields.
    const other = new Int32Array(new SharedArrayBuffer(4));
    for (let turn = 0; turn < 200 && statAge(`${path}.lock.json`) > 1000; turn++)
      Atomics.wait(other, 0, 0, 50);
    expect(statAge(`${path}.lock.json`)).toBeLessThan(60_000);
    expect(readFileSync(`${path}.lock.json`, 'utf8')).toBe(before);
    lock.release();
  });

  it('that another machine has replaced tells the owner that the lock is lost, and is left alone', async () => {
    const path = join(folder(), 'pipeline.db');
    const lock = takeLock(path, () => '', here);
    const lost = new Promise((resolve) => lock.lost.addEventListener('abort', resolve));
    writeFileSync(`${path}.lock.json`, record('elsewhere'));
    await lost;
    lock.release();
    expect(readFileSync(`${path}.lock.json`, 'utf8')).toBe(record('elsewhere'));
  });
});

function statAge(path: string): number {
  return Date.now() - statSync(path).mtimeMs;
}
