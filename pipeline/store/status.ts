/** How much is stored, for the status command. */

import type { Store } from './open.ts';

export function countStored(store: Store): Record<string, number> {
  const queries = {
    documents: 'SELECT count(*) FROM document',
    rows_left_out: 'SELECT count(*) FROM skipped_row',
    mentions: 'SELECT count(*) FROM mention',
    entities: 'SELECT count(*) FROM entity',
    embeddings: 'SELECT count(*) FROM embedding',
    positions: 'SELECT count(*) FROM position',
    topics: 'SELECT count(*) FROM topic WHERE size > 0',
  };
  return Object.fromEntries(
    Object.entries(queries).map(([name, query]) => [name, store.prepare(query).pluck().get() as number]),
  );
}
