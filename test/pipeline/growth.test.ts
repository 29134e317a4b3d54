import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshFolder, run, sampleRows, writePapers } from './fresh-folder.ts';

const args = ['--config', 'config.yaml'];

describe('what is kept from night to night', () => {
  it('is shown by status with its growth, and bounded by keep_runs and backups', async () => {
    const rows = sampleRows();
    const folder = freshFolder(rows.slice(0, 60), 'export:\n  keep_runs: 2\nrun:\n  backups: 1\n');
    for (const size of [60, 70, 80]) {
      writePapers(folder, rows.slice(0, size));
      const night = await run(folder, 'pipeline', ...args);
      expect(night.code, night.stderr).toBe(0);
    }
    expect(readdirSync(join(folder, 'outputs', 'runs')).sort()).toEqual(['run-0002', 'run-0003']);
    expect(readdirSync(join(folder, 'outputs', 'backups'))).toEqual(['pipeline-run-0002.db']);

    const { growth, backups } = JSON.parse((await run(folder, 'status', ...args, '--json')).stdout);
    expect(growth.map((size: { run_id: string }) => size.run_id)).toEqual([
      'run-0003',
      'run-0002',
      'run-0001',
    ]);
    expect(growth[0].documents).toBeGreaterThan(growth[2].documents);
    expect(growth[0].database_bytes).toBeGreaterThan(100_000);
    expect(backups).toHaveLength(1);
    const shown = (await run(folder, 'status', ...args)).stdout;
    expect(shown).toMatch(
      /^ {2}run-0003 {2}\d+ \(\+\d+\) documents, \d+.* topics, [\d.]+% in none, [\d.]+ MB/m,
    );

    // How long files are kept changes no result: nothing is stale, and the next run only clears away.
    const fewer = await run(folder, 'pipeline', ...args, '--set', 'export.keep_runs=1', '--json');
    expect(JSON.parse(fewer.stdout.trim().split('\n').at(-1) ?? '').up_to_date).toBe(true);
    expect(readdirSync(join(folder, 'outputs', 'runs'))).toEqual(['run-0003']);
    expect(existsSync(join(folder, 'outputs', 'latest', 'manifest.json'))).toBe(true);
  });
});
