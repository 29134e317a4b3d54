/** The proxies that this machine's variables name. */

import { UserError } from '../errors.ts';

/** Addresses of proxies; empty where there is none. */
export interface Proxies {
  http: string;
  https: string;
  /** Hosts that are asked directly, separated by commas. */
  none: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** The first of these variables that is set to something. */
export function firstVariable(variables: Variables, ...names: string[]): string | null {
  return (
    names.map((name) => variables[name]?.trim()).find((value) => value !== undefined && value !== '') ?? null
  );
}

/**
 * Reads HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case.
 *
 * @throws UserError naming the variable that holds no proxy's address.
 */
export function readProxies(variables: Variables): Proxies {
  const first = (...names: string[]): string | null => firstVariable(variables, ...names);
  return {
    http: checkedProxy(first('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'), 'HTTP_PROXY'),
    https: checkedProxy(first('https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'), 'HTTPS_PROXY'),
    none: first('no_proxy', 'NO_PROXY') ?? '',
  };
}

/** Host of the proxy that a host is reached by, as far as the variables tell; null for none. */
export function proxyFor(url: URL, proxies: Proxies): string | null {
  const address = url.protocol === 'https:' ? proxies.https : proxies.http;
  return address === '' ? null : new URL(address).host;
}

function checkedProxy(text: string | null, variable: string): string {
  if (text === null) return '';
  const full = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  if (url === null || !/^(?:https?|socks5?):$/.test(url.protocol) || url.hostname === '') {
    throw new UserError(
      `${variable}: expected a proxy's address, as http://proxy.example:3128, got one that cannot be read.`,
    );
  }
  return full;
}
