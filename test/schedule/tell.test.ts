import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scheduleSection } from '../../pipeline/schedule/config.ts';
import type { NightReport } from '../../pipeline/schedule/health.ts';
import { type Telling, tell } from '../../pipeline/schedule/tell.ts';

const night: NightReport = {
  planned_at: '2026-03-11T02:00:00.000Z',
  started_at: '2026-03-11T02:00:00.000Z',
  finished_at: '2026-03-11T02:01:00.000Z',
  status: 'failed',
  exit_code: 2,
  attempts: 1,
  seconds: 60,
  run_id: null,
  up_to_date: null,
  documents: null,
  topics: null,
  noise_share: null,
  message: 'expected $(touch here) `touch here`; touch here',
};

function telling(change: Partial<Telling> = {}): Telling & { said: string[] } {
  const said: string[] = [];
  return {
    folder: mkdtempSync(join(tmpdir(), 'scinertopic-tell-')),
    exportFolder: '/somewhere/outputs/latest',
    timeoutMilliseconds: 20_000,
    tries: 3,
    pauseMilliseconds: 1,
    signal: new AbortController().signal,
    log: (_level, _event, message) => said.push(message),
    said,
    ...change,
  };
}

const noticeOf = (notice: unknown) => scheduleSection.parse({ on_failure: notice }).on_failure;

/** A server that answers with these codes in turn, the last for ever. */
async function withServer(
  codes: readonly number[],
  test: (address: string, bodies: string[]) => Promise<void>,
): Promise<void> {
  const bodies: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(body);
      const code = codes[Math.min(bodies.length, codes.length) - 1];
      response.writeHead(code, code === 302 ? { location: '/elsewhere' } : {}).end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await test(`http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-path`, bodies);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe('a command', () => {
  it('gets its arguments as they stand, and the night in its environment', async () => {
    const with_ = telling();
    const script = `require('node:fs').writeFileSync('told', JSON.stringify({ given: process.argv.slice(1), ...process.env }))`;
    const command = [process.execPath, '-e', script, '$(touch here)', '; touch here', '%PATH% "'];
    await tell(noticeOf({ command }), night, with_);
    expect(with_.said).toEqual([]);
    const told = JSON.parse(readFileSync(join(with_.folder, 'told'), 'utf8'));
    expect(told.given).toEqual(['$(touch here)', '; touch here', '%PATH% "']);
    expect(told).toMatchObject({
      SCINERTOPIC_STATUS: 'failed',
      SCINERTOPIC_RUN_ID: '',
      SCINERTOPIC_EXPORT: '/somewhere/outputs/latest',
      SCINERTOPIC_EXIT_CODE: '2',
      SCINERTOPIC_MESSAGE: night.message,
    });
    expect(existsSync(join(with_.folder, 'here'))).toBe(false);
  });

  it('that is missing, fails or takes too long is said, and ends nothing', async () => {
    const missing = telling();
    await tell(noticeOf({ command: ['./no-such-program'] }), night, missing);
    expect(missing.said[0]).toContain('could not be run');
    const failing = telling();
    writeFileSync(join(failing.folder, 'fail.sh'), '#!/bin/sh\necho no mail today >&2\nexit 7\n');
    chmodSync(join(failing.folder, 'fail.sh'), 0o755);
    await tell(noticeOf({ command: ['./fail.sh'] }), night, failing);
    expect(failing.said[0]).toContain('exit code 7');
    const slow = telling({ timeoutMilliseconds: 200 });
    await tell(noticeOf({ command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'] }), night, slow);
    expect(slow.said[0]).toContain('SIGKILL');
  });
});

describe('a webhook', () => {
  it('gets one JSON object with how the night ended, and no settings', async () => {
    await withServer([200], async (webhook, bodies) => {
      const with_ = telling();
      await tell(noticeOf({ webhook }), night, with_);
      expect(with_.said).toEqual([]);
      expect(bodies.map((body) => JSON.parse(body))).toEqual([{ event: 'failure', ...night }]);
    });
  });

  it('is tried again where the fault may pass, and not where it will not', async () => {
    await withServer([503, 429, 204], async (webhook, bodies) => {
      const with_ = telling();
      await tell(noticeOf({ webhook }), night, with_);
      expect([bodies.length, with_.said]).toEqual([3, []]);
    });
    for (const code of [404, 302]) {
      await withServer([code], async (webhook, bodies) => {
        const with_ = telling();
        await tell(noticeOf({ webhook }), night, with_);
        expect(bodies.length).toBe(1);
        expect(with_.said[0]).toContain(`answered ${code}`);
        expect(with_.said[0]).not.toContain('secret');
      });
    }
  });

  it('that gives no answer is given up after its time', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const with_ = telling({ timeoutMilliseconds: 100, tries: 2 });
    await tell(
      noticeOf({ webhook: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }),
      night,
      with_,
    );
    expect(with_.said[0]).toContain('was not reached');
    server.close();
    server.closeAllConnections();
  });

  it('may have its address in the environment, and says when there is none', async () => {
    await withServer([200], async (webhook, bodies) => {
      process.env.SCINERTOPIC_TEST_HOOK = webhook;
      await tell(noticeOf({ webhook: 'env:SCINERTOPIC_TEST_HOOK' }), night, telling());
      expect(bodies.length).toBe(1);
      delete process.env.SCINERTOPIC_TEST_HOOK;
      const with_ = telling();
      await tell(noticeOf({ webhook: 'env:SCINERTOPIC_TEST_HOOK' }), night, with_);
      expect(with_.said[0]).toContain('env:SCINERTOPIC_TEST_HOOK names no address');
    });
  });
});

describe('the schedule section', () => {
  it('refuses what is no address, no cron expression, no time zone and no port', () => {
    const refused = [
      { on_failure: { webhook: 'ftp://example.org' } },
      { on_failure: { command: 'mail root' } },
      { cron: 'nightly' },
      { time_zone: 'Mars' },
      { health_address: '1.2.3.4' },
      { health_address: '70000' },
      { retries: { cout: 3 } },
    ];
    for (const settings of refused) expect(scheduleSection.safeParse(settings).success).toBe(false);
    expect(scheduleSection.parse({ health_address: '[::1]:8790' }).retries.count).toBe(3);
  });
});
