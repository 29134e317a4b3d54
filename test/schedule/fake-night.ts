/** A scheduler whose clock does not wait and whose nights are small scripts. */

import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../pipeline/schedule/clock.ts';
import { scheduleSection } from '../../pipeline/schedule/config.ts';
import type { Health, NightReport } from '../../pipeline/schedule/health.ts';
import { type LastRun, openScheduler } from '../../pipeline/schedule/scheduler.ts';

/** A clock that stands still but for those who wait for it. */
export interface FakeClock extends Clock {
  set(time: string): void;
  waits: number[];
}

export function fakeClock(start: string): FakeClock {
  let time = Date.parse(start);
  const waits: number[] = [];
  return {
    now: () => new Date(time),
    waits,
    set: (text) => {
      time = Date.parse(text);
    },
    async wait(milliseconds, signal) {
      await setImmediate();
      signal.throwIfAborted();
      waits.push(milliseconds);
      time += milliseconds;
    },
  };
}

export interface Fake {
  folder: string;
  clock: FakeClock;
  /** What nights and commands wrote down. */
  notes(): string[];
  health(): Health;
  log: { level: string; event: string; message: string }[];
  stop: AbortController;
  run(): Promise<void>;
  ends: NightReport[];
}

/**
 * @param night Script of a night, run by Node; `note(text)` writes a line down, `tries` counts the runs so far.
 * @param settings The schedule section.
 * @param nights After how many nights the scheduler is stopped; 0: never.
 */
export function fakeScheduler(
  night: string,
  settings: Record<string, unknown>,
  {
    nights = 1,
    start = '2026-03-10T12:00:00Z',
    lastRun = null as LastRun | null,
    health = null as Partial<Health> | null,
    chance = 0,
    graceMilliseconds = 7000,
    onLine = (_line: string): void => undefined,
  } = {},
): Fake {
  const folder = mkdtempSync(join(tmpdir(), 'scinertopic-schedule-'));
  const noteFile = join(folder, 'notes');
  const healthFile = join(folder, 'state', 'schedule.json');
  const prelude = `
    const fs = require('node:fs');
    const note = (text) => fs.appendFileSync(${JSON.stringify(noteFile)}, text + '\\n');
    const counter = ${JSON.stringify(join(folder, 'tries'))};
    const tries = fs.existsSync(counter) ? Number(fs.readFileSync(counter, 'utf8')) + 1 : 1;
    fs.writeFileSync(counter, String(tries));
  `;
  const script = join(folder, 'night.cjs');
  writeFileSync(script, prelude + night);
  if (health !== null) {
    writeFileSync(join(folder, 'schedule.json'), JSON.stringify(health));
  }
  const clock = fakeClock(start);
  const stop = new AbortController();
  const log: Fake['log'] = [];
  const ends: NightReport[] = [];
  const file = health === null ? healthFile : join(folder, 'schedule.json');
  const scheduler = openScheduler({
    config: scheduleSection.parse({ time_zone: 'UTC', ...settings }),
    program: { command: [process.execPath, script], folder, graceMilliseconds },
    folder,
    healthFile: file,
    exportFolder: join(folder, 'outputs', 'latest'),
    lastRun: () => lastRun,
    chance: () => chance,
    clock,
    log(level, event, message, fields) {
      log.push({ level, event, message });
      if (event === 'night') onLine(message);
      if (event === 'night-ends') ends.push(fields as unknown as NightReport);
      // Told after the night, as a person who stops it would be.
      if (event === 'waiting' && nights > 0 && ends.length >= nights) stop.abort();
    },
    signal: stop.signal,
  });
  return {
    folder,
    clock,
    notes: () => (existsSync(noteFile) ? readFileSync(noteFile, 'utf8').trimEnd().split('\n') : []),
    health: () => JSON.parse(readFileSync(file, 'utf8')) as Health,
    log,
    stop,
    run: () => scheduler.run(),
    ends,
  };
}

/** The summary line of a night that ended well. */
export const wellEnded = `console.log(JSON.stringify({ run_id: 'run-0007', up_to_date: false, documents_out: 349, topics: 12, noise_share: 0.2 }));`;
