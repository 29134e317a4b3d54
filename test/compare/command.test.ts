import { describe, expect, it } from 'vitest';
import { freshFolder, run, sampleRows, writePapers } from '../pipeline/fresh-folder.ts';

describe('compare', () => {
  it('tells people and programs what changed between two nights', async () => {
    const rows = sampleRows();
    const folder = freshFolder(rows.slice(0, 150));
    const args = ['--config', 'config.yaml'];
    expect((await run(folder, 'pipeline', ...args)).code).toBe(0);
    const alone = await run(folder, 'compare', ...args);
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('two nights')]);
    writePapers(folder, rows.slice(10, 200));
    expect((await run(folder, 'pipeline', ...args)).code).toBe(0);

    const shown = await run(folder, 'compare', ...args);
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout).toMatch(/^run-0001 → run-0002$/m);
    expect(shown.stdout).toMatch(/^Documents +148 → 187: 50 new, 11 gone$/m);
    const json = await run(folder, 'compare', ...args, '--runs', 'latest', '1', '--json');
    const comparison = JSON.parse(json.stdout);
    expect(comparison).toMatchObject({
      from: 'run-0001',
      to: 'run-0002',
      documents: { added: 50, removed: 11, in_both: 137 },
    });
    expect(comparison.agreement).toBeGreaterThan(0);

    const missing = await run(folder, 'compare', ...args, '--runs', '1', 'run-0009');
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('There: run-0001, run-0002')]);
    expect((await run(folder, 'compare', ...args, '--runs', '1')).code).toBe(2);
    expect((await run(folder, 'compare', ...args, '--runs', '1', '1')).code).toBe(2);
  });
});
