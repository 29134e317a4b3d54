/**
 * ingest: reads papers from a file, cleans and checks each row, and gives records in batches. A row that is
 * left out is given as well, with its reason. Which of two duplicates is kept is decided by the store, over
 * the whole corpus.
 */

import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { IngestBatch, Job, SourceStage } from '../../pipeline/contract.ts';
import { Interrupted, UserError } from '../../pipeline/errors.ts';
import { checkRow, createMendCounts } from './check-record.ts';
import { type IngestConfig, section } from './config.ts';
import { readCsv } from './csv-source.ts';
import { countDamage, type DamageCount, describeDamage } from './damaged-abstracts.ts';
import { readJsonl } from './jsonl-source.ts';
import { describeMends } from './mend-notices.ts';
import type { SourceReport } from './source-row.ts';
import { DamagedArchive, readText } from './text-stream.ts';

/** Rows that make a batch, and up to one piece of the file more: enough for a transaction, little for memory. */
const batchSize = 500;

export const stage: SourceStage<IngestConfig> = {
  name: 'ingest',
  version: 1,
  section,
  seeded: false,
  files,
  read,
};

/** @throws UserError for a path where there is no file. */
function files(config: IngestConfig, baseFolder: string): string[] {
  const paths = typeof config.path === 'string' ? [config.path] : config.path;
  const absolute = [...new Set(paths.map((path) => resolve(baseFolder, path)))];
  for (const path of absolute) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isFile()) continue;
    const what = found === undefined ? 'nothing there' : 'a folder or device';
    throw new UserError(`ingest: expected a file at ${path} (ingest.path), found ${what}.`);
  }
  return absolute;
}

async function* read(job: Job<IngestConfig>): AsyncGenerator<IngestBatch> {
  const paths = files(job.config, job.baseFolder);
  let done = 0;
  for (const path of paths) {
    for await (const batch of readFile(path, paths.length > 1, job)) {
      done += batch.records.length + batch.skipped.length;
      job.progress(done);
      yield batch;
    }
  }
}

/** @param isOneOfMany Whether skipped rows must name their file, as a line number alone does not say it. */
async function* readFile(
  path: string,
  isOneOfMany: boolean,
  job: Job<IngestConfig>,
): AsyncGenerator<IngestBatch> {
  const { config } = job;
  const name = basename(path);
  const report: SourceReport = { recognised: null, abstractName: 'abstract', line: 0 };
  const mends = createMendCounts();
  const damage: DamageCount = { judged: 0, damaged: 0 };
  const place = isOneOfMany ? ` (${name})` : '';
  let rows = 0;
  let kept = 0;
  let batch: IngestBatch = { records: [], skipped: [] };

  const texts = readText(path, config.encoding);
  const source =
    config.source === 'csv' ? readCsv(texts, config, path, report) : readJsonl(texts, config, path, report);
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
