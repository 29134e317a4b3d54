/** What sources whose records are kept share: their identity, and rows checked into records. */

import { hash } from 'node:crypto';
import type { IngestedRecord, SkippedRow } from '../../pipeline/contract.ts';
import { checkRow, createMendCounts } from './check-record.ts';
import type { SourceConfig } from './config.ts';
import type { SourceRows } from './source-row.ts';

/** Raised when rows of kept sources would be read otherwise: all of them are then fetched again. */
const version = 1;

/**
 * What a source is asked, as one text: equal for equal questions.
 *
 * @param asked What decides which records there are.
 */
export function identityOf(config: SourceConfig, asked: unknown): string {
  const { source, min_text_length, max_text_length, retracted } = config;
  const rules = { min_text_length, max_text_length, keepRetracted: retracted === 'keep' };
  return hash('sha256', JSON.stringify([version, source, asked, rules]));
}

/** Rows as records, or as rows left out. */
export function checkedRows(
  { rows, faulty }: SourceRows,
  config: SourceConfig,
): { records: IngestedRecord[]; skipped: SkippedRow[] } {
  const mends = createMendCounts();
  const records: IngestedRecord[] = [];
  const skipped: SkippedRow[] = [...faulty];
  for (const row of rows) {
    const checked = checkRow(row, config, mends);
    if ('record' in checked) records.push(checked.record);
    else skipped.push(checked.skipped);
  }
  return { records, skipped };
}
