/** GET /health: the health file's content, with 200 while all is well and 503 after a night that failed. */

import { createServer, type Server } from 'node:http';
import { UserError } from '../errors.ts';
import type { Health } from './health.ts';

export interface HealthServer {
  /** address:port as listened on. */
  address: string;
  close(): void;
}

/** @throws UserError when the address cannot be listened on. */
export async function serveHealth(
  { host, port }: { host: string; port: number },
  health: () => Health,
): Promise<HealthServer> {
  const server = createServer({ requestTimeout: 5000, headersTimeout: 5000 }, (request, response) => {
    const path = (request.url ?? '').split('?')[0];
    const readable = request.method === 'GET' || request.method === 'HEAD';
    const status = !readable ? 405 : path !== '/health' ? 404 : health().healthy ? 200 : 503;
    const known = status === 200 || status === 503;
    const body = known ? `${JSON.stringify(health(), null, 2)}\n` : `Expected GET /health.\n`;
    response.writeHead(status, {
      'content-type': known ? 'application/json' : 'text/plain',
      'cache-control': 'no-store',
      connection: 'close',
      ...(status === 405 && { allow: 'GET, HEAD' }),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  server.maxConnections = 16;
  await listen(server, host, port);
  const found = server.address();
  const shown = typeof found === 'object' && found !== null ? found.port : port;
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${shown}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new UserError(
          `schedule: cannot listen on ${host}:${port} (${error.code ?? error.message}); change schedule.health_address.`,
          { cause: error },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
}
