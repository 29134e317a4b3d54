import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Health } from '../../pipeline/schedule/health.ts';
import { exportedBytes, freshFolder, run, sampleRows, start } from '../pipeline/fresh-folder.ts';

const rows = sampleRows().slice(0, 60);

const health = (folder: string): Health =>
  JSON.parse(readFileSync(join(folder, 'outputs', 'schedule.json'), 'utf8'));

/** Starts the scheduler and resolves once its log says `word`. */
async function startUntil(folder: string, word: string, ...more: string[]) {
  const started = start(folder, 'schedule', '--config', 'config.yaml', ...more);
  let seen = '';
  await new Promise<void>((resolve, reject) => {
    started.child.stderr?.on('data', (chunk) => {
      seen += chunk;
      if (seen.includes(word)) resolve();
    });
    void started.ended.then(() => reject(new Error(`ended without "${word}": ${seen}`)));
  });
  return started;
}

describe('schedule', () => {
  it('runs nights that give what a run by hand gives, refuses a second scheduler, and stops when told to', async () => {
    const folder = freshFolder(rows, 'schedule:\n  cron: "* * * * * *"\n  log: json\n');
    const first = await startUntil(folder, '"event":"night-ends"');
    const second = await run(folder, 'schedule', '--config', 'config.yaml');
    expect([second.code, second.stdout]).toEqual([3, '']);
    expect(second.stderr).toContain('Another scheduler');

    const asked = performance.now();
    first.child.kill('SIGTERM');
    const { code, stdout, stderr } = await first.ended;
    expect(performance.now() - asked).toBeLessThan(10_000);
    expect([code, stdout]).toEqual([0, '']);
    const log = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(log.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['waiting', 'night-begins', 'night', 'stopped']),
    );
    const ended = log.find(({ event }) => event === 'night-ends');
    expect(ended).toMatchObject({ status: 'done', exit_code: 0, run_id: 'run-0001', documents: rows.length });
    expect(health(folder).status).toBe('stopped');

    const byHand = freshFolder(rows);
    await run(byHand, 'pipeline', '--config', 'config.yaml');
    expect(exportedBytes(folder)).toEqual(exportedBytes(byHand));
  });

  it('stops in the middle of a night within ten seconds, and the next start takes it up', async () => {
    const folder = freshFolder(sampleRows(), 'schedule:\n  cron: "* * * * * *"\n');
    const cut = await startUntil(folder, ' entities ');
    const asked = performance.now();
    cut.child.kill('SIGTERM');
    expect((await cut.ended).code).toBe(0);
    expect(performance.now() - asked).toBeLessThan(10_000);
    expect(health(folder).last_night).toMatchObject({ status: 'stopped' });

    const again = await startUntil(folder, 'The night ended well', '--set', 'schedule.cron=0 0 1 1 *');
    again.child.kill('SIGTERM');
    const { stderr } = await again.ended;
    expect(stderr).toContain('was missed');
    expect(health(folder).last_night).toMatchObject({ status: 'done', run_id: 'run-0001' });
  });

  it('shows when the next nights begin, and refuses a bad expression', async () => {
    const folder = freshFolder(rows, 'schedule:\n  cron: "0 2 * * *"\n  time_zone: Asia/Tokyo\n');
    const shown = await run(folder, 'schedule', '--config', 'config.yaml', '--next', '3');
    expect(shown.code).toBe(0);
    expect(shown.stdout.match(/T17:00:00\.000Z\n/g)).toHaveLength(3);
    const refused = await run(
      folder,
      'schedule',
      '--config',
      'config.yaml',
      '--set',
      'schedule.cron=nightly',
    );
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('schedule: expected cron to be a cron expression');
  });
});
