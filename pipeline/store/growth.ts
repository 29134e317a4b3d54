/** How much there was after each of the last runs, as their summaries tell it. */

import type { Store } from './open.ts';

export interface RunSize {
  runId: string;
  /** Null where the summary is of an earlier version, or was dropped. */
  documents: number | null;
  topics: number | null;
  noiseShare: number | null;
  databaseBytes: number | null;
}

/** The last runs that finished, newest first. */
export function runSizes(store: Store, count: number): RunSize[] {
  return store
    .prepare(
      `SELECT run_id AS runId, summary ->> '$.documentsOut' AS documents, summary ->> '$.topics' AS topics,
         summary ->> '$.noiseShare' AS noiseShare, summary ->> '$.databaseBytes' AS databaseBytes
       FROM run WHERE status = 'done' ORDER BY run_number DESC LIMIT ?`,
    )
    .all(count) as RunSize[];
}
