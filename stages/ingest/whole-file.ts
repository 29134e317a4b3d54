/** Reads one file as a whole, whatever its format: rows checked and in batches, and what was noticed on the way. */

import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { IngestBatch, Job } from '../../pipeline/contract.ts';
import { Interrupted, UserError } from '../../pipeline/errors.ts';
import { readBibtex } from './bibtex-source.ts';
import { checkRow, createMendCounts } from './check-record.ts';
import type { SourceConfig, WholeSource } from './config.ts';
import { readCsv } from './csv-source.ts';
import { countDamage, type DamageCount, describeDamage } from './damaged-abstracts.ts';
import { readJsonl } from './jsonl-source.ts';
import { describeMends } from './mend-notices.ts';
import { readRis } from './ris-source.ts';
import type { SourceReport, SourceRows } from './source-row.ts';
import { DamagedArchive, readText } from './text-stream.ts';

/** Rows that make a batch, and up to one piece of the file more: enough for a transaction, little for memory. */
const batchSize = 500;

/** How rows are read from the pieces of a file's text. */
type FormatReader = (
  texts: AsyncIterable<string>,
  config: SourceConfig,
  path: string,
  report: SourceReport,
) => AsyncIterable<SourceRows>;

const readers: Record<WholeSource, FormatReader> = {
  csv: readCsv,
  jsonl: readJsonl,
  bibtex: readBibtex,
  ris: readRis,
};

/** @throws UserError for a path where there is no file. */
export function checkedFiles(paths: string[]): string[] {
  for (const path of paths) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isFile()) continue;
    const what = found === undefined ? 'nothing there' : 'a folder or device';
    throw new UserError(`ingest: expected a file at ${path} (ingest.path), found ${what}.`);
  }
  return paths;
}

/** @param isOneOfMany Whether skipped rows must name their file, as a line number alone does not say it. */
export async function* readFile(
  path: string,
  isOneOfMany: boolean,
  config: SourceConfig & { source: WholeSource },
  job: Pick<Job<unknown>, 'signal' | 'notice'>,
): AsyncGenerator<Omit<IngestBatch, 'source'>> {
  const name = basename(path);
  const report: SourceReport = { recognised: null, abstractName: 'abstract', line: 0 };
  const mends = createMendCounts();
  const damage: DamageCount = { judged: 0, damaged: 0 };
  const place = isOneOfMany ? ` (${name})` : '';
  let rows = 0;
  let kept = 0;
  let batch: Omit<IngestBatch, 'source'> = { records: [], skipped: [] };

  const source = readers[config.source](readText(path, config.encoding), config, path, report);
  try {
    for await (const piece of source) {
      if (job.signal.aborted) throw new Interrupted(`ingest: stopped at line ${report.line} of ${path}.`);
      for (const row of piece.faulty) batch.skipped.push({ ...row, detail: row.detail + place });
      for (const row of piece.rows) {
        const checked = checkRow(row, config, mends);
        if ('record' in checked) {
          batch.records.push(checked.record);
          countDamage(damage, checked.record.abstract);
          kept++;
        } else {
          batch.skipped.push({ ...checked.skipped, detail: checked.skipped.detail + place });
        }
      }
      rows += piece.faulty.length + piece.rows.length;
      if (batch.records.length + batch.skipped.length >= batchSize) {
        yield batch;
        batch = { records: [], skipped: [] };
      }
    }
  } catch (error) {
    if (!(error instanceof DamagedArchive)) throw error;
    throw new UserError(
      `ingest: expected a whole gzip file at ${path}, found it cut off or damaged after line ${report.line}, ` +
        `${rows.toLocaleString('en-US')} rows in (${error.message}). Copy or download it again.`,
      { cause: error },
    );
  }
  if (batch.records.length + batch.skipped.length > 0) yield batch;
  if (rows === 0) throw new UserError(`ingest: expected rows in ${path}, found none below the header.`);

  if (report.recognised !== null) job.notice(report.recognised.replace(path, name));
  for (const notice of describeMends(mends, kept, name)) job.notice(notice);
  const warning = describeDamage(damage, name, report.abstractName);
  if (warning !== null) job.notice(warning);
}
