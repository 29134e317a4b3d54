import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hubEnvironment } from '../../pipeline/hub/environment.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'scinertopic-home-'));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

describe('hubEnvironment', () => {
  it('asks the public hub, without token, proxy or limits, from the usual cache', () => {
    expect(hubEnvironment({ HOME: home })).toMatchObject({
      endpoint: 'https://huggingface.co',
      token: null,
      offline: null,
      cacheFolder: join(home, '.cache', 'huggingface', 'hub'),
      proxies: { http: '', https: '', none: '' },
    });
    expect(hubEnvironment({}).cacheFolder).toBe(join(homedir(), '.cache', 'huggingface', 'hub'));
  });

  it.each([
    [{ XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
    [{ XDG_CACHE_HOME: '/x', HF_HOME: '/h' }, '/h/hub'],
    [{ HF_HOME: '/h', HUGGINGFACE_HUB_CACHE: '/old' }, '/old'],
    [{ HF_HOME: '/h', HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '/new' }, '/new'],
    [{ HF_HOME: '$DATA/hf', DATA: '/data' }, '/data/hf/hub'],
    [{ HF_HOME: ['$', '{DATA}/hf'].join(''), DATA: '/data' }, '/data/hf/hub'],
    [{ HF_HOME: '~/hf', HOME: '/home/me' }, '/home/me/hf/hub'],
    [{ HF_HOME: '', XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
  ])('finds the cache of %j', (variables, expected) => {
    expect(hubEnvironment(variables).cacheFolder).toBe(resolve(expected));
  });

  it('lets the config name the cache, and still reads the token of HF_HOME', () => {
    writeFileSync(join(home, 'token'), 'hf_file\n');
    const read = hubEnvironment({ HF_HOME: home, HF_HUB_CACHE: '/elsewhere' }, join(home, 'mine'));
    expect(read.cacheFolder).toBe(join(home, 'mine'));
    expect(read.token).toBe('hf_file');
  });

  it('takes the token of the variable before that of the file, and none where both are disabled', () => {
    mkdirSync(join(home, 'huggingface'), { recursive: true });
    writeFileSync(join(home, 'huggingface', 'token'), 'hf_file');
    const XDG_CACHE_HOME = home;
    expect(hubEnvironment({ XDG_CACHE_HOME }).token).toBe('hf_file');
    expect(hubEnvironment({ XDG_CACHE_HOME, HF_TOKEN: 'hf_variable' }).token).toBe('hf_variable');
    expect(hubEnvironment({ XDG_CACHE_HOME, HF_TOKEN_PATH: join(home, 'none') }).token).toBeNull();
    expect(hubEnvironment({ XDG_CACHE_HOME, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }).token).toBeNull();
  });

  it('refuses a token that cannot be one, without repeating it', () => {
    expect(() => hubEnvironment({ HF_TOKEN: 'hf_a\r\nX-Evil: 1' })).toThrow(/^HF_TOKEN: (?!.*Evil)/s);
  });

  it.each([
    ['HF_HUB_OFFLINE', '1', 'HF_HUB_OFFLINE'],
    ['TRANSFORMERS_OFFLINE', 'True', 'TRANSFORMERS_OFFLINE'],
    ['HF_HUB_OFFLINE', '0', null],
    ['HF_HUB_OFFLINE', '', null],
  ])('is offline by %s=%s: %s', (variable, value, expected) => {
    expect(hubEnvironment({ [variable]: value }).offline).toBe(expected);
  });

  it('takes an endpoint with or without a slash, and with a path', () => {
    expect(hubEnvironment({ HF_ENDPOINT: 'https://hub.example/' }).endpoint).toBe('https://hub.example');
    expect(hubEnvironment({ HF_ENDPOINT: 'http://hub.example/api/hf//' }).endpoint).toBe(
      'http://hub.example/api/hf',
    );
  });

  it.each([
    'hub.example',
    'ftp://hub.example',
    'https://me:secret@hub.example',
    'https://hub.example/?a=1',
    'https://',
  ])('refuses the endpoint %s', (HF_ENDPOINT) => {
    expect(() => hubEnvironment({ HF_ENDPOINT })).toThrow(/^HF_ENDPOINT: (?!.*secret)/);
  });

  it('reads proxies as other programs do', () => {
    expect(hubEnvironment({ HTTPS_PROXY: 'proxy.example:3128', no_proxy: 'a,b' }).proxies).toEqual({
      http: '',
      https: 'http://proxy.example:3128',
      none: 'a,b',
    });
    expect(hubEnvironment({ ALL_PROXY: 'http://all:1', https_proxy: 'http://one:2' }).proxies).toEqual({
      http: 'http://all:1',
      https: 'http://one:2',
      none: '',
    });
    expect(() => hubEnvironment({ HTTPS_PROXY: 'ftp://me:secret@x' })).toThrow(/^HTTPS_PROXY: (?!.*secret)/);
  });

  it('takes the time limit in seconds', () => {
    expect(hubEnvironment({ HF_HUB_DOWNLOAD_TIMEOUT: '2.5' }).timing.idleMilliseconds).toBe(2500);
    for (const wrong of ['0', '-1', 'soon', 'Infinity']) {
      expect(() => hubEnvironment({ HF_HUB_DOWNLOAD_TIMEOUT: wrong })).toThrow('HF_HUB_DOWNLOAD_TIMEOUT');
    }
  });
});
