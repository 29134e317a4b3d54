import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pruneExports } from '../../pipeline/prune-exports.ts';

const newest = Date.parse('2020-06-30T02:00:00Z');

/** An export folder with a run of each name, one day apart, the last the newest. */
function exportsOf(names: readonly string[], latest: string | null = names.at(-1) ?? null): string {
  const folder = mkdtempSync(join(tmpdir(), 'scinertopic-prune-'));
  names.forEach((name, place) => {
    const run = join(folder, 'runs', name);
    mkdirSync(run, { recursive: true });
    writeFileSync(join(run, 'topics.csv'), 'topic_id\r\n');
    writeFileSync(join(run, 'manifest.json'), '{}');
    const time = new Date(newest - (names.length - 1 - place) * 86_400_000);
    utimesSync(join(run, 'manifest.json'), time, time);
  });
  if (latest !== null) symlinkSync(join('runs', latest), join(folder, 'latest'));
  return folder;
}

const left = (folder: string): string[] => readdirSync(join(folder, 'runs')).sort();
const all = { keep_runs: 'all', keep_days: 'all' } as const;

describe('pruneExports', () => {
  it('keeps the newest by count, by the number and not by the name', () => {
    const folder = exportsOf(['run-9998', 'run-9999', 'run-10000', 'run-10001']);
    expect(pruneExports(folder, { ...all, keep_runs: 2 })).toEqual(['run-9999', 'run-9998']);
    expect(left(folder)).toEqual(['run-10000', 'run-10001']);
    expect(pruneExports(folder, { ...all, keep_runs: 2 })).toEqual([]);
  });

  it('drops what is older than the newest run by more than the days, however long ago that was', () => {
    const folder = exportsOf(['run-0001', 'run-0002', 'run-0003', 'run-0004']);
    expect(pruneExports(folder, { ...all, keep_days: 2 })).toEqual(['run-0001']);
    expect(pruneExports(folder, all)).toEqual([]);
  });

  it('never drops what latest shows, even where it is an old run', () => {
    const folder = exportsOf(['run-0001', 'run-0002', 'run-0003'], 'run-0001');
    expect(pruneExports(folder, { keep_runs: 1, keep_days: 1 })).toEqual(['run-0002']);
    expect(existsSync(join(folder, 'latest', 'manifest.json'))).toBe(true);
  });

  it('counts runs that were moved aside, and leaves alone what is no run', () => {
    const folder = exportsOf([
      'run-0001',
      'run-0002.replaced-1',
      'run-0002.replaced-2',
      'run-0002',
      'run-0003',
    ]);
    mkdirSync(join(folder, 'runs', 'run-0000'));
    mkdirSync(join(folder, 'runs', 'mine'));
    writeFileSync(join(folder, 'runs', 'run-0000', 'my-notes'), '');
    expect(pruneExports(folder, { ...all, keep_runs: 3 })).toEqual(['run-0002.replaced-1', 'run-0001']);
    expect(left(folder)).toEqual(['mine', 'run-0000', 'run-0002', 'run-0002.replaced-2', 'run-0003']);
  });

  it('removes what a crash left half removed, and does nothing where there is nothing', () => {
    const folder = exportsOf(['run-0001.removed', 'run-0002']);
    expect(pruneExports(folder, all)).toEqual([]);
    expect(left(folder)).toEqual(['run-0002']);
    expect(pruneExports(join(folder, 'none'), all)).toEqual([]);
  });
});
