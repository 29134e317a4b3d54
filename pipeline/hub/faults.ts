/**
 * What can go wrong between here and the model hub, told apart: what may pass if asked again (TransferFault),
 * and what only the user can mend (UserError).
 */

import { UserError } from '../errors.ts';
import type { HubEnvironment } from './environment.ts';
import { quoted } from './names.ts';

/** Something that may pass. Given up after some tries, its message becomes a UserError's. */
export class TransferFault extends Error {
  override readonly name = 'TransferFault';

  /** What the server asked for; null when it asked for nothing. */
  readonly retryAfterSeconds: number | null;
  /** True when nobody answered at all: no network, no such host, nobody listening. */
  readonly unreachable: boolean;

  constructor(
    message: string,
    options: ErrorOptions & { retryAfterSeconds?: number | null; unreachable?: boolean } = {},
  ) {
    super(message, options);
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.unreachable = options.unreachable ?? false;
  }
}

/** No such repository, or a private one. */
export class NotOnHub extends UserError {}

/** What was asked for, as messages name it. */
export interface Asked {
  repository: string;
  revision: string;
  /** Null for the listing of all files. */
  path: string | null;
}

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

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

/** What an error of the connection means; anything unknown comes back as it is. */
export function networkFault(error: unknown, url: URL, asked: Asked, environment: HubEnvironment): unknown {
  const code = errorCode(error);
  const text = error instanceof Error ? error.message : '';
  const proxy = proxyFor(url, environment);
  const through = proxy === null ? '' : ` through the proxy ${proxy}`;
  const name = reference(asked);

  const refusal = /Proxy response \((\d+)\)/.exec(text);
  if (refusal !== null) {
    return new UserError(
      `${name}: the proxy ${proxy} refuses to connect to ${url.host} (${refusal[1]}). ` +
        (refusal[1] === '407'
          ? "It asks for a name and password: put them into the proxy's address, http://name:password@host:port."
          : 'Have that host allowed, or name another proxy in HTTPS_PROXY.'),
      { cause: error },
    );
  }
  if (isCertificateFault(code)) {
    return new UserError(
      `${name}: the certificate of ${url.host} is not trusted (${code}). Where a proxy opens connections, name its certificate in NODE_EXTRA_CA_CERTS.`,
      { cause: error },
    );
  }
  const unreachable: Record<string, string> = {
    ENOTFOUND: `the name ${proxy ?? url.host} is not known`,
    EAI_AGAIN: `names such as ${proxy ?? url.host} cannot be looked up`,
    ECONNREFUSED: `nobody listens at ${proxy ?? url.host}`,
    ENETUNREACH: `there is no way to ${proxy ?? url.host}`,
    EHOSTUNREACH: `there is no way to ${proxy ?? url.host}`,
    ENETDOWN: 'the network is down',
    EADDRNOTAVAIL: 'the network is down',
    UND_ERR_CONNECT_TIMEOUT: `${proxy ?? url.host} does not answer`,
  };
  if (code !== null && code in unreachable) {
    return new TransferFault(`${unreachable[code]} (${code})`, { cause: error, unreachable: true });
  }
  const broken: Record<string, string> = {
    UND_ERR_HEADERS_TIMEOUT: `${url.host} did not answer${through}`,
    UND_ERR_BODY_TIMEOUT: `${url.host} stopped sending${through}`,
    UND_ERR_SOCKET: `${url.host} broke the connection off${through}`,
    UND_ERR_RES_CONTENT_LENGTH_MISMATCH: `${url.host} sent less than it had announced${through}`,
    ECONNRESET: `${url.host} broke the connection off${through}`,
    EPIPE: `${url.host} broke the connection off${through}`,
    ECONNABORTED: `${url.host} broke the connection off${through}`,
    ETIMEDOUT: `${url.host} does not answer${through}`,
  };
  if (code !== null && code in broken)
    return new TransferFault(`${broken[code]} (${code})`, { cause: error });
  if (
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    (error instanceof Error && error.name === 'HTTPParserError')
  ) {
    return new TransferFault(`${url.host} does not speak HTTP as expected${through} (${code ?? text})`, {
      cause: error,
    });
  }
  return error;
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

export function errorCode(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  // Several addresses were tried, as IPv4 and IPv6; what the first one said stands for all.
  if (error instanceof AggregateError) return errorCode(error.errors[0]);
  return null;
}

/** As users write it: hf:owner/name, with the revision where they gave one. */
export function reference(asked: Asked): string {
  return `hf:${asked.repository}${asked.revision === 'main' ? '' : `@${asked.revision}`}`;
}

export function headerText(headers: Headers, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

/** Seconds or a date, as HTTP allows; null for neither. */
function retryAfter(headers: Headers): number | null {
  const text = headerText(headers, 'retry-after');
  if (text === null) return null;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, Math.ceil(seconds));
}

function isCertificateFault(code: string | null): boolean {
  return (
    code !== null &&
    /CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|^ERR_TLS_|SELF_SIGNED|UND_ERR_PRX_TLS/.test(code)
  );
}

/** Host of the proxy that a host is reached by, as far as the variables tell; null for none. */
function proxyFor(url: URL, environment: HubEnvironment): string | null {
  const address = url.protocol === 'https:' ? environment.proxies.https : environment.proxies.http;
  return address === '' ? null : new URL(address).host;
}
