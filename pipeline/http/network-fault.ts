/** What an error of the connection means: what may pass (TransferFault), what only the user can mend (UserError). */

import { UserError } from '../errors.ts';
import { type Proxies, proxyFor } from './proxies.ts';
import { errorCode, TransferFault } from './transfer-fault.ts';

/**
 * @param name What was asked for, as messages name it.
 * @returns Anything unknown as it is.
 */
export function networkFault(error: unknown, url: URL, name: string, proxies: Proxies): unknown {
  const code = errorCode(error);
  const text = error instanceof Error ? error.message : '';
  const proxy = proxyFor(url, proxies);
  const through = proxy === null ? '' : ` through the proxy ${proxy}`;

  const refusal = /Proxy response \((\d+)\)/.exec(text);
  if (refusal !== null) {
    return new UserError(
      `${name}: the proxy ${proxy} refuses to connect to ${url.host} (${refusal[1]}). ` +
        (refusal[1] === '407'
          ? "It asks for a name and password: put them into the proxy's address, http://name:password@host:port."
          : 'Have that host allowed, or name another proxy in HTTPS_PROXY.'),
      { cause: error },
    );
  }
  if (isCertificateFault(code)) {
    return new UserError(
      `${name}: the certificate of ${url.host} is not trusted (${code}). Where a proxy opens connections, name its certificate in NODE_EXTRA_CA_CERTS.`,
      { cause: error },
    );
  }
  const unreachable: Record<string, string> = {
    ENOTFOUND: `the name ${proxy ?? url.host} is not known`,
    EAI_AGAIN: `names such as ${proxy ?? url.host} cannot be looked up`,
    ECONNREFUSED: `nobody listens at ${proxy ?? url.host}`,
    ENETUNREACH: `there is no way to ${proxy ?? url.host}`,
    EHOSTUNREACH: `there is no way to ${proxy ?? url.host}`,
    ENETDOWN: 'the network is down',
    EADDRNOTAVAIL: 'the network is down',
    UND_ERR_CONNECT_TIMEOUT: `${proxy ?? url.host} does not answer`,
  };
  if (code !== null && code in unreachable) {
    return new TransferFault(`${unreachable[code]} (${code})`, { cause: error, unreachable: true });
  }
  const broken: Record<string, string> = {
    UND_ERR_HEADERS_TIMEOUT: `${url.host} did not answer${through}`,
    UND_ERR_BODY_TIMEOUT: `${url.host} stopped sending${through}`,
    UND_ERR_SOCKET: `${url.host} broke the connection off${through}`,
    UND_ERR_RES_CONTENT_LENGTH_MISMATCH: `${url.host} sent less than it had announced${through}`,
    ECONNRESET: `${url.host} broke the connection off${through}`,
    EPIPE: `${url.host} broke the connection off${through}`,
    ECONNABORTED: `${url.host} broke the connection off${through}`,
    ETIMEDOUT: `${url.host} does not answer${through}`,
  };
  if (code !== null && code in broken)
    return new TransferFault(`${broken[code]} (${code})`, { cause: error });
  if (
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    (error instanceof Error && error.name === 'HTTPParserError')
  ) {
    return new TransferFault(`${url.host} does not speak HTTP as expected${through} (${code ?? text})`, {
      cause: error,
    });
  }
  return error;
}

function isCertificateFault(code: string | null): boolean {
  return (
    code !== null &&
    /CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|^ERR_TLS_|SELF_SIGNED|UND_ERR_PRX_TLS/.test(code)
  );
}
