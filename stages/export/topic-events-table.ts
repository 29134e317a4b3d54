/**
 * topic_events.csv: what became of topics in every run so far; runs oldest first, then by topic id, event,
 * and the ids it came from.
 */

import type { ExportFile, ExportInput } from '../../pipeline/contract.ts';
import { csvTable, listCell, textCell } from './csv-table.ts';

const header = ['run_id', 'event', 'topic_id', 'from_topic_ids', 'reason'];

export function topicEventsTable(input: ExportInput): ExportFile {
  // Runs come oldest first; their ids need not sort that way.
  const runs = [...new Set(input.events.map(({ runId }) => runId))];
  const runAt = new Map(runs.map((runId, place) => [runId, place]));
  const events = input.events.map((event) => ({
    ...event,
    run: runAt.get(event.runId) ?? 0,
    from: listCell(event.fromTopicIds.map(String)),
  }));
  events.sort(
    (a, b) => a.run - b.run || a.topicId - b.topicId || compare(a.event, b.event) || compare(a.from, b.from),
  );
  return csvTable('topic_events.csv', header, () =>
    events.map(({ runId, event, topicId, from, reason }) => [
      textCell(runId),
      event,
      String(topicId),
      from,
      textCell(reason),
    ]),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
