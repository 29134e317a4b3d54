/** One HTTP request: content goes to a receiver piece by piece; faults of the connection come out told apart. */

import { Writable } from 'node:stream';
import { type Dispatcher, EnvHttpProxyAgent, stream } from 'undici';
import { networkFault } from './network-fault.ts';
import type { Proxies } from './proxies.ts';
import type { HttpTiming } from './timing.ts';
import type { Headers } from './transfer-fault.ts';

/** More of a body that nobody reads ends the connection. */
const maxIgnoredBytes = 64 << 10;

export interface Answer {
  /** 200, or 206 where a part was asked for; 416 when there is no such part. Other answers bring no content. */
  status: number;
  headers: Headers;
  /** Who answered. */
  host: string;
}

/**
 * Called when content is about to come; what it returns takes the content piece by piece. What either throws
 * ends the request and comes out of it. Both do their work before they return, as by writing synchronously:
 * undici 7 throws where nobody can catch it when a body is held up while the other side closes the connection
 * (https://github.com/nodejs/undici/issues/5360).
 */
export type Receiver = (answer: Answer) => (piece: Buffer) => void;

/** What keeps connections open between requests. */
export type Connections = Dispatcher;

export function openConnections(proxies: Proxies): Connections {
  return new EnvHttpProxyAgent({
    httpProxy: proxies.http,
    httpsProxy: proxies.https,
    noProxy: proxies.none,
    // Plain requests go to a proxy as they do from other programs; many proxies open tunnels for https only.
    proxyTunnel: false,
  });
}

export interface HttpRequest {
  method: 'GET' | 'HEAD';
  url: URL;
  headers: Readonly<Record<string, string>>;
  /** What is asked for, as messages name it. */
  name: string;
  connections: Connections;
  proxies: Proxies;
  timing: Pick<HttpTiming, 'idleMilliseconds'>;
  signal: AbortSignal;
  receive: Receiver;
}

/**
 * Makes the request. The body of a redirect or of an error is dropped.
 *
 * @throws TransferFault for what may pass, UserError for what will not, and what the receiver throws.
 */
export async function ask(request: HttpRequest): Promise<Answer> {
  const { method, url, signal, proxies, connections } = request;
  const idle = request.timing.idleMilliseconds;
  let answer: Answer | null = null;
  let refused: { reason: unknown } | null = null;
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      refused ??= { reason: error };
      throw error;
    }
  };
  try {
    await stream(
      url,
      {
        method,
        dispatcher: connections,
        signal,
        headersTimeout: idle,
        bodyTimeout: idle,
        // Compressed on the way, a file would have another length, and no part of it could be asked for.
        headers: { 'user-agent': 'scinertopic', 'accept-encoding': 'identity', ...request.headers },
      },
      (head) => {
        const here: Answer = { status: head.statusCode, headers: head.headers, host: url.host };
        const take = hasContent(here.status) ? guarded(() => request.receive(here)) : dropped();
        answer = here;
        return sink((piece) => guarded(() => take(piece)));
      },
    );
  } catch (error) {
    signal.throwIfAborted();
    const head = answer as Answer | null;
    // What is amiss with a body that nobody reads does not matter.
    if (head !== null && !hasContent(head.status)) return head;
    if (refused !== null) throw (refused as { reason: unknown }).reason;
    throw networkFault(error, url, request.name, proxies);
  }
  if (answer === null) throw new Error(`${url.host} ended a request without an answer.`);
  return answer;
}

export function hasContent(status: number): boolean {
  return status === 200 || status === 206 || status === 416;
}

const redirects = new Set([301, 302, 303, 307, 308]);

export function isRedirect(status: number): boolean {
  return redirects.has(status);
}

/** A stream that takes each piece before it asks for the next, and so never holds the connection up. */
function sink(take: (piece: Buffer) => void): Writable {
  return new Writable({
    // Above any piece that a connection brings; with less, the stream would call itself full while it writes one.
    highWaterMark: 64 << 20,
    write(piece: Buffer, _encoding, done) {
      try {
        take(piece);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

function dropped(): (piece: Buffer) => void {
  let bytes = 0;
  return (piece) => {
    bytes += piece.length;
    if (bytes > maxIgnoredBytes) throw new Error('Enough of a body that nobody reads.');
  };
}
