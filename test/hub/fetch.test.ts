import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, connect as openSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Interrupted, UserError } from '../../pipeline/errors.ts';
import { type HubEnvironment, hubEnvironment } from '../../pipeline/hub/environment.ts';
import { type FetchProgress, type FetchRequest, fetchRepository } from '../../pipeline/hub/fetch.ts';
import { chooseModelFiles } from '../../pipeline/hub/model-files.ts';
import { findSnapshot } from '../../pipeline/hub/snapshot.ts';
import {
  cutAfter,
  FakeHub,
  type FakeRepository,
  gitSha1,
  instead,
  large,
  modelFiles,
  type Spoiler,
  sha256,
  silentAfter,
  small,
  status,
} from './fake-hub.ts';

const name = 'lab/tiny-bert';
const needed = ['config.json', 'vocab.txt', 'model.safetensors'];
const token = 'hf_secretsecret';

let hub: FakeHub;
let cache: string;
let repository: FakeRepository;
/** What servers asked us to wait, in milliseconds. */
let waits: number[];
let progress: FetchProgress[];

beforeEach(async () => {
  hub = new FakeHub();
  await hub.start();
  repository = hub.add(name, modelFiles());
  cache = mkdtempSync(join(tmpdir(), 'scinertopic-hub-'));
  waits = [];
  progress = [];
});

afterEach(async () => {
  vi.restoreAllMocks();
  await hub.stop();
  rmSync(cache, { recursive: true, force: true });
});

function environment(variables: Record<string, string> = {}): HubEnvironment {
  const read = hubEnvironment({ HOME: cache, HF_ENDPOINT: hub.endpoint, ...variables }, join(cache, 'hub'));
  return {
    ...read,
    timing: {
      ...read.timing,
      firstPauseMilliseconds: 1,
      longestPauseMilliseconds: 2,
      idleMilliseconds: 2000,
      heartbeatMilliseconds: 20,
      deadOwnerMilliseconds: 60,
      silentOwnerMilliseconds: 300,
      wait: async (milliseconds) => {
        waits.push(milliseconds);
      },
    },
  };
}

function request(more: Partial<FetchRequest> = {}): FetchRequest {
  return {
    repository: name,
    revision: null,
    environment: environment(),
    choose: chooseModelFiles,
    maxBytes: 1e9,
    signal: new AbortController().signal,
    onProgress: (step) => progress.push(step),
    ...more,
  };
}

/** The folder of the repository in the cache. */
function folder(): string {
  return join(cache, 'hub', 'models--lab--tiny-bert');
}

function expectWhole(snapshot: { folder: string; files: { path: string; sha256: string }[] }): void {
  expect(snapshot.files.map(({ path }) => path)).toEqual(needed);
  for (const { path, sha256: sum } of snapshot.files) {
    const content = readFileSync(join(snapshot.folder, path));
    expect(content.equals(repository.files[path].content), path).toBe(true);
    expect(sum).toBe(sha256(content));
  }
}

async function failure(more: Partial<FetchRequest> = {}): Promise<string> {
  const error = await fetchRepository(request(more)).then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

function notices(): string[] {
  return progress.flatMap((step) => (step.kind === 'notice' ? [step.message] : []));
}

/** Everything below the partial folder, entity tags left out. */
function partials(): string[] {
  const partial = join(folder(), '.scinertopic', 'partial');
  return existsSync(partial) ? readdirSync(partial).filter((file) => !file.endsWith('.etag')) : [];
}

describe('fetchRepository', () => {
  it('brings the needed files of a model, each as the hub has it, and nothing else', async () => {
    const snapshot = await fetchRepository(request());
    expectWhole(snapshot);
    expect(snapshot.commit).toBe(repository.commit);
    expect(snapshot.listed).toBe(true);
    expect(snapshot.folder).toBe(join(folder(), 'snapshots', repository.commit));
    expect(readdirSync(snapshot.folder).sort()).toEqual([...needed].sort());
    expect(hub.contentRequests('tf_model.h5')).toEqual([]);
    expect(hub.contentRequests('README.md')).toEqual([]);
  });

  it('asks for sizes and checksums file by file where the listing gives none, and checks by them', async () => {
    const siblings = Object.keys(repository.files).map((rfilename) => ({ rfilename }));
    const bare = (): void =>
      hub.spoil(
        'listing',
        instead(() => Buffer.from(JSON.stringify({ sha: repository.commit, siblings }))),
      );
    bare();
    expectWhole(await fetchRepository(request()));
    expect(hub.seen.filter(({ path }) => path.endsWith('/tf_model.h5'))).toEqual([]);
  });

  it('asks the files themselves where a listing names contents in its own way', async () => {
    const siblings = Object.entries(repository.files).map(([rfilename, file]) =>
      file.large
        ? { rfilename, lfs: { oid: sha256(file.content), size: file.content.length } }
        : { rfilename, size: file.content.length, blobId: 'revision-7' },
    );
    hub.spoil(
      'listing',
      instead(() => Buffer.from(JSON.stringify({ sha: repository.commit, siblings }))),
    );
    expectWhole(await fetchRepository(request()));
    const askedAtHub = (end: string): number =>
      hub.seen.filter(({ host, path }) => host === 'hub' && path.endsWith(end)).length;
    expect([askedAtHub('/config.json'), askedAtHub('/model.safetensors')]).toEqual([2, 1]);
  });

  it('asks without the name of the main branch where a mirror knows no other way', async () => {
    const siblings = needed.map((rfilename) => ({ rfilename }));
    hub.spoil('listing', status(404));
    hub.mirror = { sha: repository.commit, siblings };
    expectWhole(await fetchRepository(request()));
  });

  it('asks again what a branch stands for only when told to', async () => {
    const before = repository.commit;
    await fetchRepository(request());
    repository.commit = '2'.repeat(40);
    expect((await fetchRepository(request())).commit).toBe(before);
    expect((await fetchRepository(request({ renew: true }))).commit).toBe(repository.commit);
    expect((await fetchRepository(request())).commit).toBe(repository.commit);
    const offline = { ...environment(), offline: 'HF_HUB_OFFLINE' };
    expect((await fetchRepository(request({ renew: true, environment: offline }))).commit).toBe(
      repository.commit,
    );
  });

  it("lays the cache out as Hugging Face's own libraries do", async () => {
    const { folder: snapshot } = await fetchRepository(request());
    expect(readFileSync(join(folder(), 'refs', 'main'), 'utf8')).toBe(repository.commit);
    const { content } = repository.files['model.safetensors'];
    expect(readlinkSync(join(snapshot, 'model.safetensors'))).toBe(
      join('..', '..', 'blobs', sha256(content)),
    );
    const config = repository.files['config.json'].content;
    expect(readlinkSync(join(snapshot, 'config.json'))).toBe(join('..', '..', 'blobs', gitSha1(config)));
    expect(readdirSync(folder()).sort()).toEqual(['.scinertopic', 'blobs', 'refs', 'snapshots']);
    expect(readdirSync(join(folder(), 'blobs'))).toHaveLength(3);
  });

  it('links files in folders to the blobs, too', async () => {
    repository.files['modules.json'] = small('[]');
    repository.files['1_Pooling/config.json'] = small('{"pooling_mode_mean_tokens":true}');
    const snapshot = await fetchRepository(request());
    const path = join(snapshot.folder, '1_Pooling', 'config.json');
    expect(readlinkSync(path).startsWith(join('..', '..', '..', 'blobs'))).toBe(true);
    expect(readFileSync(path, 'utf8')).toContain('mean');
  });

  it('leaves a manifest with commit, sizes and sums, and nothing half done', async () => {
    await fetchRepository(request());
    const own = join(folder(), '.scinertopic');
    expect(readdirSync(own).sort()).toEqual([`${repository.commit}.json`, 'refs']);
    const manifest = JSON.parse(readFileSync(join(own, `${repository.commit}.json`), 'utf8'));
    expect(manifest).toMatchObject({ repository: name, commit: repository.commit });
    expect(manifest.files).toEqual(
      needed.map((path) => {
        const { content } = repository.files[path];
        return { path, bytes: content.length, sha256: sha256(content) };
      }),
    );
  });

  it('asks nothing of the network the second time, though the branch has moved', async () => {
    await fetchRepository(request());
    const { commit } = repository;
    repository.commit = '0'.repeat(40);
    const asked = hub.seen.length;
    const again = await fetchRepository(request());
    expect(again.commit).toBe(commit);
    expectWhole(again);
    expect(hub.seen).toHaveLength(asked);
  });

  it('keeps to the commit of the first time when another library follows the branch', async () => {
    await fetchRepository(request());
    writeFileSync(join(folder(), 'refs', 'main'), '0'.repeat(40));
    const again = await findSnapshot(request());
    expect(again?.commit).toBe(repository.commit);
  });

  it('needs no network for a commit that was fetched by branch, and lists one by its own name', async () => {
    await fetchRepository(request({ revision: repository.commit }));
    expect(hub.seen[0].path).toBe(`/api/models/${name}/revision/${repository.commit}`);
    expect(existsSync(join(folder(), 'refs'))).toBe(false);
    const asked = hub.seen.length;
    await fetchRepository(request({ revision: repository.commit }));
    expect(hub.seen).toHaveLength(asked);
  });

  it('refuses a listing of another commit than the one asked for', async () => {
    hub.spoil(
      'listing',
      instead(() => Buffer.from(JSON.stringify({ sha: '1'.repeat(40), siblings: [] }))),
    );
    expect(await failure({ revision: repository.commit })).toContain('1111');
  });

  it('goes on from the files that are there when one has gone', async () => {
    const { folder: snapshot } = await fetchRepository(request());
    const path = join(snapshot, 'vocab.txt');
    rmSync(realpathSync(path));
    hub.seen.length = 0;
    expectWhole(await fetchRepository(request()));
    expect(hub.contentRequests('vocab.txt')).toHaveLength(1);
    expect(hub.contentRequests('model.safetensors')).toHaveLength(0);
  });

  it('fetches what a later version needs on top, at the commit of the first time', async () => {
    await fetchRepository(request());
    const withCard: FetchRequest['choose'] = (files) => [...chooseModelFiles(files), 'README.md'];
    expect(await findSnapshot(request({ choose: withCard }))).toBeNull();
    hub.seen.length = 0;
    const more = await fetchRepository(request({ choose: withCard }));
    expect(more.files.map(({ path }) => path)).toEqual([...needed, 'README.md']);
    expect(hub.contentRequests('model.safetensors')).toHaveLength(0);
  });

  it('does not take a snapshot without a manifest on trust when the hub can be asked', async () => {
    const { folder: snapshot } = await fetchRepository(request());
    rmSync(join(folder(), '.scinertopic'), { recursive: true });
    rmSync(join(snapshot, 'vocab.txt'));
    expectWhole(await fetchRepository(request()));
  });

  it('fetches a content once that two commits share', async () => {
    await fetchRepository(request());
    repository.commit = 'a'.repeat(40);
    repository.files['config.json'] = small('{"model_type":"bert","new":true}');
    hub.seen.length = 0;
    expectWhole(await fetchRepository(request({ revision: 'a'.repeat(40) })));
    expect(hub.contentRequests('config.json')).toHaveLength(1);
    expect(hub.contentRequests('model.safetensors')).toHaveLength(0);
  });

  it('takes an empty file, and a name that an address has to spell otherwise', async () => {
    repository.files['ä %#?.json'] = small('{"a":1}');
    repository.files['added_tokens.json'] = small('');
    const choose = (): string[] => ['ä %#?.json', 'added_tokens.json'];
    // Windows takes the question mark for a wildcard.
    await expect(fetchRepository(request({ choose }))).rejects.toThrow('paths within');
    rmSync(folder(), { recursive: true, force: true });
    repository.files['ä %#.json'] = small('{"a":1}');
    const { folder: snapshot } = await fetchRepository(
      request({ choose: () => ['ä %#.json', 'added_tokens.json'] }),
    );
    expect(readFileSync(join(snapshot, 'ä %#.json'), 'utf8')).toBe('{"a":1}');
    expect(readFileSync(join(snapshot, 'added_tokens.json'), 'utf8')).toBe('');
  });

  it('tells how far it is, up to the last byte', async () => {
    await fetchRepository(request());
    const totalBytes = needed.reduce((sum, path) => sum + repository.files[path].content.length, 0);
    const steps = progress.flatMap((step) => (step.kind === 'bytes' ? [step] : []));
    expect(steps.at(-1)).toEqual({ kind: 'bytes', file: 'model.safetensors', bytes: totalBytes, totalBytes });
    expect(steps.every((step, i) => i === 0 || step.bytes >= steps[i - 1].bytes)).toBe(true);
    expect(new Set(steps.map(({ file }) => file))).toEqual(new Set(needed));
  });

  it('copies where the file system has no symbolic links', async () => {
    linksFail = Object.assign(new Error('no links here'), { code: 'EPERM' });
    try {
      const snapshot = await fetchRepository(request());
      expectWhole(snapshot);
      expect(lstatSync(join(snapshot.folder, 'config.json')).isSymbolicLink()).toBe(false);
    } finally {
      linksFail = null;
    }
  });
});

let linksFail: Error | null = null;
let room: { bavail: number; bsize: number; blocks: number } | null = null;

let readOnly = false;
let bytesLeft = Number.POSITIVE_INFINITY;

// Facts about a disk that a test cannot bring about by itself.
vi.mock('node:fs', async (importOriginal) => {
  const actual = await importOriginal<typeof import('node:fs')>();
  return {
    ...actual,
    writeSync: (descriptor: number, piece: Buffer, offset: number, length: number, position: number) => {
      if (bytesLeft <= 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      const written = actual.writeSync(descriptor, piece, offset, Math.min(length, bytesLeft), position);
      bytesLeft -= written;
      return written;
    },
  };
});
vi.mock('node:fs/promises', async (importOriginal) => {
  const actual = await importOriginal<typeof import('node:fs/promises')>();
  return {
    ...actual,
    symlink: async (...args: Parameters<typeof actual.symlink>) => {
      if (linksFail !== null) throw linksFail;
      return actual.symlink(...args);
    },
    mkdir: async (...args: Parameters<typeof actual.mkdir>) => {
      if (readOnly) throw Object.assign(new Error('read-only'), { code: 'EROFS' });
      return actual.mkdir(...args);
    },
    statfs: async (path: string) => room ?? actual.statfs(path),
  };
});

describe('a transfer that goes wrong', () => {
  it('goes on where it was cut off', async () => {
    hub.spoil('model.safetensors', cutAfter(30_000), cutAfter(20_000));
    expectWhole(await fetchRepository(request()));
    const ranges = hub.contentRequests('model.safetensors').map(({ headers }) => headers.range);
    expect(ranges).toEqual([undefined, 'bytes=30000-', 'bytes=50000-']);
    const sum = sha256(repository.files['model.safetensors'].content);
    expect(hub.contentRequests('model.safetensors')[1].headers['if-range']).toBe(`"store-${sum}"`);
  });

  it('goes on with what an earlier process left, and starts over when the entity tag has changed', async () => {
    hub.spoil('model.safetensors', ...Array.from({ length: 6 }, () => cutAfter(10_000)));
    expect(await failure()).toContain('what has arrived is kept');
    expect(partials()).toHaveLength(1);
    const sum = sha256(repository.files['model.safetensors'].content);
    expect(readFileSync(join(folder(), '.scinertopic', 'partial', sum))).toHaveLength(60_000);

    hub.edition = '2';
    hub.seen.length = 0;
    expectWhole(await fetchRepository(request()));
    const asked = hub.contentRequests('model.safetensors');
    expect(asked.map(({ headers }) => headers.range)).toEqual(['bytes=60000-']);
    expect(partials()).toEqual([]);
  });

  it('starts over with a host that sends whole files only', async () => {
    hub.ranges = false;
    hub.spoil('model.safetensors', cutAfter(30_000));
    expectWhole(await fetchRepository(request()));
    expect(hub.contentRequests('model.safetensors')).toHaveLength(2);
  });

  it('starts over when the host goes on at another byte than the one asked for', async () => {
    hub.spoil('model.safetensors', cutAfter(30_000), (_request, response, { content }) => {
      response.writeHead(206, { 'content-range': `bytes 100-${content.length - 1}/${content.length}` });
      response.end(content.subarray(100));
    });
    expectWhole(await fetchRepository(request()));
    expect(hub.contentRequests('model.safetensors').map(({ headers }) => headers.range)).toEqual([
      undefined,
      'bytes=30000-',
      undefined,
    ]);
  });

  it('starts over when the host knows of no such part', async () => {
    hub.spoil('model.safetensors', cutAfter(30_000), status(416));
    expectWhole(await fetchRepository(request()));
  });

  it('notices by the sum that an earlier part was broken, and fetches it whole', async () => {
    const { content } = repository.files['model.safetensors'];
    const partial = join(folder(), '.scinertopic', 'partial', sha256(content));
    mkdirSync(dirname(partial), { recursive: true });
    writeFileSync(partial, Buffer.alloc(40_000, 1));
    expectWhole(await fetchRepository(request()));
    expect(hub.contentRequests('model.safetensors').map(({ headers }) => headers.range)).toEqual([
      'bytes=40000-',
      undefined,
    ]);
    expect(notices()).toEqual([expect.stringContaining('other content than the hub lists')]);
  });

  it('throws away a part that is longer than the file', async () => {
    const { content } = repository.files['model.safetensors'];
    const partial = join(folder(), '.scinertopic', 'partial', sha256(content));
    mkdirSync(dirname(partial), { recursive: true });
    writeFileSync(partial, Buffer.alloc(content.length + 1));
    expectWhole(await fetchRepository(request()));
  });

  it('tries again after 500, 503 and 429, waiting as long as the server asks', async () => {
    hub.spoil('listing', status(503, { 'retry-after': '7' }));
    hub.spoil('config.json', status(500));
    hub.spoil('model.safetensors', status(429, { 'retry-after': '3' }));
    expectWhole(await fetchRepository(request()));
    expect(waits).toEqual([7000, 3000]);
    expect(notices()).toHaveLength(3);
    expect(notices()[2]).toContain('429 (too many requests); trying again in 3 s');
  });

  it('reads Retry-After as a date, too', async () => {
    hub.spoil('listing', status(429, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }));
    await fetchRepository(request());
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThan(50_000);
    expect(waits[0]).toBeLessThanOrEqual(60_000);
  });

  it('gives up on a server that asks for more patience than there is', async () => {
    hub.spoil('listing', status(429, { 'retry-after': '86400' }));
    expect(await failure()).toMatch(/429 .*Wait 86400 s and run again; with an account, set HF_TOKEN/);
    expect(waits).toEqual([]);
  });

  it('gives up after its tries, saying what was answered', async () => {
    hub.spoil('config.json', ...Array.from({ length: 6 }, () => status(502)));
    expect(await failure()).toMatch(/^hf:lab\/tiny-bert: config\.json could not be fetched: .* 502/);
    expect(hub.contentRequests('config.json')).toHaveLength(6);
  });

  it('does not count tries that each bring much', async () => {
    repository.files['model.safetensors'] = large(12 << 20);
    hub.spoil('model.safetensors', ...Array.from({ length: 9 }, () => cutAfter((1 << 20) + 10)));
    expectWhole(await fetchRepository(request()));
    expect(hub.contentRequests('model.safetensors')).toHaveLength(10);
  });

  it('does count them when the host starts over each time', async () => {
    repository.files['model.safetensors'] = large(3 << 20);
    const cutWhole: Spoiler = (_request, response, { content }) => {
      response.setHeader('content-length', content.length);
      response.write(content.subarray(0, 2 << 20), () => response.destroy());
    };
    hub.spoil('model.safetensors', ...Array.from({ length: 50 }, () => cutWhole));
    expect(await failure()).toContain('model.safetensors could not be fetched');
    // The first brought much; the next did not get beyond it.
    expect(hub.contentRequests('model.safetensors')).toHaveLength(7);
  });

  it('takes a long file from a host that closes the connection behind it', async () => {
    repository.files['model.safetensors'] = large(8 << 20);
    hub.spoil('model.safetensors', (_request, response, { content }) => {
      response.setHeader('connection', 'close');
      response.setHeader('content-length', content.length);
      response.end(content);
    });
    expectWhole(await fetchRepository(request()));
    expect(hub.contentRequests('model.safetensors')).toHaveLength(1);
  });

  it('leaves a server that falls silent, and goes on', async () => {
    hub.spoil('model.safetensors', silentAfter(30_000));
    const quick = environment();
    quick.timing.idleMilliseconds = 150;
    expectWhole(await fetchRepository(request({ environment: quick })));
    expect(notices()).toEqual([expect.stringContaining('stopped sending')]);
    expect(hub.contentRequests('model.safetensors')[1].headers.range).toBe('bytes=30000-');
  });

  it('leaves a server that never answers', async () => {
    hub.spoil('listing', () => undefined);
    const quick = environment();
    quick.timing.idleMilliseconds = 150;
    expectWhole(await fetchRepository(request({ environment: quick })));
    expect(notices()).toEqual([expect.stringContaining('did not answer')]);
  });

  it('fetches wrong content once more, then refuses it, and keeps none of it', async () => {
    const flip = instead((content) => Buffer.from(content.map((byte) => byte ^ 1)));
    hub.spoil('model.safetensors', flip);
    expectWhole(await fetchRepository(request()));

    const other = hub.add('lab/other', { ...modelFiles(), 'vocab.txt': small('[PAD]\n[UNK]\nother\n') });
    hub.spoil('vocab.txt', flip, flip);
    const message = await failure({ repository: 'lab/other' });
    const sum = gitSha1(other.files['vocab.txt'].content);
    expect(message).toContain('vocab.txt arrived twice with other content than the hub lists');
    expect(message).toContain(sum);
    const folderOfOther = join(cache, 'hub', 'models--lab--other');
    expect(existsSync(join(folderOfOther, 'blobs', sum))).toBe(false);
    expect(existsSync(join(folderOfOther, '.scinertopic', 'partial', sum))).toBe(false);
    expect(await findSnapshot(request({ repository: 'lab/other' }))).toBeNull();
  });

  it.each([true, false])('stops a body that is longer than listed (announced: %s)', async (announced) => {
    hub.spoil(
      'model.safetensors',
      instead((content) => Buffer.concat([content, Buffer.alloc(1 << 20)]), announced),
    );
    expect(await failure()).toContain('sends more for model.safetensors than the 100000 bytes');
    expect(partials()).toEqual([]);
    expect(hub.contentRequests('model.safetensors')).toHaveLength(1);
  });

  it('refuses a body that is announced shorter than listed', async () => {
    hub.spoil('config.json', ...Array.from({ length: 6 }, () => instead(() => Buffer.from('<html>'))));
    expect(await failure()).toContain('offers 6 bytes for config.json, of which the hub lists 21');
  });

  it('ends at once when asked to stop, and is resumed by the same request', async () => {
    const stop = new AbortController();
    hub.spoil('model.safetensors', silentAfter(30_000));
    const stopped = fetchRepository(
      request({
        signal: stop.signal,
        onProgress: (step) => {
          if (step.kind === 'bytes' && step.file === 'model.safetensors' && step.bytes >= 30_000)
            stop.abort();
        },
      }),
    );
    await expect(stopped).rejects.toBeInstanceOf(Interrupted);
    hub.seen.length = 0;
    expectWhole(await fetchRepository(request()));
    expect(hub.contentRequests('model.safetensors')[0].headers.range).toBe('bytes=30000-');
  });

  it('does not begin when it was asked to stop before', async () => {
    await expect(fetchRepository(request({ signal: AbortSignal.abort() }))).rejects.toBeInstanceOf(
      Interrupted,
    );
    expect(hub.seen).toEqual([]);
  });
});

describe('a repository that cannot be fetched', () => {
  it('is not found, or private: the token is what may be missing', async () => {
    const message = await failure({ repository: 'lab/nothing' });
    expect(message).toContain(`not found at ${hub.endpoint}/lab/nothing, or private (401`);
    expect(message).toContain('set HF_TOKEN');
  });

  it('is read with the token of its owner, and refused with another', async () => {
    repository.access = { token };
    expectWhole(await fetchRepository(request({ environment: environment({ HF_TOKEN: token }) })));
    const message = await failure({
      repository: 'lab/nothing',
      environment: environment({ HF_TOKEN: 'hf_wrong' }),
    });
    expect(message).toContain('the token in HF_TOKEN (or in the file HF_HOME/token) is valid');
    expect(message).not.toContain('hf_wrong');
  });

  it('names the page of a gated repository', async () => {
    repository.access = 'gated';
    expect(await failure()).toContain(
      `is gated: accept its terms at ${hub.endpoint}/${name}, then set HF_TOKEN`,
    );
    expect(await failure({ environment: environment({ HF_TOKEN: token }) })).toContain(
      'with the account whose token HF_TOKEN holds',
    );
  });

  it('has no such revision', async () => {
    expect(await failure({ revision: 'v9' })).toMatch(
      /^hf:lab\/tiny-bert@v9: .*no branch, tag or commit "v9"/,
    );
    expect(hub.seen).toHaveLength(1);
  });

  it('lists a file that it does not have', async () => {
    hub.spoil('config.json', status(404, { 'x-error-code': 'EntryNotFound' }));
    expect(await failure()).toContain('lists "config.json" but has no such file');
  });

  it('has weights for other libraries only', async () => {
    delete repository.files['model.safetensors'];
    expect(await failure()).toMatch(/^hf:lab\/tiny-bert: expected weights as .*; found only tf_model\.h5/);
  });

  it('is larger than allowed', async () => {
    expect(await failure({ maxBytes: 50_000 })).toMatch(/model\.safetensors \(0\.1 MB\); at most 0\.1 MB/);
    expect(hub.contentRequests('config.json')).toEqual([]);
  });

  const withoutSizes = (): void => {
    const siblings = needed.map((rfilename) => ({ rfilename }));
    hub.spoil(
      'listing',
      instead(() => Buffer.from(JSON.stringify({ sha: repository.commit, siblings }))),
    );
  };

  it('tells no checksum, neither in its list nor beside the file', async () => {
    withoutSizes();
    hub.spoil('config.json', status(200, { 'content-length': '2', etag: '"no sum"' }));
    expect(await failure()).toContain('lists no checksum for config.json');
  });

  it('tells no size, neither in its list nor beside the file', async () => {
    withoutSizes();
    hub.spoil('config.json', status(200, { 'transfer-encoding': 'chunked' }));
    expect(await failure()).toContain('does not tell the size of config.json');
  });

  it.each([
    '../../escape/config.json',
    '/etc/config.json',
    'a//config.json',
    'a/./config.json',
    'a\\..\\config.json',
    'C:/config.json',
    'a\0b/config.json',
    `${'a'.repeat(300)}/config.json`,
    `${'a/'.repeat(300)}config.json`,
  ])('lists a path that leaves the folder: %j', async (path) => {
    repository.files[path] = small('{}');
    const message = await failure({ choose: () => ['config.json', path] });
    expect(message).toContain('expected paths within the repository');
    expect(existsSync(folder())).toBe(false);
  });

  it('lists two paths that are one on some systems', async () => {
    repository.files['Config.json'] = small('{}');
    expect(await failure({ choose: () => ['config.json', 'Config.json'] })).toContain('two files named');
  });

  it.each([
    ['no JSON', '<html>sign in</html>', 'it is not JSON'],
    ['no commit', '{"siblings":[]}', 'sha'],
    ['a commit that is a path', '{"sha":"../../../../x","siblings":[]}', 'expected a commit'],
    ['a sum that is a path', sibling({ lfs: { sha256: '../x', size: 1 } }), 'expected a SHA-256'],
    ['a negative size', sibling({ size: -1 }), 'size'],
  ])('answers with %s', async (_what, text, expected) => {
    hub.spoil(
      'listing',
      instead(() => Buffer.from(text)),
    );
    const message = await failure();
    expect(message).toContain("expected the model hub's list of files");
    expect(message).toContain(expected);
  });

  it('answers with a listing without end', async () => {
    hub.spoil('listing', (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 20, 0x20)));
        response.once('drain', more);
      };
      more();
    });
    expect(await failure()).toContain('larger than 33554432 bytes');
  });

  it('is refused by name before anything is asked', async () => {
    expect(await failure({ repository: '../etc' })).toContain('owner/name');
    expect(await failure({ revision: '../../x' })).toContain('Expected a revision');
    expect(hub.seen).toEqual([]);
  });
});

function sibling(more: object): string {
  return JSON.stringify({
    sha: '1'.repeat(40),
    siblings: [{ rfilename: 'config.json', size: 1, blobId: '1'.repeat(40), ...more }],
  });
}

describe('the way to the hub', () => {
  it('shows the token to the hub and to no host that the hub sends us to', async () => {
    await fetchRepository(request({ environment: environment({ HF_TOKEN: token }) }));
    const atHub = hub.seen.filter(({ host }) => host === 'hub');
    const atStore = hub.seen.filter(({ host }) => host === 'store');
    expect(atHub.length).toBeGreaterThan(3);
    expect(atHub.every(({ headers }) => headers.authorization === `Bearer ${token}`)).toBe(true);
    expect(atStore).toHaveLength(1);
    expect(JSON.stringify(atStore)).not.toContain(token);
  });

  it('follows a renamed repository on the same host, with the token', async () => {
    hub.spoil('listing', (_request, response) => {
      response.writeHead(307, { location: `/api/models/${name}/revision/main?blobs=true` });
      response.end();
    });
    expectWhole(await fetchRepository(request({ environment: environment({ HF_TOKEN: token }) })));
    expect(hub.seen[1].headers.authorization).toBe(`Bearer ${token}`);
  });

  it('ends with an error on redirects without end, or to what is no web address', async () => {
    const circle = status(302, { location: `/api/models/${name}/revision/main` });
    hub.spoil('listing', ...Array.from({ length: 20 }, () => circle));
    expect(await failure()).toContain('without end');
    hub.spoilers.clear();
    hub.spoil('listing', status(302, { location: 'file:///etc/passwd' }));
    expect(await failure()).toContain('"file:///etc/passwd", which is no web address');
  });

  it('asks for a fresh address when the store no longer takes the signed one', async () => {
    hub.spoil('model.safetensors', status(403));
    expectWhole(await fetchRepository(request()));
    expect(hub.contentRequests('model.safetensors')).toHaveLength(2);
  });

  it('tells that nobody listens, after a few tries only', async () => {
    const nobody = environment({ HF_ENDPOINT: 'http://127.0.0.1:9' });
    expect(await failure({ environment: nobody })).toContain(
      'nobody listens at 127.0.0.1:9 (ECONNREFUSED). Check the network',
    );
    expect(notices()).toHaveLength(2);
  });

  it('tells that the name of the hub is not known', async () => {
    const unknown = environment({ HF_ENDPOINT: 'http://hub.invalid' });
    expect(await failure({ environment: unknown })).toMatch(/hub\.invalid.*\((ENOTFOUND|EAI_AGAIN)\)/);
  });

  it('tells of something that does not speak HTTP', async () => {
    const server = createSocketServer((socket) => socket.end('220 mail ready\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const strange = environment({ HF_ENDPOINT: `http://127.0.0.1:${port}` });
    expect(await failure({ environment: strange })).toContain('does not speak HTTP');
    server.close();
  });

  it('goes through the proxy, and past it to hosts that are excepted', async () => {
    const through: string[] = [];
    const proxy = createServer((incoming, outgoing) => {
      through.push(incoming.url ?? '');
      const url = new URL(incoming.url ?? '');
      const socket = openSocket(Number(url.port), url.hostname, () => {
        socket.write(
          `${incoming.method} ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\nconnection: close\r\n\r\n`,
        );
      });
      socket.pipe(outgoing.socket ?? outgoing);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const HTTP_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    expectWhole(await fetchRepository(request({ environment: environment({ HTTP_PROXY }) })));
    expect(through[0]).toBe(`${hub.endpoint}/api/models/${name}/revision/main?blobs=true`);
    expect(through).toHaveLength(hub.seen.length);

    through.length = 0;
    hub.add('lab/direct', modelFiles());
    await fetchRepository(
      request({
        repository: 'lab/direct',
        environment: environment({ HTTP_PROXY, NO_PROXY: 'localhost,127.0.0.1' }),
      }),
    );
    expect(through).toEqual([]);
    proxy.closeAllConnections();
    proxy.close();
  });

  it('opens a tunnel for https, and says so when the proxy refuses one', async () => {
    const tunnels: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (incoming, socket) => {
      tunnels.push(`${incoming.url} ${incoming.headers['proxy-authorization']}`);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const guarded = environment({
      HF_ENDPOINT: 'https://hub.invalid',
      https_proxy: `http://me:pass@127.0.0.1:${port}`,
    });
    const message = await failure({ environment: guarded });
    expect(message).toContain(`the proxy 127.0.0.1:${port} refuses to connect to hub.invalid (403)`);
    expect(message).not.toContain('pass');
    expect(tunnels).toEqual([`hub.invalid:443 Basic ${Buffer.from('me:pass').toString('base64')}`]);
    proxy.closeAllConnections();
    proxy.close();
  });

  it('names the proxy when that cannot be reached', async () => {
    const behind = environment({ HTTP_PROXY: 'http://127.0.0.1:9' });
    expect(await failure({ environment: behind })).toContain('nobody listens at 127.0.0.1:9');
  });
});

describe('the disk', () => {
  it('has too little room: nothing is fetched', async () => {
    room = { bavail: 10, bsize: 4096, blocks: 1000 };
    try {
      expect(await failure()).toMatch(/expected 67\.\d MB of free disk at .*, found 0\.0 MB/);
    } finally {
      room = null;
    }
    expect(hub.contentRequests('config.json')).toEqual([]);
  });

  it('fills up on the way: what has arrived is kept', async () => {
    bytesLeft = 40_000;
    try {
      expect(await failure()).toMatch(
        /the disk is full; free some space \(ENOSPC\).*What has arrived is kept/,
      );
      expect(await findSnapshot(request())).toBeNull();
    } finally {
      bytesLeft = Number.POSITIVE_INFINITY;
    }
    expectWhole(await fetchRepository(request()));
    expect(hub.contentRequests('model.safetensors')[1].headers.range).toMatch(/^bytes=[1-9]\d+-$/);
  });

  it('has a file where the cache should be', async () => {
    writeFileSync(join(cache, 'hub'), '');
    expect(await failure()).toContain('a file stands where a folder is needed');
  });
});

describe('without network', () => {
  const offline = (): HubEnvironment => environment({ HF_HUB_OFFLINE: '1' });

  it('finds what was fetched, by branch and by commit', async () => {
    await fetchRepository(request());
    const asked = hub.seen.length;
    expectWhole(await fetchRepository(request({ environment: offline() })));
    expectWhole(await fetchRepository(request({ environment: offline(), revision: repository.commit })));
    expect(hub.seen).toHaveLength(asked);
  });

  it('says what is missing and which command fetches it', async () => {
    const message = await failure({ environment: offline(), revision: 'v1' });
    expect(message).toContain('HF_HUB_OFFLINE forbids the network');
    expect(message).toContain('npm run models -- pull hf:lab/tiny-bert@v1');
    const { folder: snapshot } = await fetchRepository(request());
    rmSync(realpathSync(join(snapshot, 'vocab.txt')));
    expect(await failure({ environment: environment({ TRANSFORMERS_OFFLINE: 'yes' }) })).toMatch(
      /TRANSFORMERS_OFFLINE forbids the network, and .* lacks its file vocab\.txt/,
    );
    expect(hub.seen.filter(({ path }) => path.startsWith('/api/'))).toHaveLength(1);
  });

  it('takes what another library has fetched, and sums it', async () => {
    fetchedByAnother(['config.json', 'vocab.txt', 'model.safetensors']);
    const found = await findSnapshot(request({ environment: offline() }));
    expect(found).not.toBeNull();
    if (found === null) return;
    expectWhole(found);
    expect(found.listed).toBe(false);
    expectWhole(await fetchRepository(request({ environment: offline() })));
    expect(hub.seen).toEqual([]);
  });

  it('takes it, too, when nobody answers', async () => {
    fetchedByAnother(['config.json', 'vocab.txt', 'model.safetensors']);
    const nobody = environment({ HF_ENDPOINT: 'http://127.0.0.1:9' });
    const snapshot = await fetchRepository(request({ environment: nobody }));
    expectWhole(snapshot);
    expect(snapshot.listed).toBe(false);
  });

  it('does not take half of it, nor a damaged one', async () => {
    fetchedByAnother(['config.json', 'model.safetensors']);
    expect(await failure({ environment: offline() })).toContain('neither tokenizer.json nor vocab.txt');
    fetchedByAnother(['vocab.txt']);
    writeFileSync(realpathSync(join(folder(), 'snapshots', repository.commit, 'vocab.txt')), 'x');
    expect(await failure({ environment: offline() })).toContain('lacks an undamaged vocab.txt');
    expect(await findSnapshot(request())).toBeNull();
  });

  it('does not make do with what is left of a snapshot whose listing was seen', async () => {
    repository.files['modules.json'] = small('[]');
    const { folder: snapshot } = await fetchRepository(request());
    rmSync(join(snapshot, 'modules.json'));
    expect(await findSnapshot(request())).toBeNull();
    expect(await failure({ environment: offline() })).toContain('lacks its file modules.json');
    expect(await failure({ environment: environment({ HF_ENDPOINT: 'http://127.0.0.1:9' }) })).toContain(
      'nobody listens',
    );
  });

  it('asks the hub, once it can, what another library left out, and reuses the rest', async () => {
    repository.files['modules.json'] = small('[]');
    fetchedByAnother(['config.json', 'vocab.txt', 'model.safetensors']);
    await fetchRepository(request({ environment: offline() }));
    const snapshot = await fetchRepository(request());
    expect(snapshot.listed).toBe(true);
    expect(snapshot.files.map(({ path }) => path)).toContain('modules.json');
    expect(hub.contentRequests('modules.json')).toHaveLength(1);
    expect(hub.contentRequests('model.safetensors')).toHaveLength(0);
  });

  it('asks the hub once only when another library has left nothing out', async () => {
    fetchedByAnother(['config.json', 'vocab.txt', 'model.safetensors']);
    expect((await fetchRepository(request())).listed).toBe(true);
    expect(hub.seen).toHaveLength(1);
    expect((await fetchRepository(request())).listed).toBe(true);
    expect(hub.seen).toHaveLength(1);
  });

  it('reads a cache that may not be written to', async () => {
    fetchedByAnother(['config.json', 'vocab.txt', 'model.safetensors']);
    readOnly = true;
    try {
      expectWhole(await fetchRepository(request({ environment: offline() })));
      expectWhole(await fetchRepository(request()));
      expect(existsSync(join(folder(), '.scinertopic'))).toBe(false);
      repository.files['modules.json'] = small('[]');
      expect(await failure()).toContain(
        'the file system is read-only (EROFS), or name another folder in HF_HOME',
      );
    } finally {
      readOnly = false;
    }
  });

  it("replaces another library's damaged file once the hub can be asked", async () => {
    fetchedByAnother(['config.json', 'vocab.txt', 'model.safetensors']);
    const weights = realpathSync(join(folder(), 'snapshots', repository.commit, 'model.safetensors'));
    writeFileSync(weights, Buffer.alloc(100_000));
    expectWhole(await fetchRepository(request()));
  });

  it('takes no manifest on trust that says nonsense', async () => {
    await fetchRepository(request());
    const manifest = join(folder(), '.scinertopic', `${repository.commit}.json`);
    for (const text of [
      '',
      '{',
      '[]',
      '{"version":2}',
      readFileSync(manifest, 'utf8').replace(name, 'lab/else'),
    ]) {
      writeFileSync(manifest, text);
      const asked = hub.seen.length;
      expectWhole(await fetchRepository(request()));
      expect(hub.seen).toHaveLength(asked + 1);
    }
  });
});

/** Lays files into the cache as huggingface_hub does. */
function fetchedByAnother(paths: readonly string[]): void {
  const snapshot = join(folder(), 'snapshots', repository.commit);
  for (const below of ['blobs', 'refs', snapshot.slice(folder().length)]) {
    mkdirSync(join(folder(), below), { recursive: true });
  }
  writeFileSync(join(folder(), 'refs', 'main'), repository.commit);
  for (const path of paths) {
    const { content, large } = repository.files[path];
    const blob = large ? sha256(content) : gitSha1(content);
    writeFileSync(join(folder(), 'blobs', blob), content);
    symlinkSync(join('..', '..', 'blobs', blob), join(snapshot, path));
  }
}
