/**
 * Requests to the model hub and to the hosts that it sends us on to: redirects, the access token, proxies,
 * and answers that bring no content turned into faults. Trying again is `retry.ts`.
 */

import { UserError } from '../errors.ts';
import {
  ask,
  type Connections,
  hasContent,
  isRedirect,
  openConnections,
  type Receiver,
} from '../http/request.ts';
import { type Headers, headerText, quoted } from '../http/transfer-fault.ts';
import type { HubEnvironment } from './environment.ts';
import { type Asked, reference, statusFault } from './faults.ts';

const maxRedirects = 8;

export class HubConnection {
  readonly environment: HubEnvironment;
  private readonly signal: AbortSignal;
  private readonly connections: Connections;

  /** @param signal Ends every request when it is raised. */
  constructor(environment: HubEnvironment, signal: AbortSignal) {
    this.environment = environment;
    this.signal = signal;
    this.connections = openConnections(environment.proxies);
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
      const answer = await ask({
        ...{ method, url, headers: sent, name: reference(asked), receive, signal: this.signal },
        ...{
          connections: this.connections,
          proxies: this.environment.proxies,
          timing: this.environment.timing,
        },
      });
      seen.push(answer.headers);
      if (hasContent(answer.status)) return;
      const location = headerText(answer.headers, 'location');
      if (!isRedirect(answer.status) || location === null) {
        throw statusFault(answer.status, answer.headers, url, fromHub, asked, this.environment);
      }
      url = nextUrl(location, url, asked);
    }
    throw new UserError(
      `${reference(asked)}: ${endpoint.host} sends us from one address to another without end. Check HF_ENDPOINT and the proxy.`,
    );
  }

  async close(): Promise<void> {
    await this.connections.destroy();
  }

  /** The token is the hub's: no other host, and so no host that the hub names, is shown it. */
  private authorization(): Record<string, string> {
    return this.environment.token === null ? {} : { authorization: `Bearer ${this.environment.token}` };
  }
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
