/**
 * Removes the files of earlier runs from the export folder, by count and by age. Never those that `latest`
 * shows, and nothing that no run has made.
 */

import { existsSync, readdirSync, readlinkSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface ExportRetention {
  /** Runs whose files stay, the newest included. */
  keep_runs: number | 'all';
  /** Days before the newest run after which a run's files go. */
  keep_days: number | 'all';
}

const millisecondsPerDay = 86_400_000;

/** A folder on its way out; what a crash leaves of one is removed the next time. */
const leaving = '.removed';

/**
 * Age is counted from the newest run and not from now: a clock that is wrong, or a job that rested for long,
 * costs nothing.
 *
 * @returns Names of what was removed, newest first.
 */
export function pruneExports(directory: string, { keep_runs, keep_days }: ExportRetention): string[] {
  const runs = join(directory, 'runs');
  if (!existsSync(runs)) return [];
  for (const name of readdirSync(runs)) {
    if (name.startsWith('run-') && name.endsWith(leaving))
      rmSync(join(runs, name), { recursive: true, force: true });
  }
  const found = publishedRuns(runs);
  const shown = shownRun(directory) ?? found[0]?.name;
  const newest = found.find(({ name }) => name === shown)?.time ?? found[0]?.time ?? 0;
  const tooMany = keep_runs === 'all' ? Number.POSITIVE_INFINITY : keep_runs;
  const tooOld = keep_days === 'all' ? Number.NEGATIVE_INFINITY : newest - keep_days * millisecondsPerDay;
  const removed = found.filter(
    ({ name, time }, place) => name !== shown && (place >= tooMany || time < tooOld),
  );
  for (const { name } of removed) {
    // Renamed first: what is half removed must not look like a run.
    renameSync(join(runs, name), join(runs, `${name}${leaving}`));
    rmSync(join(runs, `${name}${leaving}`), { recursive: true, force: true });
  }
  return removed.map(({ name }) => name);
}

/** Whole runs, newest first; one that was moved aside follows the one that took its name. */
function publishedRuns(runs: string): { name: string; time: number }[] {
  const parts = (name: string): [number, number] => {
    const match = /^run-(\d+)(?:\.replaced-(\d+))?$/.exec(name);
    return [Number(match?.[1] ?? -1), Number(match?.[2] ?? Number.POSITIVE_INFINITY)];
  };
  return readdirSync(runs)
    .filter((name) => parts(name)[0] >= 0 && existsSync(join(runs, name, 'manifest.json')))
    .sort((a, b) => parts(b)[0] - parts(a)[0] || (parts(b)[1] > parts(a)[1] ? 1 : -1))
    .map((name) => ({ name, time: statSync(join(runs, name, 'manifest.json')).mtimeMs }));
}

/** The run that `latest` links to; null where it is a copy. */
function shownRun(directory: string): string | null {
  try {
    return basename(readlinkSync(join(directory, 'latest')));
  } catch {
    return null;
  }
}
