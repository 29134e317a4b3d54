import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { httpTiming } from '../../pipeline/http/timing.ts';
import { TransferFault } from '../../pipeline/http/transfer-fault.ts';
import { Refused, WebService } from '../../pipeline/http/web-service.ts';
import { cutOff, FakeService, failed, type Spoiler } from '../stages/ingest/fake-service.ts';

let fake: FakeService;
let service: WebService;
let waits: number[];
let retries: string[];
let controller: AbortController;

function open(variables: Record<string, string> = {}, intervalMilliseconds = 0): WebService {
  return new WebService({
    ...{
      name: 'stones',
      intervalMilliseconds,
      variables,
      signal: controller.signal,
      contact: 'me@uni.example',
    },
    onRetry: (message) => retries.push(message),
    timing: {
      ...{
        ...httpTiming,
        tries: 3,
        firstPauseMilliseconds: 1,
        longestPauseMilliseconds: 2,
        idleMilliseconds: 2000,
      },
      wait: async (milliseconds) => {
        waits.push(milliseconds);
      },
    },
  });
}

const redirect = (location: string): Spoiler => failed(302, { location });
const page = (path = '/page?api_key=secret', most = 100): Promise<string> =>
  service.page(new URL(path, fake.url), most, (text) => text);

beforeEach(async () => {
  waits = [];
  retries = [];
  controller = new AbortController();
  fake = new FakeService(({ pathname }) => ({ body: `content of ${pathname}` }));
  await fake.start();
  service = open();
});
afterEach(async () => {
  await service.close();
  await fake.stop();
});

describe('a page', () => {
  it('is asked for in our name, uncompressed', async () => {
    expect(await page()).toBe('content of /page');
    expect(fake.headers[0]).toMatchObject({
      'user-agent': 'scinertopic (mailto:me@uni.example)',
      'accept-encoding': 'identity',
    });
  });

  it('is followed to where it has moved, and not in circles', async () => {
    fake.spoilers.set(0, redirect('/elsewhere'));
    expect(await page()).toBe('content of /elsewhere');
    for (let i = 0; i < 10; i++) fake.spoilers.set(2 + i, redirect('/page'));
    await expect(page()).rejects.toThrow('from one address to another without end');
  });

  it.each(['ftp://other.example/', 'http://name:word@other.example/', 'http://['])(
    'is not followed to %s',
    async (location) => {
      fake.spoilers.set(0, redirect(location));
      await expect(page()).rejects.toThrow('which is no web address');
    },
  );

  it('is no larger than it may be', async () => {
    await expect(page('/page', 5)).rejects.toThrow(
      'stones: expected at most 5 bytes in an answer, got more.',
    );
    expect(fake.asked).toHaveLength(1);
  });

  it('is begun anew when the line breaks, without what came before', async () => {
    fake.spoilers.set(0, cutOff);
    expect(await page()).toBe('content of /page');
    expect(retries).toHaveLength(1);
  });

  it('is asked for again when what reads it finds it not whole', async () => {
    let tries = 0;
    const read = (text: string): string => {
      if (tries++ === 0) throw new TransferFault('half of it is missing');
      return text;
    };
    expect(await service.page(new URL('/page', fake.url), 100, read)).toBe('content of /page');
    expect(retries).toEqual(['half of it is missing; trying again']);
  });

  it('is waited for as long as the service asks, and not longer than is sensible', async () => {
    fake.spoilers.set(0, failed(429, { 'retry-after': '7' }));
    await page();
    expect(waits).toEqual([7000]);
    fake.spoilers.set(2, failed(503, { 'retry-after': '86400' }));
    await expect(page()).rejects.toThrow('Wait 86400 s and run again');
    expect(fake.asked).toHaveLength(3);
  });

  it('is given up after some tries, in words without the key', async () => {
    fake.deadFrom = 0;
    const error = await page().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(
      /^stones: 127\.0\.0\.1:\d+ answered 500\. Run again; what was fetched is kept/,
    );
    expect((error as Error).message).not.toContain('secret');
    expect(fake.asked).toHaveLength(3);
  });

  it.each([400, 401, 403, 404, 410])('that is refused with %i is not asked for again', async (status) => {
    fake.spoilers.set(0, failed(status));
    const error = await page().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Refused);
    expect(error).toMatchObject({ status });
    expect(fake.asked).toHaveLength(1);
  });

  it('is not waited for when we are to stop', async () => {
    fake.spoilers.set(0, () => {});
    const asked = page();
    setTimeout(() => controller.abort(new Error('stop')), 20);
    await expect(asked).rejects.toThrow('stop');
  });
});

describe('pages', () => {
  it('are asked for at the pace of the service', async () => {
    await service.close();
    service = open({}, 5000);
    await page();
    await page();
    await page();
    expect(waits).toHaveLength(2);
    expect(waits[0]).toBeGreaterThan(4000);
    expect(waits[0]).toBeLessThanOrEqual(5000);
    // The clock stands still here, so that the third waits for both before it.
    expect(waits[1]).toBeGreaterThan(9000);
  });

  it('come through the proxy that the machine names', async () => {
    const seen: string[] = [];
    const proxy: Server = createServer((request, response) => {
      seen.push(request.url ?? '');
      response.end('from the proxy');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    await service.close();
    service = open({ HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
    expect(await service.page(new URL('http://stones.example/page'), 100, (text) => text)).toBe(
      'from the proxy',
    );
    expect(seen).toEqual(['http://stones.example/page']);
    await service.close();
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
    expect(() => open({ HTTP_PROXY: 'http://' })).toThrow('HTTP_PROXY: expected');
  });

  it('of nobody are given up soon', async () => {
    const address = new URL('/page', fake.url);
    await fake.stop();
    const asked = service.page(address, 100, (text) => text);
    await expect(asked).rejects.toThrow(/nobody listens at .* Check the network and HTTPS_PROXY/);
    await fake.start();
  });
});

describe('a file', () => {
  const path = (): string => join(mkdtempSync(join(tmpdir(), 'scinertopic-web-')), 'file');

  it('is brought to disk, begun anew when the line breaks', async () => {
    fake.spoilers.set(0, cutOff);
    const file = path();
    await service.download(new URL('/file', fake.url), 100, file);
    expect(readFileSync(file, 'utf8')).toBe('content of /file');
    expect(retries).toHaveLength(1);
  });

  it('is no larger than it may be', async () => {
    await expect(service.download(new URL('/file', fake.url), 5, path())).rejects.toThrow(
      'at most 5 bytes in a file',
    );
  });
});
