/** What goes wrong around a run: each ends in the bytes of an undisturbed run, or is refused with all intact. */

import { execFileSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stageOrder } from '../../pipeline/order.ts';
import { connect } from '../../pipeline/store/connection.ts';
import {
  type Ended,
  exportedBytes,
  freshFolder,
  run,
  sampleRows,
  start,
  startWith,
  writePapers,
} from './fresh-folder.ts';

const all = sampleRows();
const rows = all.slice(0, 100);
const moreRows = all.slice(5, 110);
const args = ['pipeline', '--config', 'config.yaml'];

/** Exported bytes of one night, and of a second one. */
let expected: Record<string, string>;
let expectedSecond: Record<string, string>;
/** A folder after the first night, to be copied. */
let afterFirst: string;

beforeAll(async () => {
  afterFirst = freshFolder(rows);
  await done(run(afterFirst, ...args));
  expected = exportedBytes(afterFirst);
  const second = copyOf(afterFirst);
  writePapers(second, moreRows);
  await done(run(second, ...args));
  expectedSecond = exportedBytes(second);
});

async function done(ended: Promise<Ended>): Promise<void> {
  const { code, stderr } = await ended;
  expect(code, stderr).toBe(0);
}

function copyOf(folder: string): string {
  const copy = freshFolder(rows);
  cpSync(join(folder, 'outputs'), join(copy, 'outputs'), { recursive: true, verbatimSymlinks: true });
  return copy;
}

// ---------------------------------------------------------------------------------------------

const mounted: string[] = [];

/** Mounts a memory disk of so many kilobytes; false where this is not allowed. */
function mount(folder: string, kilobytes: number): boolean {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder], { stdio: 'ignore' });
    mounted.push(folder);
    return true;
  } catch {
    return false;
  }
}

function remount(folder: string, options: string): void {
  execFileSync('mount', ['-o', `remount,${options}`, folder]);
}

afterAll(() => {
  for (const folder of mounted) execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
});

const noMount = 'memory disks cannot be mounted here (root is needed)';

describe('a disk that is full', () => {
  it('is told in whichever stage it happens, and the run gives the same bytes once there is room', async (test) => {
    const folder = freshFolder(rows);
    const disk = join(folder, 'outputs');
    if (!mount(disk, 24_000)) return test.skip(noMount);
    const failedIn = new Set<string>();
    for (const stage of stageOrder) {
      const { code, stderr } = await fillIn(folder, stage, join(disk, 'filler'));
      rmSync(join(disk, 'filler'), { force: true });
      if (code === 0) continue;
      expect([code, stderr]).toEqual([2, expect.stringMatching(/full|no space|ENOSPC/i)]);
      expect(stderr).not.toContain('bug');
      failedIn.add(stage);
    }
    await done(run(folder, ...args));
    expect(exportedBytes(folder)).toEqual(expected);
    expect(failedIn.size).toBeGreaterThanOrEqual(4);
  });

  it('is told before anything was made, and while all is made', async (test) => {
    const folder = freshFolder(rows);
    const disk = join(folder, 'outputs');
    if (!mount(disk, 64)) return test.skip(noMount);
    for (const kilobytes of [64, 300, 900]) {
      remount(disk, `size=${kilobytes}k`);
      const { code, stderr } = await run(folder, ...args);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/full|no space|ENOSPC/i)]);
    }
    remount(disk, 'size=200000k');
    await done(run(folder, ...args));
    expect(exportedBytes(folder)).toEqual(expected);
  });

  it('on a second night leaves the first night as it was', async (test) => {
    const folder = freshFolder(rows);
    if (!mount(join(folder, 'outputs'), 200_000)) return test.skip(noMount);
    await done(run(folder, ...args));
    const used = Number(
      execFileSync('du', ['-sk', join(folder, 'outputs')])
        .toString()
        .split('\t')[0],
    );
    writePapers(folder, moreRows);
    for (const spare of [0, 300, 900]) {
      remount(join(folder, 'outputs'), `size=${used + spare}k`);
      const { code, stderr } = await run(folder, ...args);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/full|no space|ENOSPC/i)]);
      expect(exportedBytes(folder)).toEqual(expected);
    }
    remount(join(folder, 'outputs'), 'size=200000k');
    await done(run(folder, ...args));
    expect(exportedBytes(folder)).toEqual(expectedSecond);
  });
});

/** Runs; when a stage begins, fills the disk to its last byte. */
function fillIn(folder: string, stage: string, filler: string): Promise<Ended> {
  const { child, ended } = start(folder, ...args);
  let seen = '';
  let filled = false;
  child.stderr?.on('data', (chunk) => {
    seen += chunk;
    if (filled || !new RegExp(`^${stage} +(?!up to date)`, 'm').test(seen)) return;
    filled = true;
    child.kill('SIGSTOP');
    try {
      for (const bytes of [1 << 20, 4096]) fill(filler, bytes);
    } finally {
      child.kill('SIGCONT');
    }
  });
  return ended;
}

function fill(path: string, bytes: number): void {
  const file = openSync(path, 'a');
  const zeros = Buffer.alloc(bytes);
  try {
    for (;;) if (writeSync(file, zeros) < bytes) return;
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  } finally {
    closeSync(file);
  }
}

describe('a folder that is read-only', () => {
  it('is told, changes nothing, and the run goes on once it can be written', async (test) => {
    const folder = freshFolder(rows);
    if (!mount(join(folder, 'outputs'), 200_000)) return test.skip(noMount);
    cpSync(join(afterFirst, 'outputs'), join(folder, 'outputs'), { recursive: true, verbatimSymlinks: true });
    writePapers(folder, moreRows);
    remount(join(folder, 'outputs'), 'ro');
    const { code, stderr } = await run(folder, ...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/read-only|cannot be written/)]);
    expect(exportedBytes(folder)).toEqual(expected);
    remount(join(folder, 'outputs'), 'rw');
    await done(run(folder, ...args));
    expect(exportedBytes(folder)).toEqual(expectedSecond);
  });
});

describe('a database', () => {
  it('that another program has locked is refused, and used once it is free', async () => {
    const folder = copyOf(afterFirst);
    writePapers(folder, moreRows);
    const other = connect(join(folder, 'outputs', 'pipeline.db'), {});
    other.exec('BEGIN IMMEDIATE');
    const { code, stderr } = await run(folder, ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining('locked by another program')]);
    expect(exportedBytes(folder)).toEqual(expected);
    other.exec('ROLLBACK');
    other.close();
    await done(run(folder, ...args));
    expect(exportedBytes(folder)).toEqual(expectedSecond);
  });

  it('with damaged pages is found before the night, and the backup gives the bytes of an undisturbed one', async () => {
    const folder = copyOf(afterFirst);
    const path = join(folder, 'outputs', 'pipeline.db');
    writePapers(folder, all.slice(0, 90));
    await done(run(folder, ...args));
    const intact = exportedBytes(folder);
    writePapers(folder, moreRows);
    const file = openSync(path, 'r+');
    const size = statSync(path).size;
    for (const share of [0.3, 0.5, 0.7]) {
      writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, Math.floor((size * share) / 4096) * 4096);
    }
    closeSync(file);
    const { code, stderr } = await run(folder, ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining('is damaged')]);
    expect(exportedBytes(folder)).toEqual(intact);
    const commands = stderr.split('\n').filter((line) => /^ {2}(mv|rm|cp) /.test(line));
    expect(commands).toHaveLength(3);
    execFileSync('sh', ['-e', '-c', commands.join('\n')]);
    await done(run(folder, ...args));
    expect(exportedBytes(folder)).toEqual(expectedSecond);
  });

  it('whose first page is gone is told from no database at all by its backup', async () => {
    const folder = copyOf(afterFirst);
    const path = join(folder, 'outputs', 'pipeline.db');
    writePapers(folder, moreRows);
    await done(run(folder, ...args));
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, 0);
    closeSync(file);
    const { code, stderr } = await run(folder, ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining('backup of run-0001')]);
    expect(exportedBytes(folder)).toEqual(expectedSecond);
  });
});

describe('a clock', () => {
  it('that goes backwards between nights, or within one, changes no byte', async () => {
    const folder = copyOf(afterFirst);
    writePapers(folder, moreRows);
    const script = join(folder, 'clock.cjs');
    // Every look at the clock finds it an hour earlier than the last.
    writeFileSync(
      script,
      `const Real = Date; let looks = 0;
       const now = () => Real.UTC(2019, 0, 1) - 3_600_000 * looks++;
       globalThis.Date = class extends Real {
         constructor(...given) { if (given.length === 0) super(now()); else super(...given); }
         static now() { return now(); }
       };`,
    );
    const { ended } = startWith({ NODE_OPTIONS: `--require ${script}` }, folder, ...args);
    await done(ended);
    expect(exportedBytes(folder)).toEqual(expectedSecond);
    expect(JSON.parse(readFileSync(join(folder, 'outputs', 'latest', 'manifest.json'), 'utf8')).run_id).toBe(
      'run-0002',
    );
  });
});

describe('a configuration that is changed while a run lies cut off', () => {
  it('counts from where the run is taken up, and the old one does so again when it is restored', async () => {
    const config = (folder: string, size: number): void =>
      writeFileSync(
        join(folder, 'config.yaml'),
        `ingest:\n  source: csv\n  path: papers.csv\ncluster:\n  min_cluster_size: ${size}\n`,
      );
    const undisturbed = freshFolder(rows);
    config(undisturbed, 6);
    await done(run(undisturbed, ...args));
    const folder = freshFolder(rows);
    for (const stage of ['cluster', 'export']) {
      config(folder, 8);
      await cutOffIn(folder, stage);
      config(folder, 6);
      await cutOffIn(folder, stage);
    }
    const changed = copyOf(folder);
    config(changed, 6);
    await done(run(changed, ...args));
    expect(exportedBytes(changed)).toEqual(exportedBytes(undisturbed));
    config(folder, 8);
    await done(run(folder, ...args));
    expect(exportedBytes(folder)).toEqual(expected);
  });
});

/** Kills a run once a stage has begun; one that is over before is no worse. */
async function cutOffIn(folder: string, stage: string): Promise<void> {
  const { child, ended } = start(folder, ...args);
  let seen = '';
  child.stderr?.on('data', (chunk) => {
    seen += chunk;
    if (new RegExp(`^${stage} `, 'm').test(seen)) child.kill('SIGKILL');
  });
  await ended;
}

describe('two runs at once', () => {
  it('give the bytes of one: the other is refused with 3, or finds nothing left to do', async () => {
    const folder = freshFolder(rows);
    const both = await Promise.all([run(folder, ...args), run(folder, ...args)]);
    const codes = both.map(({ code }) => code);
    expect(codes).toContain(0);
    for (const { code, stderr } of both) {
      if (code !== 0) expect([code, stderr]).toEqual([3, expect.stringContaining('Another run is working')]);
    }
    expect(exportedBytes(folder)).toEqual(expected);
    expect(existsSync(join(folder, 'outputs', 'pipeline.db.lock.json'))).toBe(false);
  });
});

describe('files that were moved or lost', () => {
  it('are made again from the database, and a lost database anew', async () => {
    const folder = copyOf(afterFirst);
    rmSync(join(folder, 'outputs', 'latest'));
    renameSync(join(folder, 'outputs', 'runs'), join(folder, 'elsewhere'));
    await done(run(folder, ...args));
    rmSync(join(folder, 'outputs'), { recursive: true });
    await done(run(folder, ...args));
    expect(exportedBytes(folder)).toEqual(expected);
  });
});
