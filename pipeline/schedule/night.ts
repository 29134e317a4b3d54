/**
 * One try at a night: the pipeline in a process of its own, so that whatever happens to it does not happen to
 * the scheduler.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The summary is one line; more of stdout than this is not kept. */
const maxSummaryCharacters = 1 << 22;

export interface NightProgram {
  /** Program and arguments. */
  command: readonly string[];
  folder: string;
  /** How long it may go on after it was asked to stop; the database stands either way. */
  graceMilliseconds: number;
}

/** What `pipeline --json` says, as far as the scheduler passes it on. */
export interface NightSummary {
  run_id?: unknown;
  up_to_date?: unknown;
  documents_out?: unknown;
  topics?: unknown;
  noise_share?: unknown;
  export?: unknown;
}

export interface NightEnd {
  /** Null where a signal ended it. */
  exitCode: number | null;
  /** What ended it where there is no exit code: a signal's name, or why it could not be started. */
  ending: string | null;
  /** Null where it ended without one. */
  summary: NightSummary | null;
  /** The last line of stderr. */
  lastLine: string | null;
}

/** Runs it to its end; when the signal is raised, asks it to stop, and ends it if it does not. */
export function runNight(
  program: NightProgram,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<NightEnd> {
  const [file, ...rest] = program.command;
  // A group of its own: Ctrl-C reaches the scheduler alone, which passes it on once.
  const child = spawn(file, rest, {
    cwd: program.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  const forget = endWith(child, signal, program.graceMilliseconds);
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout = (stdout + chunk).slice(-maxSummaryCharacters);
  });
  let lastLine: string | null = null;
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.trim() !== '') lastLine = line.trim();
    onLine(line);
  });
  return new Promise((resolve) => {
    child.once('error', (error) => {
      forget();
      resolve({ exitCode: null, ending: `could not be started: ${error.message}`, summary: null, lastLine });
    });
    child.once('close', (exitCode, name) => {
      forget();
      resolve({ exitCode, ending: name, summary: readSummary(stdout), lastLine });
    });
  });
}

/** Ties the child's life to the signal and to this process. */
function endWith(child: ChildProcess, signal: AbortSignal, graceMilliseconds: number): () => void {
  let timer: NodeJS.Timeout | undefined;
  const kill = (): void => void child.kill('SIGKILL');
  const stop = (): void => {
    child.kill('SIGTERM');
    timer = setTimeout(kill, graceMilliseconds);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  process.once('exit', kill);
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    process.removeListener('exit', kill);
  };
}

function readSummary(stdout: string): NightSummary | null {
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  try {
    const value: unknown = JSON.parse(last);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
