import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stageOrder } from '../../pipeline/order.ts';
import { exportedBytes, freshFolder, run, sampleRows, start, writePapers } from './fresh-folder.ts';

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

  it('gives the same bytes on a second night that is killed at any moments, the backup before it among them', async () => {
    const secondRows = sampleRows().slice(10, 170);
    const undisturbed = freshFolder(rows);
    await run(undisturbed, 'pipeline', '--config', 'config.yaml');
    const first = freshFolder(rows);
    cpSync(join(undisturbed, 'outputs'), join(first, 'outputs'), { recursive: true, verbatimSymlinks: true });
    writePapers(undisturbed, secondRows);
    const began = performance.now();
    const whole = await run(undisturbed, 'pipeline', '--config', 'config.yaml');
    expect(whole.code, whole.stderr).toBe(0);
    let usual = performance.now() - began;
    const expected = exportedBytes(undisturbed);

    // Several kills in a row, then a run to the end, again and again; more by SCINERTOPIC_KILLS=100.
    const kills = Number(process.env.SCINERTOPIC_KILLS ?? 12);
    let chance = 20_261_120;
    for (let killed = 0; killed < kills; ) {
      const folder = freshFolder(secondRows);
      cpSync(join(first, 'outputs'), join(folder, 'outputs'), { recursive: true, verbatimSymlinks: true });
      for (let round = 0; round < 6 && killed < kills; round++) {
        chance = (Math.imul(chance, 1_664_525) + 1_013_904_223) >>> 0;
        const { child, ended } = start(folder, 'pipeline', '--config', 'config.yaml');
        const timer = setTimeout(() => child.kill('SIGKILL'), (chance / 2 ** 32) * usual);
        const { signal } = await ended;
        clearTimeout(timer);
        if (signal === 'SIGKILL') killed++;
        // The machine has less to do by now than when an undisturbed night was timed.
        else if (round === 0) usual *= 0.8;
        if (signal !== 'SIGKILL') break;
        const latest = JSON.parse(readFileSync(join(folder, 'outputs', 'latest', 'manifest.json'), 'utf8'));
        expect(['run-0001', 'run-0002']).toContain(latest.run_id);
      }
      const resumed = await run(folder, 'pipeline', '--config', 'config.yaml');
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(exportedBytes(folder)).toEqual(expected);
      const runs = readdirSync(join(folder, 'outputs', 'runs')).sort();
      expect(runs).toEqual(['run-0001', 'run-0002']);
      expect(readdirSync(join(folder, 'outputs', 'backups'))).toEqual(['pipeline-run-0001.db']);
    }
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
