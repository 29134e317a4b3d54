/** What the machine says about the model hub: the standard variables, read once into one object. */

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { firstVariable, type Proxies, readProxies } from '../http/proxies.ts';
import { type HttpTiming, httpTiming } from '../http/timing.ts';
import { quoted } from '../http/transfer-fault.ts';

export interface HubEnvironment {
  /** Address of the hub without a slash at its end. */
  endpoint: string;
  /** Sent to the endpoint's own host and to no other; null without one. */
  token: string | null;
  /** Folder that holds `models--owner--name` folders, absolute. Shared with Hugging Face's own libraries. */
  cacheFolder: string;
  /** The variable that forbids the network; null when it may be used. */
  offline: string | null;
  proxies: Proxies;
  timing: HubTiming;
}

/** How long to wait for whom. Tests shorten it. */
export interface HubTiming extends HttpTiming {
  /** How often a process that fetches shows that it is alive. */
  heartbeatMilliseconds: number;
  /** Without a heartbeat for this long, a process that is gone has left its lock behind. */
  deadOwnerMilliseconds: number;
  /** Without a heartbeat for this long, any lock has been left behind. */
  silentOwnerMilliseconds: number;
}

export const hubTiming: HubTiming = {
  ...httpTiming,
  heartbeatMilliseconds: 500,
  deadOwnerMilliseconds: 2_000,
  silentOwnerMilliseconds: 60_000,
};

const publicEndpoint = 'https://huggingface.co';
const maxTokenFileBytes = 4096;

/**
 * Reads HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HOME, HF_HUB_CACHE, XDG_CACHE_HOME, HF_HUB_OFFLINE,
 * TRANSFORMERS_OFFLINE, HF_HUB_DOWNLOAD_TIMEOUT and the proxy variables, with the meaning that Hugging Face's
 * own libraries give them.
 *
 * @param variables As process.env.
 * @param cacheFolder Takes the place of the cache folder that the variables name.
 * @throws UserError naming the variable that cannot be used.
 */
export function hubEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
  cacheFolder?: string,
): HubEnvironment {
  /** The first of these variables that is set to something, as Python's `or` picks it. */
  const first = (...names: string[]): string | null => firstVariable(variables, ...names);
  const path = (text: string): string => expandedPath(text, variables);

  const caches = first('XDG_CACHE_HOME') ?? join('~', '.cache');
  const home = path(first('HF_HOME') ?? join(caches, 'huggingface'));
  const hubCache = first('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE');
  const tokenFile = path(first('HF_TOKEN_PATH') ?? join(home, 'token'));
  return {
    endpoint: checkedEndpoint(first('HF_ENDPOINT') ?? publicEndpoint),
    token: isTrue(first('HF_HUB_DISABLE_IMPLICIT_TOKEN'))
      ? null
      : (checkedToken(first('HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'), 'HF_TOKEN') ??
        checkedToken(readToken(tokenFile), tokenFile)),
    cacheFolder: cacheFolder === undefined ? path(hubCache ?? join(home, 'hub')) : resolve(cacheFolder),
    offline: ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'].find((name) => isTrue(first(name))) ?? null,
    proxies: readProxies(variables),
    timing: { ...hubTiming, ...idleTime(first('HF_HUB_DOWNLOAD_TIMEOUT')) },
  };
}

function isTrue(value: string | null): boolean {
  return value !== null && /^(?:1|on|yes|true)$/i.test(value);
}

/** Absolute path, with `~` and `$NAME` or `${NAME}` put in at its places. */
function expandedPath(text: string, variables: Readonly<Record<string, string | undefined>>): string {
  const home = variables.HOME ?? homedir();
  const named = text.replace(
    /\$(?:(\w+)|\{(\w+)\})/g,
    (whole, bare, braced) => variables[bare ?? braced] ?? whole,
  );
  return resolve(named.replace(/^~(?=$|[/\\])/, () => home));
}

function checkedEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username ||
    url.password ||
    url.search ||
    url.hash
  ) {
    throw new UserError(
      `HF_ENDPOINT: expected the hub's address, as ${publicEndpoint}, without user name or query, got ${quoted(text.replace(/\/\/[^/]*@/, '//…@'))}.`,
    );
  }
  return url.href.replace(/\/+$/, '');
}

function readToken(file: string): string | null {
  try {
    const text = readFileSync(file);
    return text.length > maxTokenFileBytes ? null : text.toString('utf8').replaceAll('\n', '').trim() || null;
  } catch {
    // No file, or none that may be read: most users have none, and the hub says when one is needed.
    return null;
  }
}

/** The token itself never stands in a message. */
function checkedToken(token: string | null, source: string): string | null {
  if (token !== null && !/^[\x21-\x7e]+$/.test(token)) {
    throw new UserError(
      `${source}: expected an access token in one piece, found characters that none has. Copy it again.`,
    );
  }
  return token;
}

function idleTime(text: string | null): Partial<HubTiming> {
  if (text === null) return {};
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 86_400)) {
    throw new UserError(
      `HF_HUB_DOWNLOAD_TIMEOUT: expected seconds above 0 and up to 86400, got ${quoted(text)}.`,
    );
  }
  return { idleMilliseconds: Math.ceil(seconds * 1000) };
}
