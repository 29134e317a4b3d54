/**
 * Tells people how a night ended: by a command, whose arguments no shell reads, and by a webhook. What is told
 * holds no settings and no environment; the webhook's address may be a secret, so that only its host is named.
 */

import { spawn } from 'node:child_process';
import pRetry from 'p-retry';
import { type NoticeConfig, webhookAddress } from './config.ts';
import type { NightReport } from './health.ts';
import type { Log } from './log.ts';

export interface Telling {
  /** Where the command is started. */
  folder: string;
  /** Folder of the exported files, for the command. */
  exportFolder: string;
  timeoutMilliseconds: number;
  /** Tries at a webhook, and the pause before the second. */
  tries: number;
  pauseMilliseconds: number;
  signal: AbortSignal;
  log: Log;
}

/** Never throws: that nobody could be told is logged, and the night stays what it was. */
export async function tell(config: NoticeConfig, night: NightReport, telling: Telling): Promise<void> {
  const faults = await Promise.all([
    config.command.length === 0 ? null : runCommand(config.command, night, telling),
    config.webhook === undefined ? null : post(config.webhook, night, telling),
  ]);
  for (const fault of faults) if (fault !== null) telling.log('warning', 'notice', fault);
}

/** @returns What went wrong, or null. */
function runCommand(
  command: readonly string[],
  night: NightReport,
  telling: Telling,
): Promise<string | null> {
  const [file, ...rest] = command;
  const child = spawn(file, rest, {
    cwd: telling.folder,
    shell: false,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: telling.timeoutMilliseconds,
    killSignal: 'SIGKILL',
    signal: telling.signal,
    env: { ...process.env, ...variables(night, telling) },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said = (said + chunk).slice(-500);
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`the command ${file} could not be run: ${error.message}`));
    // Not `close`: a helper that the command left behind may hold its stderr open.
    child.once('exit', (code, name) => {
      const how =
        name === null ? `exit code ${code}` : `${name}, as after ${telling.timeoutMilliseconds / 1000} s`;
      resolve(
        code === 0 ? null : `the command ${file} failed (${how})${said === '' ? '' : `: ${said.trim()}`}`,
      );
    });
  });
}

function variables(night: NightReport, telling: Telling): Record<string, string> {
  return {
    SCINERTOPIC_STATUS: night.status,
    SCINERTOPIC_RUN_ID: night.run_id ?? '',
    SCINERTOPIC_EXPORT: telling.exportFolder,
    SCINERTOPIC_EXIT_CODE: night.exit_code === null ? '' : String(night.exit_code),
    SCINERTOPIC_ATTEMPTS: String(night.attempts),
    SCINERTOPIC_SECONDS: String(night.seconds),
    SCINERTOPIC_MESSAGE: night.message ?? '',
  };
}

/** A refusal that another try would meet again. */
class Refused extends Error {}

/** @returns What went wrong, or null. */
async function post(webhook: string, night: NightReport, telling: Telling): Promise<string | null> {
  const address = webhookAddress(webhook, process.env);
  if (address === null)
    return `the webhook ${webhook} names no address: set the variable to one that starts with https://`;
  try {
    await pRetry(() => postOnce(address, night, telling), {
      retries: telling.tries - 1,
      minTimeout: telling.pauseMilliseconds,
      factor: 2,
      signal: telling.signal,
      shouldRetry: ({ error }) => !(error instanceof Refused),
    });
    return null;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return `the webhook at ${address.host} was not reached: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}

async function postOnce(address: URL, night: NightReport, telling: Telling): Promise<void> {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'scinertopic' },
    body: JSON.stringify({ event: night.status === 'done' ? 'success' : 'failure', ...night }),
    // A webhook that points elsewhere would have the news told to a stranger.
    redirect: 'manual',
    signal: AbortSignal.any([telling.signal, AbortSignal.timeout(telling.timeoutMilliseconds)]),
  });
  await response.body?.cancel();
  if (response.ok) return;
  const passing = response.status >= 500 || response.status === 408 || response.status === 429;
  const fault = `it answered ${response.status}`;
  throw passing ? new Error(fault) : new Refused(fault);
}
