/** Runs a program to its end and tells what it cost: each measurement has a process, and so a memory, of its own. */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../pipeline/model/package-root.ts';
import type { Usage } from './exit-usage.ts';

export interface Measured extends Usage {
  stdout: string;
  stderr: string;
  wallSeconds: number;
}

/** A program that did not end well; a bench shows the message in place of a row. */
export class ProcessFailed extends Error {
  override readonly name = 'ProcessFailed';
}

const compiled = (name: string): string => join(packageRoot(), 'dist', 'test', 'bench', name);

/**
 * Runs a compiled script under Node. Its CPU time and peak memory are the whole process's, Node's own start
 * included.
 *
 * @throws ProcessFailed with what it said last.
 */
export async function runNode(
  script: string,
  args: readonly string[],
  { cwd = process.cwd(), threads }: { cwd?: string; threads?: number } = {},
): Promise<Measured> {
  return withScratchFolder(async (folder) => {
    const usageFile = join(folder, 'usage.json');
    const env = { ...process.env, ...threadLimits(threads), BENCH_USAGE_FILE: usageFile };
    const preload = ['--import', pathToFileURL(compiled('exit-usage.js')).href];
    const ended = await runToEnd(process.execPath, [...preload, script, ...args], cwd, env);
    return { ...ended, ...(JSON.parse(readFileSync(usageFile, 'utf8')) as Usage) };
  });
}

/** Runs a task of task.ts in a process of its own; what it returns is `result`. */
export async function runTask<Result>(
  name: string,
  job: unknown,
  threads?: number,
): Promise<Measured & { result: Result }> {
  const measured = await runNode(
    compiled('task.js'),
    [name, JSON.stringify(job)],
    threads === undefined ? {} : { threads },
  );
  return { ...measured, result: JSON.parse(lastLine(measured.stdout)) as Result };
}

/** What peers.py prints. */
export interface PeerResult extends Usage {
  library: string;
  version: string;
  wallSeconds: number;
  /** Seconds of compiling in the first fit of a process, before the one measured. */
  warmUpSeconds: number;
  /** User and system time of the whole process, importing and compiling included. */
  processCpuSeconds: number;
}

/**
 * Runs one library of peers.py on one thread.
 *
 * @throws ProcessFailed with what it said last.
 */
export function runPeer<Result extends PeerResult = PeerResult>(
  python: string,
  library: string,
  job: unknown,
): Promise<Result> {
  return runPython(python, 'peers.py', [library, JSON.stringify(job)]);
}

/**
 * Runs a script of this folder on one thread; what it prints last, as JSON, is the result.
 *
 * @throws ProcessFailed with what it said last.
 */
export async function runPython<Result>(
  python: string,
  script: string,
  args: readonly string[],
): Promise<Result> {
  const path = join(packageRoot(), 'test', 'bench', script);
  const env = { ...process.env, ...threadLimits(1) };
  const { stdout } = await runToEnd(python, [path, ...args], process.cwd(), env);
  return JSON.parse(lastLine(stdout)) as Result;
}

/**
 * The first Python that can import a peer: BENCH_PYTHON (several may be given, joined by colons), python3, and
 * Debian's own, which is where packages of the distribution are.
 *
 * @param statement For example `import umap`.
 */
export async function findPython(statement: string): Promise<string | null> {
  const named = (process.env.BENCH_PYTHON ?? '').split(':').filter((path) => path !== '');
  for (const python of [...named, 'python3', '/usr/bin/python3']) {
    try {
      await runToEnd(python, ['-c', statement], process.cwd(), process.env);
      return python;
    } catch (error) {
      if (!(error instanceof ProcessFailed)) throw error;
    }
  }
  return null;
}

/** A temporary folder that is gone when the work ends, however it ends. */
export async function withScratchFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'scinertopic-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One measurement that may fail without ending the others; what it said stands in place of its row. */
export async function attempt(
  print: (line: string) => void,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ProcessFailed)) throw error;
    print(`${what}: ${error.message}`);
  }
}

/** Keeps the libraries below Python and Node from taking all cores when one thread is asked for. */
function threadLimits(threads: number | undefined): Record<string, string> {
  if (threads === undefined) return {};
  const names = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMBA_NUM_THREADS'];
  return Object.fromEntries(names.map((name) => [name, String(threads)]));
}

function runToEnd(
  program: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ stdout: string; stderr: string; wallSeconds: number }> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(program, [...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const pieces = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout.on('data', (piece: Buffer) => pieces.stdout.push(piece));
    child.stderr.on('data', (piece: Buffer) => pieces.stderr.push(piece));
    child.on('error', (cause) => reject(new ProcessFailed(`${program}: ${cause.message}`, { cause })));
    child.on('close', (code, signal) => {
      const wallSeconds = (performance.now() - began) / 1000;
      const stdout = Buffer.concat(pieces.stdout).toString('utf8');
      const stderr = Buffer.concat(pieces.stderr).toString('utf8');
      if (code === 0) resolve({ stdout, stderr, wallSeconds });
      else reject(new ProcessFailed(`ended with ${signal ?? `status ${code}`}: ${complaintOf(stderr)}`));
    });
  });
}

/** The line that names the error, which Node prints above its stack and Python below; else the last line. */
function complaintOf(stderr: string): string {
  return (
    stderr.split('\n').findLast((line) => /^\w*(?:Error|Exception|Interrupted)\b/.test(line)) ??
    lastLine(stderr)
  );
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
