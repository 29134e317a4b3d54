/**
 * What a monitor asks of the scheduler: how the last night ended, when the next begins. A file that is always
 * whole, and which also tells a scheduler that is started again when the last night was.
 */

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export type NightStatus = 'done' | 'failed' | 'skipped' | 'stopped';

/** How a night ended; times as ISO 8601 in UTC. */
export interface NightReport {
  planned_at: string;
  started_at: string;
  finished_at: string;
  /**
   * done; failed (after the last try); skipped: another run held the lock to the end of the tries;
   * stopped: the scheduler was told to stop.
   */
  status: NightStatus;
  /** Null where the night was ended by a signal. */
  exit_code: number | null;
  attempts: number;
  seconds: number;
  run_id: string | null;
  /** Whether there was nothing new; null where the night did not end well. */
  up_to_date: boolean | null;
  documents: number | null;
  topics: number | null;
  noise_share: number | null;
  /** What the night said last where it failed. */
  message: string | null;
}

export interface Health {
  /** waiting for the next night, running one, or stopped. */
  status: 'waiting' | 'running' | 'stopped';
  healthy: boolean;
  process: number;
  scheduler_started_at: string;
  /** Renewed every minute while the scheduler lives. */
  updated_at: string;
  next_run: string | null;
  running_since: string | null;
  last_success_at: string | null;
  failures_in_a_row: number;
  last_night: NightReport | null;
}

/** Writes aside and renames: whoever reads finds one whole state. */
export function writeHealth(path: string, health: Health): void {
  const aside = `${path}.${process.pid}.partial`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(aside, `${JSON.stringify(health, null, 2)}\n`);
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

/** What an earlier scheduler left that matters to the next; a file that is missing or broken tells nothing. */
export function readHealth(
  path: string,
): Pick<Health, 'last_success_at' | 'failures_in_a_row' | 'last_night'> {
  const nothing = { last_success_at: null, failures_in_a_row: 0, last_night: null };
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return nothing;
    const found = value as Partial<Health>;
    return {
      last_success_at: isTime(found.last_success_at) ? found.last_success_at : null,
      failures_in_a_row: Number.isSafeInteger(found.failures_in_a_row) ? Number(found.failures_in_a_row) : 0,
      last_night: isNight(found.last_night) ? found.last_night : null,
    };
  } catch {
    return nothing;
  }
}

function isNight(value: unknown): value is NightReport {
  if (typeof value !== 'object' || value === null) return false;
  const night = value as Partial<NightReport>;
  return isTime(night.planned_at) && isTime(night.started_at) && typeof night.status === 'string';
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}
