/**
 * Stays up and runs a night whenever the timetable says so: one at a time, a missed one once, a failed one
 * again after growing pauses.
 */

import { type Clock, waitUntil } from './clock.ts';
import type { ScheduleConfig } from './config.ts';
import { type Health, type NightReport, type NightStatus, readHealth, writeHealth } from './health.ts';
import type { Log } from './log.ts';
import { type NightEnd, type NightProgram, runNight } from './night.ts';
import { type Telling, tell } from './tell.ts';
import { openTimetable, type Timetable } from './timetable.ts';

export interface Scheduling {
  config: ScheduleConfig;
  /** What one night is. */
  program: NightProgram;
  /** Absolute. */
  healthFile: string;
  exportFolder: string;
  /** Where commands that tell of a night are started. */
  folder: string;
  /** The last run that the database knows of; null where there was none or none can be read. */
  lastRun(): LastRun | null;
  /** A number from 0 up to and without 1, by chance. */
  chance(): number;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

export interface LastRun {
  /** Null where it was cut off or failed. */
  endedWellAt: Date | null;
}

export interface Scheduler {
  health(): Health;
  /** Runs until the signal is raised. */
  run(): Promise<void>;
}

/** Exit codes of a night: what only a person can mend, and another run at work. */
const mendable = 2;
const locked = 3;

const healthIntervalMilliseconds = 60_000;

/** Clocks are corrected by less than this, and a night that has begun must not begin again for it. */
const clockCorrectionMilliseconds = 3_600_000;

export function openScheduler(scheduling: Scheduling): Scheduler {
  const { config, clock, log, signal } = scheduling;
  const timetable = openTimetable(config.cron, config.time_zone);
  const iso = (date: Date): string => date.toISOString();
  const health: Health = {
    status: 'waiting',
    healthy: true,
    process: process.pid,
    scheduler_started_at: iso(clock.now()),
    updated_at: iso(clock.now()),
    next_run: null,
    running_since: null,
    ...readHealth(scheduling.healthFile),
  };
  const keepHealth = healthKeeper(scheduling, health);

  async function run(): Promise<void> {
    const timer = setInterval(() => keepHealth({}), healthIntervalMilliseconds);
    try {
      let planned = missedNight(scheduling, timetable, health.last_night);
      if (planned !== null)
        log('info', 'catch-up', `The night of ${iso(planned)} was missed; it is run now.`);
      while (!signal.aborted) {
        planned ??= await nextNight(health.last_night);
        if (planned === null) continue;
        const report = await night(planned);
        await tellOf(report);
        planned = null;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      clearInterval(timer);
      keepHealth({ status: 'stopped', next_run: null, running_since: null });
      log('info', 'stopped', 'The scheduler has stopped.');
    }
  }

  /** Waits for the next night; null where the clock was set back, so that another may be the next. */
  async function nextNight(last: NightReport | null): Promise<Date | null> {
    const now = clock.now();
    const next = timetable.next(notBefore(now, last));
    const begin = new Date(next.getTime() + Math.floor(scheduling.chance() * config.jitter_seconds * 1000));
    keepHealth({ status: 'waiting', next_run: iso(begin), running_since: null });
    log('info', 'waiting', `The next night begins at ${iso(begin)}.`, { next_run: iso(begin) });
    if (!(await waitUntil(begin, clock, signal))) {
      log('warning', 'clock', 'The clock was set back.');
      return null;
    }
    return next;
  }

  async function night(planned: Date): Promise<NightReport> {
    const started = clock.now();
    keepHealth({ status: 'running', next_run: null, running_since: iso(started) });
    log('info', 'night-begins', 'A night begins.', { planned_at: iso(planned) });
    let end: NightEnd;
    let attempts = 0;
    for (;;) {
      attempts++;
      end = await runNight(scheduling.program, limited(signal), (line) => log('info', 'night', line));
      if (end.exitCode === 0 || end.exitCode === mendable || signal.aborted) break;
      if (attempts > config.retries.count) break;
      const { wait_seconds, max_wait_seconds } = config.retries;
      const seconds = Math.min(wait_seconds * 2 ** (attempts - 1), max_wait_seconds);
      log('warning', 'retry', `The night failed (${endingOf(end)}); tried again in ${seconds} s.`, {
        attempts,
      });
      try {
        await clock.wait(seconds * 1000, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
        break;
      }
    }
    const report = reportOf(end, planned, started, clock.now(), attempts, signal.aborted);
    keepHealth(after(health, report));
    const level = report.status === 'done' || report.status === 'stopped' ? 'info' : 'error';
    log(level, 'night-ends', nightInWords(report, end), { ...report });
    const late = timetable.between(planned, clock.now(), 1000);
    if (late > 0) {
      log(
        'warning',
        'overlap',
        `${late} more ${late === 1 ? 'was' : 'were'} due while it ran, and left out.`,
      );
    }
    return report;
  }

  /** The signal of one try, which also has an end. */
  function limited(outer: AbortSignal): AbortSignal {
    if (config.max_hours === undefined) return outer;
    return AbortSignal.any([outer, AbortSignal.timeout(Math.round(config.max_hours * 3_600_000))]);
  }

  async function tellOf(report: NightReport): Promise<void> {
    if (report.status === 'stopped') return;
    const telling: Telling = {
      folder: scheduling.folder,
      exportFolder: scheduling.exportFolder,
      timeoutMilliseconds: config.notice_timeout_seconds * 1000,
      tries: 4,
      pauseMilliseconds: 1000,
      signal,
      log,
    };
    await tell(report.status === 'done' ? config.on_success : config.on_failure, report, telling);
  }

  return { health: () => health, run };
}

/** The night that should have been since the last one that ended well; null where there is none to catch up. */
function missedNight(
  { config, clock, lastRun }: Scheduling,
  timetable: Timetable,
  last: NightReport | null,
): Date | null {
  const run = lastRun();
  // Before the first run of all there is nothing to be late for.
  if (!config.catch_up || (last === null && run === null)) return null;
  // A night with nothing new leaves no run in the database, and a run by hand no trace in the health file.
  const nights = last?.status === 'done' ? [Date.parse(last.started_at)] : [];
  if (run !== null && run.endedWellAt !== null) nights.push(run.endedWellAt.getTime());
  const due = timetable.last(clock.now());
  return due !== null && Math.max(...nights) < due.getTime() ? due : null;
}

/** From when on the next night is looked for: a clock that is corrected must not have one begin twice. */
function notBefore(now: Date, last: NightReport | null): Date {
  if (last === null) return now;
  const ahead = Date.parse(last.planned_at) - now.getTime();
  return ahead > 0 && ahead < clockCorrectionMilliseconds ? new Date(last.planned_at) : now;
}

/** Keeps the health file as the state changes; a disk that is full must not end the scheduler. */
function healthKeeper(
  { healthFile, clock, log }: Scheduling,
  health: Health,
): (change: Partial<Health>) => void {
  let failed = false;
  return (change) => {
    Object.assign(health, change, { updated_at: clock.now().toISOString() });
    try {
      writeHealth(healthFile, health);
      failed = false;
    } catch (error) {
      if (!failed)
        log('warning', 'health', `The health file cannot be written: ${(error as Error).message}.`);
      failed = true;
    }
  };
}

function reportOf(
  end: NightEnd,
  planned: Date,
  started: Date,
  finished: Date,
  attempts: number,
  stopped: boolean,
): NightReport {
  const { summary, exitCode } = end;
  const status: NightStatus =
    exitCode === 0 ? 'done' : stopped ? 'stopped' : exitCode === locked ? 'skipped' : 'failed';
  const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  return {
    planned_at: planned.toISOString(),
    started_at: started.toISOString(),
    finished_at: finished.toISOString(),
    status,
    exit_code: exitCode,
    attempts,
    seconds: Math.max(0, Math.round((finished.getTime() - started.getTime()) / 100) / 10),
    run_id: typeof summary?.run_id === 'string' ? summary.run_id : null,
    up_to_date: typeof summary?.up_to_date === 'boolean' ? summary.up_to_date : null,
    documents: number(summary?.documents_out),
    topics: number(summary?.topics),
    noise_share: number(summary?.noise_share),
    message: status === 'done' ? null : (end.lastLine ?? end.ending),
  };
}

function after(health: Health, report: NightReport): Partial<Health> {
  if (report.status === 'stopped') return { last_night: report };
  if (report.status === 'done') {
    return { last_night: report, healthy: true, failures_in_a_row: 0, last_success_at: report.finished_at };
  }
  return { last_night: report, healthy: false, failures_in_a_row: health.failures_in_a_row + 1 };
}

function endingOf(end: NightEnd): string {
  return end.exitCode === null ? (end.ending ?? 'no exit code') : `exit code ${end.exitCode}`;
}

function nightInWords(report: NightReport, end: NightEnd): string {
  const tries = report.attempts > 1 ? ` after ${report.attempts} tries` : '';
  switch (report.status) {
    case 'done':
      return `The night ended well in ${report.seconds} s${tries}${report.up_to_date ? '; there was nothing new' : ''}.`;
    case 'stopped':
      return 'The night was stopped; the next one takes it up.';
    case 'skipped':
      return `Another run held the database${tries}; the night is left to it. ${report.message ?? ''}`;
    case 'failed':
      return `The night failed (${endingOf(end)})${tries}. ${report.message ?? ''}`;
  }
}
