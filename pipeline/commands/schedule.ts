/** `scinertopic schedule`: stays up and runs the pipeline at the times that the configuration names. */

import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../errors.ts';
import { systemClock } from '../schedule/clock.ts';
import { listenAddress } from '../schedule/config.ts';
import { serveHealth } from '../schedule/health-server.ts';
import { openLog } from '../schedule/log.ts';
import { type LastRun, openScheduler } from '../schedule/scheduler.ts';
import { openTimetable } from '../schedule/timetable.ts';
import { databasePath, exportFolder, loadSettings } from '../settings.ts';
import { takeScheduleLock } from '../store/lock.ts';
import { openForReading } from '../store/open.ts';
import { lastRuns } from '../store/runs.ts';
import type { Console } from './console.ts';

export interface ScheduleArguments {
  config: string;
  set?: string[];
  /** Shows this many coming nights and ends. */
  next?: number;
}

/** With what else there is to do, a scheduler that is told to stop is gone within ten seconds. */
const graceMilliseconds = 7000;

const chanceSteps = 2 ** 32;

export async function scheduleCommand(
  given: ScheduleArguments,
  console: Console,
  signal: AbortSignal,
): Promise<void> {
  const settings = loadSettings(given.config, given.set);
  const config = settings.schedule;
  if (given.next !== undefined) {
    const timetable = openTimetable(config.cron, config.time_zone);
    let at = new Date();
    for (let night = 0; night < given.next; night++) {
      at = timetable.next(at);
      console.out(at.toISOString());
    }
    return;
  }
  const database = databasePath(settings);
  const lock = takeScheduleLock(database);
  const log = openLog(config.log, (line) => console.say(line));
  try {
    const scheduler = openScheduler({
      config,
      program: { command: nightCommand(given), folder: process.cwd(), graceMilliseconds },
      folder: settings.baseFolder,
      healthFile: resolve(settings.baseFolder, config.health_file),
      exportFolder: resolve(exportFolder(settings), 'latest'),
      lastRun: () => lastRunOf(database),
      chance: () => randomInt(chanceSteps) / chanceSteps,
      clock: systemClock,
      log,
      signal: AbortSignal.any([signal, lock.lost]),
    });
    const address = config.health_address === undefined ? null : listenAddress(config.health_address);
    const server = address === null ? null : await serveHealth(address, scheduler.health);
    if (server !== null) log('info', 'health', `Health at http://${server.address}/health`);
    try {
      await scheduler.run();
    } finally {
      server?.close();
    }
    if (lock.lost.aborted)
      throw new UserError('Another machine has taken over the nights; this scheduler ends.', { exitCode: 3 });
  } finally {
    lock.release();
  }
}

/** This very program once more, with the same configuration. */
function nightCommand({ config, set = [] }: ScheduleArguments): string[] {
  const cli = fileURLToPath(new URL('../cli.js', import.meta.url));
  const overrides = set.flatMap((override) => ['--set', override]);
  return [
    process.execPath,
    ...process.execArgv,
    cli,
    'pipeline',
    '--config',
    resolve(config),
    '--json',
    ...overrides,
  ];
}

/** The last run that the database knows of. One that cannot be read tells nothing: the night will say why. */
function lastRunOf(database: string): LastRun | null {
  if (!existsSync(database)) return null;
  try {
    const store = openForReading(database);
    try {
      const run = lastRuns(store, 1)[0];
      if (run === undefined) return null;
      return {
        endedWellAt: run.status === 'done' && run.finishedAt !== null ? new Date(run.finishedAt) : null,
      };
    } finally {
      store.close();
    }
  } catch {
    return null;
  }
}
