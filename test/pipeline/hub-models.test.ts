import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { readCard } from '../../pipeline/model/card.ts';
import { openEncoder } from '../../pipeline/model/document-encoder.ts';
import { findModel, modelPlaces, provideModel } from '../../pipeline/provide-model.ts';
import { type FakeFile, FakeHub } from '../hub/fake-hub.ts';
import { exportedBytes, freshFolder, sampleRows, startWith } from './fresh-folder.ts';

const here = dirname(fileURLToPath(import.meta.url));
const checkpoints = join(here, '..', 'checkpoint', 'fixtures');

const hub = new FakeHub();
beforeAll(() => hub.start());
afterAll(() => hub.stop());

/** A checkpoint's folder as the files of a repository: weights are large files, the rest stand in git. */
function filesOf(folder: string): Record<string, FakeFile> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    names
      .filter((name) => statSync(join(folder, name)).isFile() && name !== 'expected.json')
      .map((name) => [
        name,
        { content: readFileSync(join(folder, name)), large: /\.(?:bin|safetensors)$/.test(name) },
      ]),
  );
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'scinertopic-hub-'));
const variablesOf = (home: string): Record<string, string> => ({
  HF_ENDPOINT: hub.endpoint,
  HF_HOME: home,
  HF_TOKEN: '',
  HTTP_PROXY: '',
  http_proxy: '',
  no_proxy: '127.0.0.1',
});
const placesOf = (home: string, more: Record<string, string> = {}) =>
  modelPlaces(newFolder(), undefined, { ...variablesOf(home), ...more });

describe('provideModel', () => {
  it('fetches and converts once, pins the commit, and asks nothing of the network afterwards', async () => {
    const page = { content: Buffer.from('---\nlicense: mit\n---\n# A model\n'), large: false };
    hub.add('lab/encoder', { ...filesOf(join(checkpoints, 'bert-mean')), 'README.md': page });
    const home = newFolder();
    const places = placesOf(home);
    expect(() => findModel('hf:lab/encoder', places)).toThrow(
      /not on this machine yet.*models -- pull hf:lab\/encoder/,
    );
    const works = new Set<string>();
    const pin = await provideModel('hf:lab/encoder', places, { onProgress: (work) => works.add(work) });
    expect([...works]).toEqual(['downloading lab/encoder', 'converting lab/encoder']);
    expect(readCard(pin.folder)).toMatchObject({
      name: 'lab/encoder',
      task: 'document-embedding',
      license: 'mit',
    });
    expect(JSON.stringify(readCard(pin.folder))).toContain(hub.repositories.get('lab/encoder')?.commit);
    const asked = hub.seen.length;
    expect(await provideModel('hf:lab/encoder', places)).toEqual(pin);
    expect(findModel('hf:lab/encoder', placesOf(home, { HF_HUB_OFFLINE: '1' }))).toEqual(pin);
    expect(hub.seen.length).toBe(asked);
  });

  it('gives the same bytes on another machine', async () => {
    const [one, other] = await Promise.all(
      [newFolder(), newFolder()].map((home) => provideModel('hf:lab/encoder', placesOf(home))),
    );
    expect(other.folder).not.toBe(one.folder);
    expect(other.hash).toBe(one.hash);
    for (const name of readdirSync(one.folder)) {
      expect(readFileSync(join(other.folder, name)).equals(readFileSync(join(one.folder, name))), name).toBe(
        true,
      );
    }
  });

  it('two at once in one cache end with one whole model', async () => {
    const places = placesOf(newFolder());
    const [one, other] = await Promise.all([1, 2].map(() => provideModel('hf:lab/encoder', places)));
    expect(other).toEqual(one);
    expect(readdirSync(places.convertedFolder).filter((name) => name.startsWith('converting-'))).toEqual([]);
  });

  it('keeps to the pinned commit when the branch moves on, until it is asked to fetch again', async () => {
    const repository = hub.add('lab/moving', filesOf(join(checkpoints, 'bert-mean')));
    const places = placesOf(newFolder());
    const first = await provideModel('hf:lab/moving', places);
    repository.commit = '1'.repeat(40);
    repository.files = filesOf(join(checkpoints, 'bert-bf16'));
    expect(await provideModel('hf:lab/moving', places)).toEqual(first);
    const second = await provideModel('hf:lab/moving', places, { again: true });
    expect(second.hash).not.toBe(first.hash);
    expect(findModel('hf:lab/moving', places)).toEqual(second);
    expect(existsSync(join(first.folder, 'card.json'))).toBe(true);
  });

  it('says what failed, and leaves nothing behind', async () => {
    const places = placesOf(newFolder());
    await expect(provideModel('hf:lab/none', places)).rejects.toThrow(/hf:lab\/none.*not found/);
    hub.add('lab/gated', filesOf(join(checkpoints, 'bert-mean')), { access: 'gated' });
    await expect(provideModel('hf:lab/gated', places)).rejects.toThrow(`${hub.endpoint}/lab/gated`);
    hub.add('lab/other-kind', {
      ...filesOf(join(checkpoints, 'bert-mean')),
      'config.json': { content: Buffer.from('{"model_type":"t5"}'), large: false },
    });
    await expect(provideModel('hf:lab/other-kind', places)).rejects.toThrow(/t5/);
    await expect(provideModel('hf:../etc', places)).rejects.toThrow(UserError);
    await expect(provideModel('hf:lab/encoder@../main', places)).rejects.toThrow(UserError);
    expect(existsSync(places.convertedFolder) ? readdirSync(places.convertedFolder) : []).toEqual([]);
  });
});

const specter = join(here, '..', '..', '..', 'shared', 'fixtures', 'specter2-tiny');

/** One form of an adapter's weights, as a repository holds it. */
function adapterFiles(): Record<string, FakeFile> {
  const files = filesOf(join(specter, 'adapter'));
  return {
    'adapter_config.json': files['adapter_config.json'],
    'pytorch_adapter.bin': files['pytorch_adapter.bin'],
  };
}

describe.skipIf(!existsSync(specter))('SPECTER2 (skipped without ../shared/fixtures)', () => {
  it('comes with the adapters that the hub has, whether its base or its adapter is named', async () => {
    hub.add('allenai/specter2_base', filesOf(join(specter, 'base')));
    hub.add('allenai/specter2', adapterFiles());
    hub.add('allenai/specter2_classification', adapterFiles());
    const places = placesOf(newFolder());
    const notices: string[] = [];
    const whole = await provideModel('specter2', places, { onNotice: (message) => notices.push(message) });
    expect(notices.join('\n')).toMatch(/regression.*\n.*adhoc_query/);
    const documents = [{ title: 'deep neural networks', abstract: 'We show a new topic model.' }];
    const vectors: Record<string, Float32Array> = {};
    for (const task of ['proximity', 'classification', undefined]) {
      const encoder = await openEncoder(whole.folder, { task });
      vectors[task ?? 'none'] = await encoder.encode(documents);
      await encoder.close();
    }
    // Both adapters hold the same weights here; proximity is what SPECTER2 uses by itself.
    expect(vectors.none).toEqual(vectors.proximity);
    expect(vectors.classification).toEqual(vectors.proximity);
    await expect(openEncoder(whole.folder, { task: 'regression' })).rejects.toThrow(
      /\(proximity, classification\), got "regression"/,
    );

    const one = await provideModel('hf:allenai/specter2_classification', places);
    const encoder = await openEncoder(one.folder);
    expect(encoder.task).toBe('classification');
    expect(await encoder.encode(documents)).toEqual(vectors.classification);
    await encoder.close();
  });

  it('is never its bare base: without any of its adapters it is refused', async () => {
    hub.add('allenai/specter_plus_plus', filesOf(join(specter, 'base')));
    await expect(provideModel('hf:allenai/specter_plus_plus', placesOf(newFolder()))).rejects.toThrow(
      /allenai\/spp_.*not found/,
    );
  });
});

describe('the command line', () => {
  const rows = sampleRows().slice(0, 90);
  const settings =
    'entities:\n  model: hf:lab/tagger\nembed:\n  model: hf:lab/encoder\nreduce:\n  epochs: 20\n';
  const home = newFolder();
  const runHere = (folder: string, ...args: string[]) => startWith(variablesOf(home), folder, ...args).ended;

  beforeAll(() => {
    hub.add('lab/encoder', filesOf(join(checkpoints, 'bert-mean')));
    hub.add('lab/tagger', filesOf(join(checkpoints, 'bert-ner')));
  });

  it('runs the job with a tagger and an encoder from the hub, then again with nothing to do and no network', async () => {
    const folder = freshFolder(rows, settings);
    const before = await runHere(folder, 'status', '--config', 'config.yaml');
    expect([before.code, before.stdout]).toEqual([0, expect.stringContaining('every stage would run')]);
    const first = await runHere(folder, 'pipeline', '--config', 'config.yaml', '--json');
    expect(first.stderr).toContain('downloading lab/tagger');
    expect(first.code, first.stderr).toBe(0);
    const summary = JSON.parse(first.stdout.trim().split('\n').at(-1) ?? '');
    expect(summary.documents_in).toBe(rows.length);
    // All abstracts are longer than the checkpoint's window.
    expect(summary.notices.join()).toMatch(/documents are longer than hf:lab\/encoder reads/);
    const offline = { ...variablesOf(home), HF_HUB_OFFLINE: '1', HF_ENDPOINT: 'http://127.0.0.1:9' };
    const again = await startWith(offline, folder, 'pipeline', '--config', 'config.yaml', '--json').ended;
    expect(JSON.parse(again.stdout.trim().split('\n').at(-1) ?? '').up_to_date).toBe(true);

    const other = freshFolder([...rows].reverse(), `${settings}run:\n  threads: 3\n`);
    expect((await runHere(other, 'pipeline', '--config', 'config.yaml', '--quiet')).code).toBe(0);
    expect(exportedBytes(other)).toEqual(exportedBytes(folder));
  });

  it('says which command fetches a model that the network is not allowed for', async () => {
    const folder = freshFolder(rows, settings);
    const variables = { ...variablesOf(newFolder()), HF_HUB_OFFLINE: '1' };
    const ended = await startWith(variables, folder, 'pipeline', '--config', 'config.yaml').ended;
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/HF_HUB_OFFLINE.*npm run models -- pull hf:lab\/tagger/);
  });

  it('refuses a graphics card that is not there instead of falling back', async () => {
    const folder = freshFolder(rows, settings);
    const ended = await runHere(folder, 'pipeline', '--config', 'config.yaml', '--set', 'run.device=cuda');
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/run\.device: expected onnxruntime to run on cuda; it cannot/);
  });

  it('pulls, lists, verifies, encodes and tags', async () => {
    const folder = freshFolder(rows);
    const pulled = await runHere(folder, 'models', 'pull', 'hf:lab/encoder');
    expect([pulled.code, pulled.stdout]).toEqual([
      0,
      expect.stringMatching(/^hf:lab\/encoder: document-embedding/),
    ]);
    const listed = await runHere(folder, 'models', 'list');
    expect(listed.stdout).toMatch(/^builtin:science .*\n(?:.*\n)*hf:lab\/encoder +document-embedding/);
    const verified = await runHere(folder, 'models', 'verify', 'hf:lab/encoder');
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('files match the card')]);
    expect((await runHere(folder, 'models', 'pull', 'hf:lab/encoder', '--precision', 'fp32')).code).toBe(0);
    const exact = await runHere(folder, 'models', 'verify', 'hf:lab/encoder', '--precision', 'fp32');
    expect(exact.code).toBe(0);
    const small = await runHere(folder, 'models', 'verify', 'hf:lab/encoder', '--precision', 'int8');
    expect([small.code, small.stderr]).toEqual([2, expect.stringContaining('--precision int8')]);
    writeFileSync(
      join(folder, 'papers.jsonl'),
      `${JSON.stringify({ id: 'a', title: 'Neural topic models', abstract: 'We show a new model.' })}\n`,
    );
    const use = (command: string, model: string, ...more: string[]) =>
      runHere(folder, 'models', command, '--model', model, '--input', 'papers.jsonl', '--output', ...more);
    expect((await use('encode', 'hf:lab/encoder', 'out.npy', '--threads', '2')).code).toBe(0);
    expect(readFileSync(join(folder, 'out.npy')).length).toBeGreaterThan(128);
    expect((await use('tag', 'hf:lab/tagger', 'out.jsonl', '--aggregation', 'max')).code).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, 'out.jsonl'), 'utf8')).id).toBe('a');
    const task = await use('encode', 'hf:lab/encoder', 'out.npy', '--task', 'proximity');
    expect([task.code, task.stderr]).toEqual([2, expect.stringContaining('has no adapters')]);
  });
});
