/** `scinertopic status`: what is stored, what is stale and why, and the last runs. */

import { existsSync, statSync } from 'node:fs';
import { sourceRevisions } from '../fetch-sources.ts';
import { lookOutside, type Outside, planAll } from '../plan.ts';
import { databasePath, loadSettings } from '../settings.ts';
import { backupsOf } from '../store/backup-files.ts';
import { type RunSize, runSizes } from '../store/growth.ts';
import { isLocked } from '../store/lock.ts';
import { openForReading } from '../store/open.ts';
import { lastRuns, type RunRow, readStates } from '../store/runs.ts';
import { countSources } from '../store/sources.ts';
import { countStored } from '../store/status.ts';
import { type Console, count, percent, table } from './console.ts';

export interface StatusArguments {
  config: string;
  set?: string[];
  json?: boolean;
}

/** Runs that are shown, newest first. */
const shownRuns = 5;

export async function statusCommand(given: StatusArguments, console: Console): Promise<void> {
  const settings = loadSettings(given.config, given.set);
  const path = databasePath(settings);
  const outside: Outside = await lookOutside(settings, { orMissing: true });
  if (!existsSync(path)) {
    const stages = planAll(settings, outside, new Map());
    if (given.json) console.out(JSON.stringify({ database: path, exists: false, stages, runs: [] }));
    else console.out(`No database at ${path} yet; every stage would run.`);
    return;
  }
  const store = openForReading(path);
  try {
    const stored = countStored(store);
    const sources = countSources(store);
    const now = { ...outside, sources: sourceRevisions(store, settings) };
    const stages = planAll(settings, now, readStates(store));
    const runs = lastRuns(store, shownRuns).map((run) => shownRun(run, isLocked(path)));
    const bytes = statSync(path).size;
    const growth = runSizes(store, shownRuns + 1);
    const backups = backupsOf(path).map((copy) => ({ path: copy, bytes: statSync(copy).size }));
    if (given.json) {
      const sizes = growth.map(shownSize);
      console.out(
        JSON.stringify({
          database: path,
          exists: true,
          bytes,
          stored,
          sources,
          stages,
          runs,
          growth: sizes,
          backups,
        }),
      );
      return;
    }
    console.out(`Database ${path}, ${megabytes(bytes)}`);
    const rows: [string, number][] = Object.entries(stored);
    for (const line of table(rows.map(([name, rowCount]) => [name.replaceAll('_', ' '), rowCount]))) {
      console.out(`  ${line}`);
    }
    if (sources.length > 0) console.out('Sources, asked for what is new by each run');
    for (const { name, records, unread } of sources) {
      console.out(
        `  ${name.padEnd(9)} ${count(records)} records${unread === 0 ? '' : `, ${count(unread)} left out`}`,
      );
    }
    console.out('Stages');
    for (const { name, why } of stages) {
      console.out(`  ${name.padEnd(9)} ${why.length === 0 ? 'up to date' : `stale: ${why.join('; ')}`}`);
    }
    console.out('Last runs');
    for (const run of runs) {
      const attempts = run.attempts > 1 ? `, ${count(run.attempts)} attempts` : '';
      console.out(
        `  ${run.run_id}  ${run.status.padEnd(11)} ${run.started_at} – ${run.finished_at ?? '…'}${attempts}`,
      );
    }
    console.out('Growth');
    for (const line of describeGrowth(growth)) console.out(`  ${line}`);
    console.out('Backups');
    for (const { path: copy, bytes: size } of backups) console.out(`  ${copy}, ${megabytes(size)}`);
    if (backups.length === 0)
      console.out('  none yet: one is made before each run that changes the database');
  } finally {
    store.close();
  }
}

/** A run that was killed could not say so: it is running only while the lock is held. */
function shownRun({ runId, status, attempts, startedAt, finishedAt }: RunRow, locked: boolean) {
  const shown = status === 'running' && !locked ? 'cut off' : status;
  return { run_id: runId, status: shown, attempts, started_at: startedAt, finished_at: finishedAt };
}

function shownSize({ runId, documents, topics, noiseShare, databaseBytes }: RunSize) {
  return { run_id: runId, documents, topics, noise_share: noiseShare, database_bytes: databaseBytes };
}

/** What each run left, and how much more that was than the one before. */
function describeGrowth(sizes: readonly RunSize[]): string[] {
  const change = (now: number, before: number | null | undefined, scale = 1): string => {
    const more = Math.round((now - (before ?? now)) / scale);
    return more === 0 ? '' : ` (${more > 0 ? '+' : '−'}${count(Math.abs(more))})`;
  };
  return sizes.slice(0, shownRuns).map((size, place) => {
    const before = sizes[place + 1];
    const parts: string[] = [];
    if (size.documents !== null) {
      parts.push(`${count(size.documents)}${change(size.documents, before?.documents)} documents`);
    }
    if (size.topics !== null)
      parts.push(`${count(size.topics)}${change(size.topics, before?.topics)} topics`);
    if (size.noiseShare !== null) parts.push(`${percent(size.noiseShare)} in none`);
    if (size.databaseBytes !== null) {
      parts.push(`${megabytes(size.databaseBytes)}${change(size.databaseBytes, before?.databaseBytes, 1e6)}`);
    }
    return `${size.runId}  ${parts.join(', ') || 'not told'}`;
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
