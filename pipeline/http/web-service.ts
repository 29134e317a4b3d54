/**
 * A service on the web that is asked for many pages: at its pace, again after faults that may pass, never for more
 * than is wanted. Keys stand in addresses, which therefore stand in no message.
 */

import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { UserError } from '../errors.ts';
import { type Proxies, readProxies } from './proxies.ts';
import { type Answer, ask, type Connections, hasContent, isRedirect, openConnections } from './request.ts';
import { withRetries } from './retry.ts';
import { type HttpTiming, httpTiming } from './timing.ts';
import { headerText, quoted, retryAfter, TransferFault } from './transfer-fault.ts';

export interface ServiceOptions {
  /** As messages name it. */
  name: string;
  /** Least time between the beginnings of two requests. */
  intervalMilliseconds: number;
  /** Whom the service may write to; part of the name that requests give. */
  contact?: string | undefined;
  /** As process.env, for proxies. */
  variables: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
  /** Told of each fault that is tried over. */
  onRetry: (message: string) => void;
  timing?: HttpTiming;
}

/** The service has understood, and does not want to. */
export class Refused extends UserError {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

const maxRedirects = 5;

export class WebService {
  private readonly options: ServiceOptions;
  private readonly timing: HttpTiming;
  private readonly proxies: Proxies;
  private readonly connections: Connections;
  private nextRequest = 0;

  constructor(options: ServiceOptions) {
    this.options = options;
    this.timing = options.timing ?? httpTiming;
    this.proxies = readProxies(options.variables);
    this.connections = openConnections(this.proxies);
  }

  /**
   * Asks for a page and reads it.
   *
   * @param read Takes the text; a TransferFault that it throws is tried over, as for one that was cut off.
   * @throws Refused where the service says no; UserError when it cannot be reached; what `read` throws.
   */
  page<T>(address: URL, maxBytes: number, read: (text: string) => T): Promise<T> {
    return this.tried(async () => {
      const pieces: Buffer[] = [];
      let bytes = 0;
      await this.follow(address, () => {
        pieces.length = 0;
        bytes = 0;
        return (piece) => {
          bytes += piece.length;
          if (bytes > maxBytes) {
            throw new UserError(
              `${this.options.name}: expected at most ${maxBytes} bytes in an answer, got more.`,
            );
          }
          pieces.push(piece);
        };
      });
      return read(Buffer.concat(pieces, bytes).toString('utf8'));
    });
  }

  /**
   * Brings a file to disk.
   *
   * @throws As `page`; the file is then not to be used.
   */
  download(address: URL, maxBytes: number, path: string): Promise<void> {
    return this.tried(async () => {
      const descriptor = openSync(path, 'w', 0o600);
      try {
        let end = 0;
        let announced: string | null = null;
        await this.follow(address, (answer) => {
          announced = headerText(answer.headers, 'content-length');
          return (piece) => {
            if (end + piece.length > maxBytes) {
              throw new UserError(
                `${this.options.name}: expected at most ${maxBytes} bytes in a file, got more.`,
              );
            }
            for (let done = 0; done < piece.length; ) {
              done += writeSync(descriptor, piece, done, piece.length - done, end + done);
            }
            end += piece.length;
          };
        });
        if (announced !== null && Number(announced) !== end) {
          throw new TransferFault(`${address.host} ended a file after ${end} of ${announced} bytes`);
        }
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    });
  }

  async close(): Promise<void> {
    await this.connections.destroy();
  }

  private tried<T>(once: () => Promise<T>): Promise<T> {
    const { signal, onRetry } = this.options;
    const givenUp = (fault: TransferFault): Error => this.givenUp(fault);
    return withRetries({ timing: this.timing, signal, onRetry, givenUp }, once);
  }

  private async follow(address: URL, receive: (answer: Answer) => (piece: Buffer) => void): Promise<void> {
    const { name, contact, signal } = this.options;
    let url = address;
    for (let hop = 0; hop <= maxRedirects; hop++) {
      await this.turn();
      const answer = await ask({
        ...{ method: 'GET', url, name, signal, receive, timing: this.timing },
        ...{ connections: this.connections, proxies: this.proxies },
        headers: { 'user-agent': contact === undefined ? 'scinertopic' : `scinertopic (mailto:${contact})` },
      });
      if (answer.status === 200) return;
      const location = headerText(answer.headers, 'location');
      if (!isRedirect(answer.status) || location === null) throw this.statusFault(answer, url);
      url = this.nextUrl(location, url);
    }
    throw new UserError(
      `${name}: ${address.host} sends us from one address to another without end. Check ingest.url.`,
    );
  }

  /** Waits until the next request may begin. */
  private async turn(): Promise<void> {
    const now = performance.now();
    const begins = Math.max(now, this.nextRequest);
    this.nextRequest = begins + this.options.intervalMilliseconds;
    if (begins > now) await this.timing.wait(begins - now, this.options.signal);
  }

  private statusFault({ status, headers }: Answer, url: URL): Error {
    const { name } = this.options;
    if (status === 408 || status === 425 || status === 429 || status >= 500 || hasContent(status)) {
      const word = status === 429 ? ' (too many requests)' : '';
      return new TransferFault(`${url.host} answered ${status}${word}`, {
        retryAfterSeconds: retryAfter(headers),
      });
    }
    if (status === 407) {
      return new UserError(
        `${name}: the proxy asks for a name and password (407). Put them into the proxy's address: http://name:password@host:port.`,
      );
    }
    return new Refused(`${name}: expected an answer from ${url.host}, got status ${status}.`, status);
  }

  private nextUrl(location: string, from: URL): URL {
    const { name } = this.options;
    const next = URL.canParse(location, from.href) ? new URL(location, from.href) : null;
    if (next === null || !/^https?:$/.test(next.protocol) || next.username !== '' || next.password !== '') {
      const shown = quoted(location.replace(/[?#].*$/s, ''));
      throw new UserError(`${name}: ${from.host} sends us on to ${shown}, which is no web address.`);
    }
    if (from.protocol === 'https:' && next.protocol === 'http:') {
      throw new UserError(
        `${name}: ${from.host} sends us on to ${next.host} without encryption, which is refused.`,
      );
    }
    return next;
  }

  private givenUp(fault: TransferFault): UserError {
    const { name } = this.options;
    const remedy = fault.unreachable
      ? 'Check the network and HTTPS_PROXY, then run again'
      : fault.retryAfterSeconds !== null
        ? `Wait ${fault.retryAfterSeconds} s and run again`
        : 'Run again';
    return new UserError(
      `${name}: ${fault.message}. ${remedy}; what was fetched is kept, and "update: false" works with that alone.`,
      { cause: fault },
    );
  }
}
