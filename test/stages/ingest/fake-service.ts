/** A web service on this machine: answers by a function, and single answers can be spoilt. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How one answer goes wrong; `sound` sends what would have been sent. */
export type Spoiler = (response: ServerResponse, sound: () => void) => void;

export interface Reply {
  status?: number;
  type?: string;
  body: string | Buffer;
}

export class FakeService {
  /** Addresses asked for, in order. */
  readonly asked: URL[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  /** By number of the request, from 0, over the service's life. */
  readonly spoilers = new Map<number, Spoiler>();
  /** From this request on nothing is answered but 500. */
  deadFrom = Number.POSITIVE_INFINITY;
  private readonly server: Server;

  constructor(answer: (url: URL) => Reply) {
    this.server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', this.url);
      const number = this.asked.push(url) - 1;
      this.headers.push(request.headers);
      const sound = (): void => {
        const { status = 200, type = 'text/plain', body } = answer(url);
        response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
        response.end(body);
      };
      const spoiler = number >= this.deadFrom ? failed(500) : this.spoilers.get(number);
      if (spoiler === undefined) sound();
      else spoiler(response, sound);
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What was asked for under a name, in order. */
  parameters(name: string): (string | null)[] {
    return this.asked.map((url) => url.searchParams.get(name));
  }
}

export function failed(status: number, headers: Record<string, string> = {}): Spoiler {
  return (response) => {
    response.writeHead(status, headers);
    response.end('no');
  };
}

/** Sends the head and the beginning of a body, and breaks the connection off. */
export const cutOff: Spoiler = (response) => {
  response.writeHead(200, { 'content-length': 1000 });
  response.write('{"meta"', () => response.destroy());
};

/** Sends less than a whole answer as if it were one. */
export function instead(body: string): Spoiler {
  return (response) => response.end(body);
}

/** Nobody there. */
export const hangUp: Spoiler = (response) => response.destroy();
