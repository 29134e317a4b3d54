/**
 * What can go wrong between here and the model hub, told apart: what may pass if asked again (TransferFault),
 * and what only the user can mend (UserError).
 */

import { UserError } from '../errors.ts';
import {
  errorCode,
  type Headers,
  headerText,
  quoted,
  retryAfter,
  TransferFault,
} from '../http/transfer-fault.ts';
import type { HubEnvironment } from './environment.ts';

/** No such repository, or a private one. */
export class NotOnHub extends UserError {}

/** What was asked for, as messages name it. */
export interface Asked {
  repository: string;
  revision: string;
  /** Null for the listing of all files. */
  path: string | null;
}

/**
 * What a status that brings no content means.
 *
 * @param fromHub False when a host answered to which the hub had sent us on.
 */
export function statusFault(
  status: number,
  headers: Headers,
  url: URL,
  fromHub: boolean,
  asked: Asked,
  environment: HubEnvironment,
): UserError | TransferFault {
  const name = reference(asked);
  const code = headerText(headers, 'x-error-code');
  const said = headerText(headers, 'x-error-message');
  const word = said === null ? '' : `, saying ${quoted(said)}`;
  const page = `${environment.endpoint}/${asked.repository}`;
  const token = environment.token;

  if (status === 408 || status === 429 || status >= 500) {
    return new TransferFault(
      `${url.host} answered ${status}${status === 429 ? ' (too many requests)' : ''}${word}`,
      {
        retryAfterSeconds: retryAfter(headers),
      },
    );
  }
  // The address that the hub sent us to is signed for a while only; asked again, it gives a fresh one.
  if (!fromHub && (status === 401 || status === 403)) {
    return new TransferFault(`${url.host}, where the hub keeps this file, answered ${status}${word}`);
  }
  if (status === 407) {
    return new UserError(
      `${name}: the proxy asks for a name and password (407). Put them into the proxy's address: http://name:password@host:port.`,
    );
  }
  if (code === 'GatedRepo') {
    const then =
      token === null
        ? 'then set HF_TOKEN to an access token of that account'
        : 'with the account whose token HF_TOKEN holds';
    return new UserError(`${name} is gated: accept its terms at ${page}, ${then}, and run again.`);
  }
  if (code === 'RevisionNotFound') {
    return new UserError(
      `${name}: ${page} has no branch, tag or commit ${quoted(asked.revision)}. Its revisions are listed at ${page}/commits/main.`,
    );
  }
  if (code === 'EntryNotFound' || (status === 404 && asked.path !== null && code === null)) {
    return new UserError(
      `${name}: the hub lists ${quoted(asked.path ?? '')} but has no such file at ${asked.revision} (${status}). Run again; if it stays so, choose another revision.`,
    );
  }
  if (status === 401 || status === 404 || code === 'RepoNotFound') {
    const remedy =
      token === null
        ? 'Check the name; for a private repository set HF_TOKEN to an access token.'
        : 'Check the name, and that the token in HF_TOKEN (or in the file HF_HOME/token) is valid and may read this repository.';
    return new NotOnHub(`${name}: not found at ${page}, or private (${status}${word}). ${remedy}`);
  }
  if (status === 403) {
    return new UserError(
      `${name}: ${url.host} refuses access (403${word}). Visit ${page} to see why${token === null ? '; set HF_TOKEN where an account is needed' : ''}.`,
    );
  }
  return new UserError(
    `${name}: expected content from ${url.host}, got status ${status}${word}. Check HF_ENDPOINT (${environment.endpoint}).`,
  );
}

/** What the user reads once a fault has not passed. */
export function givenUp(fault: TransferFault, asked: Asked, environment: HubEnvironment): UserError {
  const what = asked.path === null ? 'the list of its files' : asked.path;
  const remedy = fault.unreachable
    ? `Check the network, HTTPS_PROXY and HF_ENDPOINT (${environment.endpoint}); then run again.`
    : fault.retryAfterSeconds !== null
      ? `Wait ${fault.retryAfterSeconds} s and run again${environment.token === null ? '; with an account, set HF_TOKEN for a larger share' : ''}.`
      : 'Run the same command again: what has arrived is kept.';
  return new UserError(`${reference(asked)}: ${what} could not be fetched: ${fault.message}. ${remedy}`, {
    cause: fault,
  });
}

const diskCauses: Record<string, string> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the disk quota is used up; free some space',
  EACCES: 'it may not be written to; change its permissions',
  EPERM: 'it may not be written to; change its permissions',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a file stands where a folder is needed; move it',
  EISDIR: 'a folder stands where a file is needed; move it',
  EFBIG: 'the file system holds no file as large',
  ENAMETOOLONG: 'its path is too long',
  EIO: 'the disk reports an error',
};

/** What an error of the disk below the cache means; anything else comes back as it is. */
export function diskFault(error: unknown, repository: string, cacheFolder: string): unknown {
  const code = errorCode(error);
  if (code === null || !(code in diskCauses)) return error;
  return new UserError(
    `hf:${repository}: expected to write to ${cacheFolder}, but ${diskCauses[code]} (${code}), or name another folder in HF_HOME. What has arrived is kept.`,
    { cause: error },
  );
}

/** True when a folder cannot be written to, for whatever reason but lack of room. */
export function isReadOnly(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '');
}

/** As users write it: hf:owner/name, with the revision where they gave one. */
export function reference(asked: Asked): string {
  return `hf:${asked.repository}${asked.revision === 'main' ? '' : `@${asked.revision}`}`;
}
