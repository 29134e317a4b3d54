import { describe, expect, it } from 'vitest';
import { stageOrder } from '../../pipeline/order.ts';
import { exportedBytes, freshFolder, run, sampleRows, start } from './fresh-folder.ts';

// Enough documents for every stage to do real work, few enough to be run some thirty times.
const rows = sampleRows().slice(0, 150);

/** Kills with SIGKILL once stderr says that `stage` has begun and `delay` ms have gone by; true if it was in time. */
async function killIn(folder: string, stage: string, delay: number): Promise<boolean> {
  const { child, ended } = start(folder, 'pipeline', '--config', 'config.yaml');
  let seen = '';
  let armed = false;
  child.stderr?.on('data', (chunk) => {
    seen += chunk;
    if (!armed && new RegExp(`^${stage} `, 'm').test(seen)) {
      armed = true;
      setTimeout(() => child.kill('SIGKILL'), delay);
    }
  });
  return (await ended).signal === 'SIGKILL';
}

describe('a run that is killed', () => {
  it('gives, run again, the bytes of an undisturbed run, wherever it was killed', async () => {
    const undisturbed = freshFolder(rows);
    const first = await run(undisturbed, 'pipeline', '--config', 'config.yaml');
    expect(first.code, first.stderr).toBe(0);
    const expected = exportedBytes(undisturbed);

    let kills = 0;
    for (const delay of [0, 25, 120]) {
      // One database is killed in every stage in turn, which also tries resuming what was resumed before.
      const folder = freshFolder(rows);
      for (const stage of stageOrder) if (await killIn(folder, stage, delay)) kills++;
      const resumed = await run(folder, 'pipeline', '--config', 'config.yaml');
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(exportedBytes(folder)).toEqual(expected);
    }
    expect(kills).toBeGreaterThanOrEqual(12);
  });

  it('stops on SIGTERM with 130 and is resumed by the same command', async () => {
    const folder = freshFolder(rows);
    const { child, ended } = start(folder, 'pipeline', '--config', 'config.yaml');
    let seen = '';
    let sent = false;
    child.stderr?.on('data', (chunk) => {
      seen += chunk;
      if (sent || !/^entities /m.test(seen)) return;
      sent = child.kill('SIGTERM');
    });
    const stopped = await ended;
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(stopped.stderr).toContain('resumes');
    const resumed = await run(folder, 'pipeline', '--config', 'config.yaml', '--json');
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(JSON.parse(resumed.stdout.trim().split('\n').at(-1) ?? '').run_id).toBe('run-0001');
  });
});
