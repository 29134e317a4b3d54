/** Fetches in processes of their own, at once and killed midway, as nightly jobs do. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeHub, modelFiles, type Spoiler, sha256 } from './fake-hub.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const name = 'lab/tiny-bert';
const weightBytes = 3 << 20;

/** The compiled sources, with a program that fetches one repository. */
let program: string;
let compiled: string;
let hub: FakeHub;
let cache: string;
let children: ChildProcess[];

beforeAll(() => {
  compiled = mkdtempSync(join(tmpdir(), 'scinertopic-compiled-'));
  writeFileSync(
    join(compiled, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        rootDir: root,
        outDir: join(compiled, 'out'),
        typeRoots: [join(root, 'node_modules', '@types')],
      },
      include: [],
      files: [join(root, 'pipeline', 'hub', 'fetch.ts'), join(root, 'pipeline', 'hub', 'model-files.ts')],
    }),
  );
  execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', compiled]);
  symlinkSync(join(root, 'node_modules'), join(compiled, 'node_modules'));
  writeFileSync(join(compiled, 'package.json'), '{"type":"module"}');
  program = join(compiled, 'program.js');
  writeFileSync(
    program,
    `
    import { hubEnvironment } from './out/pipeline/hub/environment.js';
    import { fetchRepository } from './out/pipeline/hub/fetch.js';
    import { chooseModelFiles } from './out/pipeline/hub/model-files.js';
    const stop = new AbortController();
    process.on('SIGTERM', () => stop.abort());
    const environment = hubEnvironment(process.env);
    Object.assign(environment.timing, { firstPauseMilliseconds: 10, heartbeatMilliseconds: 40, deadOwnerMilliseconds: 200 });
    try {
      const snapshot = await fetchRepository({
        repository: '${name}', revision: null, environment, choose: chooseModelFiles, maxBytes: 1e9,
        signal: stop.signal,
        onProgress: (step) => { if (step.kind === 'notice') process.stderr.write(step.message + '\\n'); },
      });
      process.stdout.write(JSON.stringify(snapshot));
    } catch (error) {
      process.stderr.write(error.name + ': ' + error.message);
      process.exitCode = 2;
    }
    `,
  );
});

afterAll(() => rmSync(compiled, { recursive: true, force: true }));

beforeEach(async () => {
  hub = new FakeHub();
  await hub.start();
  hub.add(name, modelFiles(weightBytes));
  cache = mkdtempSync(join(tmpdir(), 'scinertopic-hub-'));
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await hub.stop();
  rmSync(cache, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env.PATH, HF_HOME: cache, HF_ENDPOINT: hub.endpoint },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const said = { stdout: '', stderr: '' };
  child.stdout?.on('data', (piece) => {
    said.stdout += piece;
  });
  child.stderr?.on('data', (piece) => {
    said.stderr += piece;
  });
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, ...said })));
  return { child, ended };
}

function folder(): string {
  return join(cache, 'hub', `models--${name.replace('/', '--')}`);
}

/** The weights as they grow. */
function partial(): string {
  return join(folder(), '.scinertopic', 'partial', sha256(weights()));
}

function weights(): Buffer {
  return modelFiles(weightBytes)['model.safetensors'].content;
}

function expectWhole({ code, stdout, stderr }: Ended): void {
  expect(code, stderr).toBe(0);
  const snapshot = JSON.parse(stdout) as { folder: string; files: { path: string }[] };
  expect(snapshot.files.map(({ path }) => path)).toEqual(['config.json', 'vocab.txt', 'model.safetensors']);
  expect(readFileSync(join(snapshot.folder, 'model.safetensors')).equals(weights())).toBe(true);
  expect(readdirSync(join(folder(), '.scinertopic')).sort()).toEqual([
    expect.stringMatching(/\.json$/),
    'refs',
  ]);
}

/** Sends a part of the weights, then nothing until it is released; tells when the part is out. */
function held(bytes: number): { spoiler: Spoiler; reached: Promise<void>; release: () => void } {
  let tell: () => void = () => undefined;
  let release: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const spoiler: Spoiler = (_request, response, { content }) => {
    response.setHeader('content-length', content.length);
    response.write(content.subarray(0, bytes), () => tell());
    void released.then(() => response.end(content.subarray(bytes)));
  };
  return { spoiler, reached, release: () => release() };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('processes that fetch the same repository', () => {
  it('at once: one fetches, the others wait for it and find all of it there', async () => {
    const hold = held(1 << 20);
    hub.spoil('model.safetensors', hold.spoiler);
    const first = start();
    await hold.reached;
    const second = start();
    const third = start();
    // Both have asked for the listing and stand before the lock.
    await until(() => hub.seen.filter(({ path }) => path.startsWith('/api/')).length === 3);
    hold.release();
    const all = await Promise.all([first.ended, second.ended, third.ended]);
    for (const ended of all) expectWhole(ended);
    expect(hub.contentRequests('model.safetensors')).toHaveLength(1);
    expect(hub.contentRequests('config.json')).toHaveLength(1);
  });

  it('all started together leave one whole snapshot', async () => {
    const all = await Promise.all([start(), start(), start(), start()].map(({ ended }) => ended));
    for (const ended of all) expectWhole(ended);
    expect(hub.contentRequests('model.safetensors')).toHaveLength(1);
  });

  it('after one was killed: the next goes on with what it had', async () => {
    const hold = held(1 << 20);
    hub.spoil('model.safetensors', hold.spoiler);
    const first = start();
    await hold.reached;
    await until(() => existsSync(partial()) && statSync(partial()).size === 1 << 20);
    first.child.kill('SIGKILL');
    await first.ended;
    expect(existsSync(join(folder(), '.scinertopic', 'lock'))).toBe(true);

    const second = await start().ended;
    expectWhole(second);
    expect(second.stderr).toContain('another process');
    expect(hub.contentRequests('model.safetensors')[1].headers.range).toBe(`bytes=${1 << 20}-`);
  });

  it('while one that waits sees the other killed: it takes over', async () => {
    const hold = held(1 << 20);
    hub.spoil('model.safetensors', hold.spoiler);
    const first = start();
    await hold.reached;
    await until(() => existsSync(partial()) && statSync(partial()).size === 1 << 20);
    const waiting = [start(), start()];
    await until(() => hub.seen.filter(({ path }) => path.startsWith('/api/')).length === 3);
    first.child.kill('SIGKILL');
    for (const ended of await Promise.all(waiting.map(({ ended }) => ended))) expectWhole(ended);
    // The one that took over fetched the rest; the other found all of it.
    expect(hub.contentRequests('model.safetensors').map(({ headers }) => headers.range)).toEqual([
      undefined,
      `bytes=${1 << 20}-`,
    ]);
  });

  it('stopped by a signal: it gives the lock back and keeps what it has', async () => {
    const hold = held(1 << 20);
    hub.spoil('model.safetensors', hold.spoiler);
    const first = start();
    await hold.reached;
    await until(() => existsSync(partial()) && statSync(partial()).size === 1 << 20);
    first.child.kill('SIGTERM');
    const stopped = await first.ended;
    expect(stopped.stderr).toContain('Interrupted: ');
    expect(existsSync(join(folder(), '.scinertopic', 'lock'))).toBe(false);
    const second = await start().ended;
    expectWhole(second);
    expect(second.stderr).toBe('');
    expect(hub.contentRequests('model.safetensors')[1].headers.range).toBe(`bytes=${1 << 20}-`);
  });

  it('killed at one step after the other: the next one ends with the whole snapshot', async () => {
    for (const step of ['listing', 'config.json', 'vocab.txt', 'model.safetensors', 'model.safetensors']) {
      const { child, ended } = start();
      await new Promise<void>((reached) => hub.spoil(step, () => reached()));
      child.kill('SIGKILL');
      expect((await ended).code).toBeNull();
    }
    expectWhole(await start().ended);
    // What was whole before is not fetched again.
    expect(hub.contentRequests('config.json')).toHaveLength(2);
    expect(hub.contentRequests('vocab.txt')).toHaveLength(2);
  });

  it('with a lock in the way that a dead process of this machine left', async () => {
    mkdirSync(join(folder(), '.scinertopic'), { recursive: true });
    const { child, ended } = start();
    child.kill('SIGKILL');
    await ended;
    const owner = { host: hostname(), process: child.pid, token: 'gone' };
    writeFileSync(join(folder(), '.scinertopic', 'lock'), JSON.stringify(owner));
    expectWhole(await start().ended);
  });
});
