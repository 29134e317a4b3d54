import { describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import type { Health } from '../../pipeline/schedule/health.ts';
import { serveHealth } from '../../pipeline/schedule/health-server.ts';

const health: Health = {
  status: 'waiting',
  healthy: true,
  process: 1,
  scheduler_started_at: '2026-03-10T12:00:00.000Z',
  updated_at: '2026-03-10T12:00:00.000Z',
  next_run: '2026-03-11T02:00:00.000Z',
  running_since: null,
  last_success_at: null,
  failures_in_a_row: 0,
  last_night: null,
};

describe('serveHealth', () => {
  it('answers 200 while all is well and 503 after a failed night, and nothing else', async () => {
    const state = { ...health };
    const server = await serveHealth({ host: '127.0.0.1', port: 0 }, () => state);
    const get = (path: string, method = 'GET') => fetch(`http://${server.address}${path}`, { method });
    const well = await get('/health');
    expect([well.status, await well.json()]).toEqual([200, health]);
    state.healthy = false;
    expect((await get('/health')).status).toBe(503);
    expect((await get('/health', 'HEAD')).status).toBe(503);
    expect((await get('/other')).status).toBe(404);
    expect((await get('/health', 'POST')).status).toBe(405);
    server.close();
  });

  it('says which address cannot be listened on', async () => {
    const server = await serveHealth({ host: '127.0.0.1', port: 0 }, () => health);
    const port = Number(server.address.split(':')[1]);
    await expect(serveHealth({ host: '127.0.0.1', port }, () => health)).rejects.toThrow(UserError);
    server.close();
  });
});
