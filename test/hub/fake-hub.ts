/**
 * A hub on this machine that behaves as the real one does: listings, errors with their codes, small files
 * served by itself, large ones by a second host to which it redirects, entity tags and ranges. Single answers
 * can be spoilt.
 */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeFile {
  content: Buffer;
  /** Large files are kept apart from git, under their sha256. */
  large: boolean;
}

export interface FakeRepository {
  commit: string;
  files: Record<string, FakeFile>;
  /** Refused to all, or to all but one token. */
  access?: 'gated' | { token: string };
}

export interface Seen {
  host: 'hub' | 'store';
  path: string;
  headers: IncomingMessage['headers'];
}

/** How one answer goes wrong; `file` is what would have been sent. */
export type Spoiler = (request: IncomingMessage, response: ServerResponse, file: FakeFile) => void;

export function small(text: string): FakeFile {
  return { content: Buffer.from(text), large: false };
}

/** Bytes that differ from place to place, so that a wrong offset shows. */
export function large(bytes: number, seed = 1): FakeFile {
  const content = Buffer.alloc(bytes);
  let state = seed;
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    content[i] = state >>> 24;
  }
  return { content, large: true };
}

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

export function gitSha1(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

/** A model's repository, as small as can be. */
export function modelFiles(weightBytes = 100_000): Record<string, FakeFile> {
  return {
    '.gitattributes': small('*.bin filter=lfs'),
    'README.md': small('# a model'),
    'config.json': small('{"model_type":"bert"}'),
    'vocab.txt': small('[PAD]\n[UNK]\n'),
    'model.safetensors': large(weightBytes),
    'tf_model.h5': large(300, 7),
  };
}

export class FakeHub {
  readonly repositories = new Map<string, FakeRepository>();
  readonly seen: Seen[] = [];
  /** By file path, or `listing`: one is used up per answer. */
  readonly spoilers = new Map<string, Spoiler[]>();
  /** False for a store that sends whole files only. */
  ranges = true;
  /** What /api/models/NAME answers, where the hub also lists that way. */
  mirror: unknown = null;
  /** Puts something into the store's entity tags. */
  edition = '';
  private readonly hub: Server;
  private readonly store: Server;

  constructor() {
    this.hub = createServer((request, response) => this.answerHub(request, response));
    this.store = createServer((request, response) => this.answerStore(request, response));
  }

  async start(): Promise<void> {
    for (const server of [this.hub, this.store]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
  }

  async stop(): Promise<void> {
    for (const server of [this.hub, this.store]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  get endpoint(): string {
    return address(this.hub);
  }

  add(name: string, files: Record<string, FakeFile>, more: Partial<FakeRepository> = {}): FakeRepository {
    const commit = createHash('sha1').update(name).update(String(this.repositories.size)).digest('hex');
    const repository = { commit, files, ...more };
    this.repositories.set(name, repository);
    return repository;
  }

  spoil(path: string, ...spoilers: Spoiler[]): void {
    this.spoilers.set(path, [...(this.spoilers.get(path) ?? []), ...spoilers]);
  }

  /** Requests of a file's content, in order; those that were only sent on are left out. */
  contentRequests(path: string): Seen[] {
    const file = [...this.repositories.values()].map(({ files }) => files[path]).find(Boolean);
    const end = file?.large ? `/store/${sha256(file.content)}` : `/${path}`;
    return this.seen.filter((seen) => seen.path.endsWith(end) && (seen.host === 'store') === file?.large);
  }

  private answerHub(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.endpoint);
    this.seen.push({ host: 'hub', path: url.pathname, headers: request.headers });
    if (this.mirror !== null && /^\/api\/models\/[^/]+\/[^/]+$/.test(url.pathname)) {
      response.end(JSON.stringify(this.mirror));
      return;
    }
    const listing = /^\/api\/models\/(.+?)\/revision\/([^/]+)$/.exec(url.pathname);
    const resolved = /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    const name = listing?.[1] ?? resolved?.[1] ?? '';
    const revision = decodeURIComponent(listing?.[2] ?? resolved?.[2] ?? '');
    const repository = this.repositories.get(name);
    const token = request.headers.authorization?.replace('Bearer ', '');
    if (repository === undefined) {
      // The hub does not tell strangers which names exist.
      fail(response, 401, 'RepoNotFound', 'Repository not found');
      return;
    }
    if (typeof repository.access === 'object' && repository.access.token !== token) {
      fail(response, 401, 'RepoNotFound', 'Invalid username or password.');
      return;
    }
    if (revision !== 'main' && revision !== repository.commit) {
      fail(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
      return;
    }
    if (listing) {
      const spoiler = this.spoilers.get('listing')?.shift();
      if (spoiler !== undefined) {
        spoiler(request, response, small(''));
        return;
      }
      const siblings = url.searchParams.get('blobs') === 'true' ? siblingsOf(repository) : [];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ id: name, sha: repository.commit, private: false, siblings }));
      return;
    }
    if (repository.access === 'gated') {
      fail(response, 403, 'GatedRepo', `Access to model ${name} is restricted.`);
      return;
    }
    const path = decodeURIComponent(resolved?.[3] ?? '');
    const file = repository.files[path];
    if (file === undefined) {
      fail(response, 404, 'EntryNotFound', 'Entry not found');
      return;
    }
    response.setHeader('x-repo-commit', repository.commit);
    if (file.large) {
      const sum = sha256(file.content);
      response.setHeader('x-linked-etag', `"${sum}"`);
      response.setHeader('x-linked-size', file.content.length);
      response.setHeader('location', `${address(this.store)}/store/${sum}?Signature=secret`);
      response.statusCode = 302;
      response.end();
      return;
    }
    this.serve(path, file, `"${gitSha1(file.content)}"`, request, response);
  }

  private answerStore(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', address(this.store));
    this.seen.push({ host: 'store', path: url.pathname, headers: request.headers });
    const sum = url.pathname.split('/').at(-1);
    for (const { files } of this.repositories.values()) {
      for (const [path, file] of Object.entries(files)) {
        if (sha256(file.content) !== sum) continue;
        this.serve(path, file, `"store${this.edition}-${sum}"`, request, response);
        return;
      }
    }
    fail(response, 404, '', '');
  }

  private serve(
    path: string,
    file: FakeFile,
    etag: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    response.setHeader('etag', etag);
    const spoiler = this.spoilers.get(path)?.shift();
    if (spoiler !== undefined) {
      spoiler(request, response, file);
      return;
    }
    const { content } = file;
    const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const condition = request.headers['if-range'];
    if (from === undefined || !this.ranges || (condition !== undefined && condition !== etag)) {
      response.setHeader('content-length', content.length);
      response.end(content);
      return;
    }
    const start = Number(from);
    if (start >= content.length) {
      response.statusCode = 416;
      response.end();
      return;
    }
    response.statusCode = 206;
    response.setHeader('content-length', content.length - start);
    response.setHeader('content-range', `bytes ${start}-${content.length - 1}/${content.length}`);
    response.end(content.subarray(start));
  }
}

/** Sends so many bytes of the file, or of what was asked for of it, and breaks the connection off. */
export function cutAfter(bytes: number): Spoiler {
  return (request, response, { content }) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from > 0) {
      response.statusCode = 206;
      response.setHeader('content-range', `bytes ${from}-${content.length - 1}/${content.length}`);
    }
    response.setHeader('content-length', content.length - from);
    response.write(content.subarray(from, from + bytes), () => response.destroy());
  };
}

/** Sends so many bytes of the file, then nothing more, and keeps the connection. */
export function silentAfter(bytes: number): Spoiler {
  return (_request, response, { content }) => {
    response.setHeader('content-length', content.length);
    response.write(content.subarray(0, bytes));
  };
}

export function status(code: number, headers: Record<string, string> = {}): Spoiler {
  return (_request, response) => {
    response.writeHead(code, headers);
    response.end('no');
  };
}

/** Sends something else in the file's place. */
export function instead(change: (content: Buffer) => Buffer, announced = true): Spoiler {
  return (_request, response, { content }) => {
    const other = change(content);
    if (announced) response.setHeader('content-length', other.length);
    response.write(other, () => response.end());
  };
}

function siblingsOf(repository: FakeRepository): unknown[] {
  return Object.entries(repository.files).map(([rfilename, { content, large }]) =>
    large
      ? {
          rfilename,
          size: content.length,
          // Of the pointer that git keeps.
          blobId: gitSha1(Buffer.from(`pointer to ${sha256(content)}`)),
          lfs: { sha256: sha256(content), size: content.length, pointerSize: 134 },
        }
      : { rfilename, size: content.length, blobId: gitSha1(content) },
  );
}

function fail(response: ServerResponse, code: number, errorCode: string, message: string): void {
  response.writeHead(code, { 'x-error-code': errorCode, 'x-error-message': message });
  response.end(JSON.stringify({ error: message }));
}

function address(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
