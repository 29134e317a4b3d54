import { describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { networkFault } from '../../pipeline/http/network-fault.ts';
import { readProxies } from '../../pipeline/http/proxies.ts';
import { TransferFault } from '../../pipeline/http/transfer-fault.ts';

const url = new URL('https://hub.example/a/b?Signature=secret');

function coded(code: string, message = 'x'): Error {
  return Object.assign(new Error(message), { code });
}

function network(error: unknown, variables: Record<string, string> = {}): Error {
  return networkFault(error, url, 'hf:a/b', readProxies(variables)) as Error;
}

describe('networkFault', () => {
  it.each(['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])(
    'tells by %s that nobody can be reached',
    (code) => {
      expect(network(coded(code))).toMatchObject({
        unreachable: true,
        message: expect.stringContaining(code),
      });
    },
  );

  it.each(['ECONNRESET', 'UND_ERR_SOCKET', 'UND_ERR_BODY_TIMEOUT', 'EPIPE'])(
    'tells by %s that the line broke',
    (code) => {
      const fault = network(coded(code));
      expect(fault).toBeInstanceOf(TransferFault);
      expect(fault).toMatchObject({ unreachable: false });
    },
  );

  it('reads what the first of several addresses said', () => {
    expect(network(new AggregateError([coded('ECONNREFUSED')]))).toMatchObject({ unreachable: true });
  });

  it('names a certificate that is not trusted, which no second try mends', () => {
    for (const code of ['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_HAS_EXPIRED']) {
      const fault = network(coded(code));
      expect(fault).toBeInstanceOf(UserError);
      expect(fault.message).toContain('NODE_EXTRA_CA_CERTS');
    }
  });

  it('names the proxy that asks for a password', () => {
    const error = coded('UND_ERR_ABORTED', 'Proxy response (407) !== 200 when HTTP Tunneling');
    expect(network(error, { HTTPS_PROXY: 'http://me:secret@proxy:3128' }).message).toMatch(
      /the proxy proxy:3128 refuses .* \(407\)\. It asks for a name and password/,
    );
  });

  it('leaves alone what it does not know', () => {
    const bug = new TypeError('x is not a function');
    expect(network(bug)).toBe(bug);
  });
});
