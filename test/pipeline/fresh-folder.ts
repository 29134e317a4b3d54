/** Runs the command line as a user does, in a folder of its own, on the first rows of the shipped sample. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const cli = join(root, 'dist', 'pipeline', 'cli.js');

export interface SampleRow {
  id: string;
  doi: string;
  title: string;
  abstract: string;
  year: string;
  field: string;
}

/** Whole records of the shipped sample: the rows that are broken on purpose are left out. */
export function sampleRows(): SampleRow[] {
  const rows: SampleRow[] = parse(readFileSync(join(root, 'data', 'sample', 'papers.csv')), {
    columns: true,
    bom: true,
    relax_column_count: true,
    skip_records_with_error: true,
    relax_quotes: true,
  });
  return rows.filter((row) => row.id && row.title && row.abstract?.length > 100);
}

/** A new folder with config.yaml and papers.csv. */
export function freshFolder(rows: readonly SampleRow[], settings = ''): string {
  const folder = mkdtempSync(join(tmpdir(), 'scinertopic-run-'));
  writePapers(folder, rows);
  writeFileSync(
    join(folder, 'config.yaml'),
    `ingest:\n  source: csv\n  path: papers.csv\ncluster:\n  min_cluster_size: 8\n${settings}`,
  );
  return folder;
}

export function writePapers(folder: string, rows: readonly SampleRow[]): void {
  writeFileSync(join(folder, 'papers.csv'), stringify([...rows], { header: true }));
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Starts `scinertopic …` in a folder. */
export function start(folder: string, ...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  return startWith({}, folder, ...args);
}

/** The same with more variables in its environment. */
export function startWith(
  variables: Readonly<Record<string, string>>,
  folder: string,
  ...args: string[]
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...variables },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((done) => {
    child.on('close', (code, signal) => done({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

/** Runs `scinertopic …` to its end. */
export function run(folder: string, ...args: string[]): Promise<Ended> {
  return start(folder, ...args).ended;
}

/** sha256 of every file below outputs/latest, by name. */
export function exportedBytes(folder: string): Record<string, string> {
  const latest = join(folder, 'outputs', 'latest');
  const names = readdirSync(latest, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    names
      .filter((name) => statSync(join(latest, name)).isFile())
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(latest, name)))
          .digest('hex'),
      ]),
  );
}
