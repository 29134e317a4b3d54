import { describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { TransferFault } from '../../pipeline/http/transfer-fault.ts';
import { nextUrl } from '../../pipeline/hub/connection.ts';
import { hubEnvironment } from '../../pipeline/hub/environment.ts';
import { diskFault, statusFault } from '../../pipeline/hub/faults.ts';

const asked = { repository: 'a/b', revision: 'main', path: 'config.json' };
const url = new URL('https://hub.example/a/b?Signature=secret');
const environment = hubEnvironment({ HF_ENDPOINT: 'https://hub.example', HF_HOME: '/nowhere' });

function coded(code: string, message = 'x'): Error {
  return Object.assign(new Error(message), { code });
}

function status(code: number, headers: Record<string, string> = {}): Error {
  return statusFault(code, headers, url, true, asked, environment);
}

describe('statusFault', () => {
  it('keeps the query of an address, which may be signed, out of every message', () => {
    for (const code of [400, 401, 403, 404, 407, 429, 500])
      expect(status(code).message).not.toContain('secret');
  });

  it('repeats what the hub says, shortened and harmless', () => {
    const said = `Access to this resource is disabled.\u001b[2J${'x'.repeat(500)}`;
    const { message } = status(403, { 'x-error-message': said });
    expect(message).toContain('"Access to this resource is disabled.\\u001b[2J');
    expect(message.length).toBeLessThan(400);
  });

  it('lets server faults pass, and tells what the user can mend', () => {
    for (const code of [408, 429, 500, 502, 503, 504]) expect(status(code)).toBeInstanceOf(TransferFault);
    for (const code of [400, 401, 403, 404, 407, 410, 451]) expect(status(code)).toBeInstanceOf(UserError);
  });
});

describe('diskFault', () => {
  it('names the folder and what to do', () => {
    const fault = diskFault(coded('EACCES'), 'a/b', '/cache') as Error;
    expect(fault).toBeInstanceOf(UserError);
    expect(fault.message).toMatch(/^hf:a\/b: expected to write to \/cache, but it may not be written to/);
    const bug = new Error('x');
    expect(diskFault(bug, 'a/b', '/cache')).toBe(bug);
  });
});

describe('nextUrl', () => {
  it('follows an address of its own, or one on the same host', () => {
    expect(nextUrl('/api/x?y=1', url, asked).href).toBe('https://hub.example/api/x?y=1');
    expect(nextUrl('https://store.example/x', url, asked).host).toBe('store.example');
  });

  it('refuses to give up encryption', () => {
    expect(() => nextUrl('http://store.example/x', url, asked)).toThrow('store.example without encryption');
  });

  it.each(['file:///etc/passwd', 'data:,x', 'https://me:pass@store.example/', 'http://'])(
    'refuses %s',
    (location) => {
      expect(() => nextUrl(location, url, asked)).toThrow('no web address');
    },
  );
});
