/**
 * Requests to the model hub and to the hosts that it sends us on to: redirects, the access token, proxies,
 * time limits, and answers that bring no content turned into faults. Trying again is `retry.ts`.
 */

import { Writable } from 'node:stream';
import { type Dispatcher, EnvHttpProxyAgent, stream } from 'undici';
import { UserError } from '../errors.ts';
import type { HubEnvironment } from './environment.ts';
import { type Asked, type Headers, headerText, networkFault, reference, statusFault } from './faults.ts';
import { quoted } from './names.ts';

const maxRedirects = 8;
const redirects = new Set([301, 302, 303, 307, 308]);

/** More of a body that nobody reads ends the connection. */
const maxIgnoredBytes = 64 << 10;

export interface HubAnswer {
  /** 200, or 206 where a part was asked for; 416 when there is no such part. */
  status: number;
  headers: Headers;
  /** Who answered, after all redirects. */
  host: string;
}

/**
 * Called when content is about to come; what it returns takes the content piece by piece. What either throws
 * ends the request and comes out of it. Both do their work before they return, as by writing synchronously:
 * undici 7 throws where nobody can catch it when a body is held up while the other side closes the connection
 * (https://github.com/nodejs/undici/issues/5360).
 */
export type Receiver = (answer: HubAnswer) => (piece: Buffer) => void;

export class HubConnection {
  readonly environment: HubEnvironment;
  private readonly signal: AbortSignal;
  private readonly dispatcher: Dispatcher;

  /** @param signal Ends every request when it is raised. */
  constructor(environment: HubEnvironment, signal: AbortSignal) {
    this.environment = environment;
    this.signal = signal;
    this.dispatcher = new EnvHttpProxyAgent({
      httpProxy: environment.proxies.http,
      httpsProxy: environment.proxies.https,
      noProxy: environment.proxies.none,
      // Plain requests go to a proxy as they do from other programs; many proxies open tunnels for https only.
      proxyTunnel: false,
    });
  }

  /**
   * @param address Below the endpoint.
   * @returns When all content has been taken.
   * @throws TransferFault for what may pass, UserError for what will not.
   */
  get(
    address: string,
    asked: Asked,
    headers: Readonly<Record<string, string>>,
    receive: Receiver,
  ): Promise<void> {
    return this.follow('GET', address, asked, headers, receive);
  }

  /**
   * Asks what a file is, without its content.
   *
   * @returns The headers of every answer on the way to it, the hub's own first.
   * @throws As `get`.
   */
  async head(address: string, asked: Asked): Promise<Headers[]> {
    const seen: Headers[] = [];
    await this.follow('HEAD', address, asked, {}, () => () => {}, seen);
    return seen;
  }

  private async follow(
    method: 'GET' | 'HEAD',
    address: string,
    asked: Asked,
    headers: Readonly<Record<string, string>>,
    receive: Receiver,
    seen: Headers[] = [],
  ): Promise<void> {
    const endpoint = new URL(this.environment.endpoint);
    let url = new URL(address);
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const fromHub = url.origin === endpoint.origin;
      const sent = fromHub ? { ...headers, ...this.authorization() } : headers;
      const answer = await this.ask(method, url, asked, sent, receive);
      seen.push(answer.headers);
      if (hasContent(answer.status)) return;
      const location = headerText(answer.headers, 'location');
      if (!redirects.has(answer.status) || location === null) {
        throw statusFault(answer.status, answer.headers, url, fromHub, asked, this.environment);
      }
      url = nextUrl(location, url, asked);
    }
    throw new UserError(
      `${reference(asked)}: ${endpoint.host} sends us from one address to another without end. Check HF_ENDPOINT and the proxy.`,
    );
  }

  async close(): Promise<void> {
    await this.dispatcher.destroy();
  }

  /** One request. Content goes to the receiver; the body of a redirect or of an error is dropped. */
  private async ask(
    method: 'GET' | 'HEAD',
    url: URL,
    asked: Asked,
    headers: Readonly<Record<string, string>>,
    receive: Receiver,
  ): Promise<HubAnswer> {
    const idle = this.environment.timing.idleMilliseconds;
    let answer: HubAnswer | null = null;
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
          dispatcher: this.dispatcher,
          signal: this.signal,
          headersTimeout: idle,
          bodyTimeout: idle,
          // Compressed on the way, a file would have another length, and no part of it could be asked for.
          headers: { 'user-agent': 'scinertopic', 'accept-encoding': 'identity', ...headers },
        },
        (head) => {
          const here: HubAnswer = { status: head.statusCode, headers: head.headers, host: url.host };
          const take = hasContent(here.status) ? guarded(() => receive(here)) : dropped();
          answer = here;
          return sink((piece) => guarded(() => take(piece)));
        },
      );
    } catch (error) {
      this.signal.throwIfAborted();
      const head = answer as HubAnswer | null;
      // What is amiss with a body that nobody reads does not matter.
      if (head !== null && !hasContent(head.status)) return head;
      if (refused !== null) throw (refused as { reason: unknown }).reason;
      throw networkFault(error, url, asked, this.environment);
    }
    if (answer === null) throw new Error(`${url.host} ended a request without an answer.`);
    return answer;
  }

  /** The token is the hub's: no other host, and so no host that the hub names, is shown it. */
  private authorization(): Record<string, string> {
    return this.environment.token === null ? {} : { authorization: `Bearer ${this.environment.token}` };
  }
}

function hasContent(status: number): boolean {
  return status === 200 || status === 206 || status === 416;
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

/**
 * Where a redirect leads.
 *
 * @throws UserError for what is no web address, or gives up encryption.
 */
export function nextUrl(location: string, from: URL, asked: Asked): URL {
  const next = URL.canParse(location, from.href) ? new URL(location, from.href) : null;
  if (next === null || !/^https?:$/.test(next.protocol) || next.username !== '' || next.password !== '') {
    throw new UserError(
      `${reference(asked)}: ${from.host} sends us on to ${quoted(location.replace(/[?#].*$/s, ''))}, which is no web address. Check HF_ENDPOINT.`,
    );
  }
  if (from.protocol === 'https:' && next.protocol === 'http:') {
    throw new UserError(
      `${reference(asked)}: ${from.host} sends us on to ${next.host} without encryption, which is refused. Check HF_ENDPOINT and the proxy.`,
    );
  }
  return next;
}
