/**
 * Sources of many files, such as a folder that grows: each file is read once, and again when it changes. What was
 * read of which file is the cursor.
 */

import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import * as z from 'zod';
import type { SourceChanges, SourceJob } from '../../pipeline/contract.ts';
import { Interrupted, UserError } from '../../pipeline/errors.ts';
import type { SourceConfig } from './config.ts';
import { checkedRows } from './kept-records.ts';
import type { SourceRows } from './source-row.ts';
import { DamagedArchive } from './text-stream.ts';

/** Rows of a piece; up to one piece of the file more. */
const rowsAtOnce = 500;

export interface PartFile {
  /** Tells the file from the others; stays when the folder moves. */
  name: string;
  /** Changes when the file does. */
  fingerprint: () => Promise<string>;
  /** Gives its rows, and the ids of records that it says are gone. */
  read: (signal: AbortSignal) => AsyncIterable<SourceRows & { deleted?: string[] }>;
}

export interface FileRules {
  /**
   * Files are a log: what a later one says holds, so that all after a changed one are read again, and what is in
   * none of them any more stays.
   */
  isLog: boolean;
}

const cursorSchema = z.object({
  /** Number of this reading; rows of a file that an earlier one saw and this one does not are gone. */
  pass: z.int().min(0),
  files: z.record(z.string(), z.string()),
});

/** @param files In the order in which they are read. */
export async function* changesOfFiles(
  files: readonly PartFile[],
  cursor: string | null,
  config: SourceConfig,
  rules: FileRules,
  job: SourceJob,
): AsyncGenerator<SourceChanges> {
  const stored = cursor === null ? { pass: 0, files: {} } : cursorSchema.parse(JSON.parse(cursor));
  const known = new Map(Object.entries(stored.files));
  const pass = stored.pass + 1;
  const cursorNow = (): string => JSON.stringify({ pass, files: Object.fromEntries(known) });
  const nothing = {
    part: '',
    pass,
    records: [],
    skipped: [],
    deleted: [],
    endsListing: false,
    droppedParts: [],
  };

  const changed: PartFile[] = [];
  const fingerprints = new Map<string, string>();
  for (const file of files) {
    stopIfAsked(job, file.name);
    const fingerprint = await file.fingerprint();
    fingerprints.set(file.name, fingerprint);
    const isLater = rules.isLog && changed.length > 0;
    if (isLater || known.get(file.name) !== fingerprint) changed.push(file);
  }
  const gone = rules.isLog ? [] : [...known.keys()].filter((name) => !fingerprints.has(name));
  if (changed.length === 0 && gone.length === 0) return;

  // The number of the reading is stored before anything of it is, so that no two readings share one.
  for (const name of gone) known.delete(name);
  yield { ...nothing, cursor: cursorNow(), droppedParts: gone };
  for (const file of changed) {
    let piece: SourceRows & { deleted: string[] } = { rows: [], faulty: [], deleted: [] };
    const unfinished = cursorNow();
    const toChanges = (): Omit<SourceChanges, 'cursor' | 'endsListing'> => {
      const { records, skipped } = checkedRows(piece, config);
      const named = skipped.map((row) => ({ ...row, detail: `${row.detail} (${file.name})` }));
      return { ...nothing, part: file.name, records, skipped: named, deleted: piece.deleted };
    };
    for await (const more of readPart(file, job)) {
      stopIfAsked(job, file.name);
      piece.rows.push(...more.rows);
      piece.faulty.push(...more.faulty);
      piece.deleted.push(...(more.deleted ?? []));
      if (piece.rows.length + piece.faulty.length + piece.deleted.length < rowsAtOnce) continue;
      yield { ...toChanges(), cursor: unfinished, endsListing: false };
      piece = { rows: [], faulty: [], deleted: [] };
    }
    known.set(file.name, fingerprints.get(file.name) ?? '');
    yield { ...toChanges(), cursor: cursorNow(), endsListing: !rules.isLog };
  }
}

async function* readPart(
  file: PartFile,
  job: SourceJob,
): AsyncGenerator<SourceRows & { deleted?: string[] }> {
  try {
    yield* file.read(job.signal);
  } catch (error) {
    if (!(error instanceof DamagedArchive)) throw error;
    throw new UserError(
      `ingest: expected a whole gzip file as ${file.name}, found it cut off or damaged (${error.message}). Copy or download it again.`,
      { cause: error },
    );
  }
}

function stopIfAsked({ signal }: SourceJob, name: string): void {
  if (signal.aborted) throw new Interrupted(`ingest: stopped at ${name}.`);
}

/**
 * The files that paths name: files themselves, and those in folders whose names fit.
 *
 * @returns Absolute paths by name, in the order of their names.
 * @throws UserError for a path where there is nothing, and where nothing is found in a folder.
 */
export function filesAt(paths: readonly string[], baseFolder: string, fits: RegExp): Map<string, string> {
  const found = new Map<string, string>();
  const add = (path: string): void => {
    const name = basename(path);
    const other = found.get(name);
    if (other !== undefined && other !== path) {
      throw new UserError(
        `ingest: expected files of different names, found ${other} and ${path} (ingest.path).`,
      );
    }
    found.set(name, path);
  };
  for (const path of paths.map((one) => resolve(baseFolder, one))) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) {
      throw new UserError(
        `ingest: expected a file or a folder at ${path} (ingest.path), found nothing there.`,
      );
    }
    if (stat.isFile()) {
      add(path);
      continue;
    }
    const names = stat.isDirectory() ? readdirSync(path).filter((name) => fits.test(name)) : [];
    if (names.length === 0) {
      throw new UserError(
        `ingest: expected files in ${path} (ingest.path), found none named as ${fits.source}.`,
      );
    }
    for (const name of names) add(join(path, name));
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}
