/** The most cited and the newest documents of each topic, where sources tell of citations and dates. */

import type { ExportInput, PaperColumns } from '../../pipeline/contract.ts';
import type { Counts } from './counts.ts';

export interface PaperRanks {
  /** [n] place among its topic's documents by citations, from 1; 0 where it has none or is an outlier. */
  byCitations: Int32Array;
  /** The same by date, newest first. */
  byDate: Int32Array;
  /** Rows of each topic, most cited first; those without a count are left out. */
  mostCited: number[][];
  /** Rows of each topic, newest first; those without a date are left out. */
  newest: number[][];
}

/** Ties go to the lower id. */
export function paperRanks(input: ExportInput, papers: PaperColumns, counts: Counts): PaperRanks {
  const n = input.documents.id.length;
  const { year } = input.documents;
  const dates = papers.published.map((date, row) => (date === '' ? String(year[row] ?? '') : date));
  const rowsOf: number[][] = input.topics.topicId.map(() => []);
  for (const row of counts.order) if (counts.topicOf[row] >= 0) rowsOf[counts.topicOf[row]].push(row);
  // Rows come by id, and sorting leaves equals as they come.
  const mostCited = rowsOf.map((rows) =>
    rows
      .filter((row) => papers.citations[row] >= 0)
      .sort((a, b) => papers.citations[b] - papers.citations[a]),
  );
  const newest = rowsOf.map((rows) =>
    rows
      .filter((row) => dates[row] !== '')
      .sort((a, b) => (dates[a] > dates[b] ? -1 : dates[a] < dates[b] ? 1 : 0)),
  );
  return { byCitations: places(mostCited, n), byDate: places(newest, n), mostCited, newest };
}

function places(lists: readonly number[][], n: number): Int32Array {
  const result = new Int32Array(n);
  for (const rows of lists) {
    for (let place = 0; place < rows.length; place++) result[rows[place]] = place + 1;
  }
  return result;
}
