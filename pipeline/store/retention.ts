/** Keeps the database from growing without bound: history by the number of runs, and pages that are free. */

import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Store } from './open.ts';

/**
 * Drops what is told of runs `keep` and more before this one: topic sizes, events, stage times, settings and
 * summaries. The run's own row stays, since topics refer to the run in which they were born. Depends on run
 * numbers alone, so that a run that is done again drops the same.
 */
export function pruneHistory(store: Store, runNumber: number, keep: number): void {
  const oldest = runNumber - keep;
  if (oldest < 1) return;
  store
    .transaction(() => {
      store.prepare('DELETE FROM topic_event WHERE run_number <= ?').run(oldest);
      // The last sizes are what tonight's topics are matched to, however long ago that was.
      store
        .prepare(
          'DELETE FROM topic_size WHERE run_number <= ? AND run_number < (SELECT max(run_number) FROM topic_size)',
        )
        .run(oldest);
      store
        .prepare(
          'DELETE FROM clustering WHERE run_number <= ? AND run_number < (SELECT max(run_number) FROM clustering)',
        )
        .run(oldest);
      store.prepare('DELETE FROM stage_run WHERE run_number <= ?').run(oldest);
      store
        .prepare("UPDATE run SET config = '{}', summary = NULL WHERE run_number <= ? AND config <> '{}'")
        .run(oldest);
    })
    .immediate();
}

export interface ReclaimLimits {
  /** Free pages are given back where they come to this share of the file… */
  leastShare: number;
  /** …and to this many bytes: the next night would only ask for them again. */
  leastBytes: number;
}

const usualLimits: ReclaimLimits = { leastShare: 0.3, leastBytes: 64e6 };

/** VACUUM writes the database to a temporary file and back. */
const vacuumSpace = 2.2;

export function databaseBytes(store: Store): number {
  return pragmaNumber(store, 'page_count') * pragmaNumber(store, 'page_size');
}

/**
 * Gives free pages back to the file system where there are many.
 *
 * @returns Bytes given back; 0 where it was not worth it or the disk has no room for it.
 */
export function reclaim(store: Store, path: string, limits: ReclaimLimits = usualLimits): number {
  const bytes = databaseBytes(store);
  const free = pragmaNumber(store, 'freelist_count') * pragmaNumber(store, 'page_size');
  if (free < limits.leastBytes || free < limits.leastShare * bytes) return 0;
  const { bavail, bsize } = statfsSync(dirname(path));
  if (bavail * bsize < vacuumSpace * (bytes - free)) return 0;
  store.exec('VACUUM');
  store.pragma('wal_checkpoint(TRUNCATE)');
  return bytes - databaseBytes(store);
}

function pragmaNumber(store: Store, name: string): number {
  return store.pragma(name, { simple: true }) as number;
}
