/** `scinertopic status`: what is stored, what is stale and why, and the last runs. */

import { existsSync, statSync } from 'node:fs';
import { lookOutside, planAll } from '../plan.ts';
import { databasePath, loadSettings } from '../settings.ts';
import { isLocked } from '../store/lock.ts';
import { openForReading } from '../store/open.ts';
import { lastRuns, type RunRow, readStates } from '../store/runs.ts';
import { countStored } from '../store/status.ts';
import { type Console, count, table } from './console.ts';

export interface StatusArguments {
  config: string;
  set?: string[];
  json?: boolean;
}

export async function statusCommand(given: StatusArguments, console: Console): Promise<void> {
  const settings = loadSettings(given.config, given.set);
  const path = databasePath(settings);
  const outside = await lookOutside(settings, { orMissing: true });
  if (!existsSync(path)) {
    const stages = planAll(settings, outside, new Map());
    if (given.json) console.out(JSON.stringify({ database: path, exists: false, stages, runs: [] }));
    else console.out(`No database at ${path} yet; every stage would run.`);
    return;
  }
  const store = openForReading(path);
  try {
    const stored = countStored(store);
    const stages = planAll(settings, outside, readStates(store));
    const runs = lastRuns(store, 5).map((run) => shownRun(run, isLocked(path)));
    const bytes = statSync(path).size;
    if (given.json) {
      console.out(JSON.stringify({ database: path, exists: true, bytes, stored, stages, runs }));
      return;
    }
    console.out(`Database ${path}, ${(bytes / 1e6).toFixed(1)} MB`);
    const rows: [string, number][] = Object.entries(stored);
    for (const line of table(rows.map(([name, rowCount]) => [name.replaceAll('_', ' '), rowCount]))) {
      console.out(`  ${line}`);
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
  } finally {
    store.close();
  }
}

/** A run that was killed could not say so: it is running only while the lock is held. */
function shownRun({ runId, status, attempts, startedAt, finishedAt }: RunRow, locked: boolean) {
  const shown = status === 'running' && !locked ? 'cut off' : status;
  return { run_id: runId, status: shown, attempts, started_at: startedAt, finished_at: finishedAt };
}
