import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import type { ExportFile } from '../../pipeline/contract.ts';
import { Interrupted, UserError } from '../../pipeline/errors.ts';
import { publish } from '../../pipeline/publish.ts';

/**
 * The file system under publish: after `stepsLeft` calls every further call fails, as it would for a process
 * that was killed there and cannot clean up. `refuse` makes one kind of call fail as a disk would.
 */
const disk = vi.hoisted(() => ({
  stepsLeft: Number.POSITIVE_INFINITY,
  steps: 0,
  refuse: new Map<string, string>(),
  /** Bytes that a single write takes at most. */
  writeAtMost: Number.POSITIVE_INFINITY,
}));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const step = (call: string): void => {
    const code = disk.refuse.get(call);
    if (code !== undefined) throw Object.assign(new Error(`${code}: refused`), { code });
    if (disk.stepsLeft <= 0) throw Object.assign(new Error('killed'), { killed: true });
    disk.stepsLeft--;
    disk.steps++;
  };
  const open = async (...args: Parameters<typeof real.open>) => {
    step('open');
    const handle = await real.open(...args);
    return {
      write: async (buffer: Uint8Array, offset: number, length: number) => {
        step('write');
        return handle.write(buffer, offset, Math.min(length, disk.writeAtMost));
      },
      // Counted, but not waited for: hundreds of runs are published here.
      sync: async () => step('sync'),
      close: () => handle.close(),
    };
  };
  const counted: Record<string, unknown> = { open };
  for (const call of ['mkdir', 'rename', 'rm', 'symlink', 'copyFile'] as const) {
    counted[call] = async (...args: unknown[]) => {
      step(call);
      return (real[call] as (...all: unknown[]) => Promise<unknown>)(...args);
    };
  }
  return { ...real, ...counted };
});

afterEach(() => {
  disk.stepsLeft = Number.POSITIVE_INFINITY;
  disk.steps = 0;
  disk.writeAtMost = Number.POSITIVE_INFINITY;
  disk.refuse.clear();
});

const folders: string[] = [];

function freshFolder(): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'scinertopic-publish-'));
  folders.push(folder);
  return folder;
}

afterAll(() => {
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
});

const facts = {
  config: { run: { seed: 1 } },
  models: [{ role: 'embed', reference: 'builtin:static', hash: 'abc' }],
  skipped: [{ reason: 'no title', rows: 2 }],
  notices: ['one'],
};
const counts = { documents: 3, outliers: 1, topics: 1, entities: 2, mentions: 4 };

function filesOf(version: string): ExportFile[] {
  return [
    { name: 'topics.csv', content: ['topic_id\r\n', `${version} é\r\n`] },
    { name: 'report.html', content: [Buffer.from(`<p>${version}</p>`)] },
  ];
}

function publishRun(
  directory: string,
  runId: string,
  version: string,
  signal = new AbortController().signal,
) {
  return publish({ directory, runId, files: filesOf(version), facts, counts, signal });
}

/** The version that a whole run in the folder has; fails when a file is missing, torn or of another version. */
function versionIn(folder: string): string {
  const manifest: { files: Record<string, { bytes: number; sha256: string }> } = JSON.parse(
    fs.readFileSync(join(folder, 'manifest.json'), 'utf8'),
  );
  expect(fs.readdirSync(folder).sort()).toEqual([...Object.keys(manifest.files), 'manifest.json'].sort());
  for (const [name, { bytes, sha256 }] of Object.entries(manifest.files)) {
    const content = fs.readFileSync(join(folder, name));
    expect(content.length).toBe(bytes);
    expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
  }
  return fs.readFileSync(join(folder, 'topics.csv'), 'utf8').split('\r\n')[1].split(' ')[0];
}

describe('publish', () => {
  it('writes the run, its manifest, and latest', async () => {
    const directory = join(freshFolder(), 'deep', 'outputs');
    const { folder, files, movedAside } = await publishRun(directory, 'run-0001', 'first');
    expect(folder).toBe(join(directory, 'runs', 'run-0001'));
    expect(movedAside).toBe(null);
    expect(versionIn(folder)).toBe('first');
    expect(versionIn(join(directory, 'latest'))).toBe('first');
    expect(fs.readlinkSync(join(directory, 'latest'))).toBe(join('runs', 'run-0001'));
    expect(JSON.parse(fs.readFileSync(join(folder, 'manifest.json'), 'utf8'))).toEqual({
      run_id: 'run-0001',
      ...facts,
      counts,
      files,
    });
    expect(files['topics.csv'].bytes).toBe(Buffer.byteLength('topic_id\r\nfirst é\r\n'));
    expect(fs.readdirSync(directory).sort()).toEqual(['latest', 'runs']);
  });

  it('keeps earlier runs and turns latest over to the newest', async () => {
    const directory = freshFolder();
    await publishRun(directory, 'run-0001', 'first');
    await publishRun(directory, 'run-0002', 'second');
    expect(versionIn(join(directory, 'latest'))).toBe('second');
    expect(versionIn(join(directory, 'runs', 'run-0001'))).toBe('first');
    expect(fs.readdirSync(join(directory, 'runs')).sort()).toEqual(['run-0001', 'run-0002']);
  });

  it('gives equal bytes for equal runs in different folders', async () => {
    const [a, b] = [freshFolder(), freshFolder()];
    await publishRun(a, 'run-0001', 'same');
    await publishRun(b, 'run-0001', 'same');
    for (const name of fs.readdirSync(join(a, 'latest'))) {
      expect(fs.readFileSync(join(a, 'latest', name))).toEqual(fs.readFileSync(join(b, 'latest', name)));
    }
  });

  it('writes on when the disk takes only part of a piece', async () => {
    const directory = freshFolder();
    disk.writeAtMost = 5;
    await publishRun(directory, 'run-0001', 'first');
    expect(versionIn(join(directory, 'latest'))).toBe('first');
  });

  it('leaves a run that was published with the same bytes as it is', async () => {
    const directory = freshFolder();
    await publishRun(directory, 'run-0001', 'first');
    const before = fs.statSync(join(directory, 'runs', 'run-0001', 'topics.csv'));
    const again = await publishRun(directory, 'run-0001', 'first');
    expect(again.movedAside).toBe(null);
    expect(fs.statSync(join(directory, 'runs', 'run-0001', 'topics.csv')).ino).toBe(before.ino);
    expect(fs.readdirSync(join(directory, 'runs'))).toEqual(['run-0001']);
  });

  it('moves aside a run of the same id with other bytes', async () => {
    const directory = freshFolder();
    await publishRun(directory, 'run-0001', 'first');
    const { movedAside } = await publishRun(directory, 'run-0001', 'second');
    expect(movedAside).toBe(join(directory, 'runs', 'run-0001.replaced-1'));
    expect(versionIn(join(directory, 'runs', 'run-0001.replaced-1'))).toBe('first');
    expect(versionIn(join(directory, 'latest'))).toBe('second');
    expect(fs.readdirSync(join(directory, 'runs')).sort()).toEqual(['run-0001', 'run-0001.replaced-1']);
  });

  it('puts back the files of a published run that somebody changed', async () => {
    const directory = freshFolder();
    await publishRun(directory, 'run-0001', 'first');
    fs.appendFileSync(join(directory, 'latest', 'topics.csv'), 'edited');
    await publishRun(directory, 'run-0001', 'first');
    expect(versionIn(join(directory, 'latest'))).toBe('first');
    expect(fs.readFileSync(join(directory, 'runs', 'run-0001.replaced-1', 'topics.csv'), 'utf8')).toContain(
      'edited',
    );
  });
});

describe('a process killed while it publishes', () => {
  it.each([
    ['a new run', 'run-0002', false],
    ['the same run with other bytes', 'run-0001', false],
    ['a new run where there are no links', 'run-0002', true],
    ['the same run with other bytes where there are no links', 'run-0001', true],
  ])(
    'leaves a whole latest at every step, and the next run heals what it left: %s',
    async (_, runId, noLinks) => {
      if (noLinks) disk.refuse.set('symlink', 'EPERM');
      const measured = freshFolder();
      await publishRun(measured, 'run-0001', 'first');
      disk.steps = 0;
      await publishRun(measured, runId, 'second');
      const steps = disk.steps;
      expect(steps).toBeGreaterThan(10);

      let gone = 0;
      for (let killedAfter = 0; killedAfter < steps; killedAfter++) {
        const directory = freshFolder();
        disk.stepsLeft = Number.POSITIVE_INFINITY;
        await publishRun(directory, 'run-0001', 'first');
        disk.stepsLeft = killedAfter;
        await expect(publishRun(directory, runId, 'second')).rejects.toMatchObject({ killed: true });
        // Without links there is one moment between two renames; the run before then stands beside its place.
        if (noLinks && !fs.existsSync(join(directory, 'latest'))) {
          gone++;
          expect(versionIn(join(directory, 'latest.former'))).toBe('first');
          // Put back before anything else is done.
          disk.stepsLeft = Number.POSITIVE_INFINITY;
          disk.refuse.set('write', 'ENOSPC');
          await expect(publishRun(directory, runId, 'second')).rejects.toThrow('ENOSPC');
          disk.refuse.delete('write');
          expect(versionIn(join(directory, 'latest'))).toBe('first');
        } else {
          expect(['first', 'second']).toContain(versionIn(join(directory, 'latest')));
        }

        disk.stepsLeft = Number.POSITIVE_INFINITY;
        await publishRun(directory, runId, 'second');
        expect(versionIn(join(directory, 'latest'))).toBe('second');
        expect(versionIn(join(directory, 'runs', runId))).toBe('second');
        expect(fs.readdirSync(directory).sort()).toEqual(['latest', 'runs']);
        expect(fs.readdirSync(join(directory, 'runs')).filter((name) => /partial|whole/.test(name))).toEqual(
          [],
        );
        fs.rmSync(directory, { recursive: true });
      }
      expect(gone).toBe(noLinks ? 1 : 0);
    },
  );
});

describe('a folder that cannot be written', () => {
  it.each([
    ['write', 'ENOSPC', 'disk is full'],
    ['sync', 'EDQUOT', 'quota'],
    ['mkdir', 'EROFS', 'read-only'],
    ['open', 'EACCES', 'permissions'],
    ['rename', 'EACCES', 'permissions'],
  ])('is told to the user, and latest stays: %s fails with %s', async (call, code, cause) => {
    const directory = freshFolder();
    await publishRun(directory, 'run-0001', 'first');
    disk.refuse.set(call, code);
    const failure = await publishRun(directory, 'run-0002', 'second').catch((error: unknown) => error);
    disk.refuse.clear();
    expect(failure).toBeInstanceOf(UserError);
    expect((failure as UserError).message).toContain(cause);
    expect((failure as UserError).message).toContain(directory);
    expect(versionIn(join(directory, 'latest'))).toBe('first');
    await publishRun(directory, 'run-0002', 'second');
    expect(versionIn(join(directory, 'latest'))).toBe('second');
  });

  it('takes up no room after a full disk', async () => {
    const directory = freshFolder();
    await publishRun(directory, 'run-0001', 'first');
    disk.refuse.set('write', 'ENOSPC');
    await expect(publishRun(directory, 'run-0002', 'second')).rejects.toThrow('ENOSPC');
    expect(fs.readdirSync(join(directory, 'runs'))).toEqual(['run-0001']);
  });

  it('a file in the folder’s place is told to the user', async () => {
    const directory = join(freshFolder(), 'outputs');
    fs.writeFileSync(directory, '');
    await expect(publishRun(directory, 'run-0001', 'first')).rejects.toBeInstanceOf(UserError);
  });

  it('refuses to replace a latest that no run has made', async () => {
    const directory = freshFolder();
    fs.mkdirSync(join(directory, 'latest'));
    fs.writeFileSync(join(directory, 'latest', 'thesis.txt'), 'mine');
    await expect(publishRun(directory, 'run-0001', 'first')).rejects.toBeInstanceOf(UserError);
    expect(fs.readFileSync(join(directory, 'latest', 'thesis.txt'), 'utf8')).toBe('mine');
  });

  it('a latest that was copied to a real folder is replaced', async () => {
    const directory = freshFolder();
    await publishRun(directory, 'run-0001', 'first');
    const latest = join(directory, 'latest');
    fs.rmSync(latest);
    fs.cpSync(join(directory, 'runs', 'run-0001'), latest, { recursive: true });
    await publishRun(directory, 'run-0002', 'second');
    expect(versionIn(latest)).toBe('second');
    expect(fs.readdirSync(directory).sort()).toEqual(['latest', 'runs']);
  });
});

describe('what publish refuses', () => {
  it.each([
    '../outside.csv',
    'a/b.csv',
    '.hidden',
    '',
    'manifest.json',
    'Manifest.JSON',
    'a\\b',
    '/etc/passwd',
    'TOPICS.csv',
  ])('a file named %j, and leaves latest and its surroundings alone', async (name) => {
    const directory = join(freshFolder(), 'outputs');
    await publishRun(directory, 'run-0001', 'first');
    const files = [...filesOf('second'), { name, content: ['x'] }];
    const signal = new AbortController().signal;
    await expect(publish({ directory, runId: 'run-0002', files, facts, counts, signal })).rejects.toThrow(
      /name/,
    );
    expect(versionIn(join(directory, 'latest'))).toBe('first');
    expect(fs.readdirSync(dirname(directory))).toEqual(['outputs']);
    expect(fs.readdirSync(join(directory, 'runs'))).toEqual(['run-0001']);
  });

  it.each(['..', '../run', 'run.partial', ''])('a run named %j', async (runId) => {
    const directory = freshFolder();
    await expect(publishRun(directory, runId, 'first')).rejects.toThrow('cannot name');
    expect(fs.readdirSync(directory)).toEqual([]);
  });

  it('to go on when asked to stop', async () => {
    const directory = freshFolder();
    await publishRun(directory, 'run-0001', 'first');
    const controller = new AbortController();
    function* stopping(): Generator<string> {
      yield 'a';
      controller.abort();
      yield 'b';
    }
    const files = [{ name: 'topics.csv', content: stopping() }];
    await expect(
      publish({ directory, runId: 'run-0002', files, facts, counts, signal: controller.signal }),
    ).rejects.toBeInstanceOf(Interrupted);
    expect(versionIn(join(directory, 'latest'))).toBe('first');
    expect(fs.readdirSync(join(directory, 'runs'))).toEqual(['run-0001']);
  });
});
