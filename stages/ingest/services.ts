/** What all services on the web have in common: address, key, contact, pace. */

import type { SourceJob } from '../../pipeline/contract.ts';
import { UserError } from '../../pipeline/errors.ts';
import { type HttpTiming, httpTiming } from '../../pipeline/http/timing.ts';
import { WebService } from '../../pipeline/http/web-service.ts';
import type { SourceConfig } from './config.ts';

/** @param intervalMilliseconds The service's own bound, where the user sets no other. */
export function openService(
  config: SourceConfig,
  name: string,
  intervalMilliseconds: number,
  job: SourceJob,
): WebService {
  const { requests_per_second: rate } = config;
  return new WebService({
    name,
    intervalMilliseconds: rate === undefined ? intervalMilliseconds : 1000 / rate,
    contact: config.mailto,
    variables: job.variables,
    signal: job.signal,
    onRetry: (message) => job.notice(`${name}: ${message}.`),
    timing: shortened(httpTiming, job.patience ?? 1),
  });
}

function shortened(timing: HttpTiming, share: number): HttpTiming {
  return {
    ...timing,
    firstPauseMilliseconds: timing.firstPauseMilliseconds * share,
    longestPauseMilliseconds: timing.longestPauseMilliseconds * share,
    wait: (milliseconds, signal) => timing.wait(milliseconds * share, signal),
  };
}

/** An address below the service's own, or below the one that the user names in its place. */
export function addressOf({ url }: SourceConfig, endpoint: string, path: string): URL {
  return new URL(path, `${(url ?? endpoint).replace(/\/*$/, '')}/`);
}

/**
 * The key of the user's account, from the variable that the config names.
 *
 * @returns Null where the config names none.
 */
export function keyOf({ api_key: named }: SourceConfig, { variables }: SourceJob): string | null {
  if (named === undefined) return null;
  const variable = named.slice('env:'.length);
  const key = variables[variable]?.trim() ?? '';
  if (!/^[\x21-\x7e]{1,500}$/.test(key)) {
    throw new UserError(
      `ingest: expected a key in the variable ${variable} (ingest.api_key), found ${key === '' ? 'none' : 'characters that none has'}.`,
    );
  }
  return key;
}
