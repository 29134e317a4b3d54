import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseBertConfig } from '../../pipeline/checkpoint/bert-config.ts';
import { convertCheckpoint } from '../../pipeline/checkpoint/convert.ts';
import { verifyConversion } from '../../pipeline/checkpoint/verify.ts';
import { Interrupted } from '../../pipeline/errors.ts';
import { checkFiles, readCard } from '../../pipeline/model/card.ts';
import { openSession } from '../../pipeline/model/session.ts';
import {
  type Expected,
  fixtureFolder,
  largestDifference,
  readJson,
  sharedFolder,
  tinySettings,
  tinyTensors,
  writeSafetensors,
} from './small-models.ts';

let scratch = '';
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'convert-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const out = (): string => join(scratch, 'model');

/** A copy of a fixture, to be changed. */
function copyOf(name: string): string {
  const folder = join(scratch, name);
  cpSync(fixtureFolder(name), folder, { recursive: true });
  return folder;
}

function edit(folder: string, name: string, change: Readonly<Record<string, unknown>>): void {
  const path = join(folder, name);
  const content = existsSync(path) ? (readJson(path) as object) : {};
  writeFileSync(path, JSON.stringify({ ...content, ...change }));
}

/**
 * A tagger of random weights. A coarse one has a neuron that never answers, behind weights so large that those
 * beside them are lost in steps of whole numbers.
 */
function writeTagger(
  name: string,
  kind: 'even' | 'coarse',
  sizes: Readonly<Record<string, number>>,
  labels = 5,
): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...'abcdefghijklmnopqrstuvwxyz'];
  vocabulary.push(...vocabulary.slice(5).map((letter) => `##${letter}`));
  writeFileSync(join(folder, 'vocab.txt'), `${vocabulary.join('\n')}\n`);
  const settings = {
    ...tinySettings,
    ...sizes,
    architectures: ['BertForTokenClassification'],
    vocab_size: vocabulary.length,
    max_position_embeddings: 64,
    id2label: Object.fromEntries(Array.from({ length: labels }, (_, i) => [i, `B-${i}`])),
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(settings));
  const config = parseBertConfig(settings, 'config.json');
  const tensors = tinyTensors(config, config.hidden > 100 ? 0.05 : 0.5);
  if (kind === 'coarse') {
    for (let layer = 0; layer < config.layers; layer++) {
      tensors[`encoder.layer.${layer}.intermediate.dense.bias`].data[0] = -60;
      const { dims, data } = tensors[`encoder.layer.${layer}.output.dense.weight`];
      for (let row = 0; row < dims[0]; row++) data[row * dims[1]] = 1000;
    }
  }
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  return folder;
}

const configOf = (folder: string) =>
  readJson(join(folder, 'config.json')) as Record<string, unknown> & {
    scinertopic: Record<string, unknown>;
  };

describe('convertCheckpoint', () => {
  it('makes a whole model folder whose graph gives what transformers gives', async () => {
    const folder = fixtureFolder('bert-mean');
    const card = await convertCheckpoint({
      folder,
      out: out(),
      name: 'someone/mean',
      source: { commit: 'c0' },
    });
    expect(readdirSync(out()).sort()).toEqual(['card.json', 'config.json', 'model.onnx', 'vocab.txt']);
    expect(card).toEqual(readCard(out()));
    expect(await checkFiles(out(), card)).toEqual([]);
    expect(card).toMatchObject({
      name: 'someone/mean',
      task: 'document-embedding',
      source: { commit: 'c0' },
      precision: 'fp32',
      parity: { fp32: { sentences: 5 } },
    });
    expect(configOf(out()).scinertopic).toEqual({
      precision: 'fp32',
      max_tokens: 16,
      pooling: 'mean',
      normalize: true,
      join: 'separator',
    });
    const { inputs, outputs } = readJson(`${folder}/expected.json`) as Expected;
    const session = await openSession(join(out(), 'model.onnx'));
    for (const [i, ids] of inputs.entries()) {
      const feeds = { input_ids: { dims: [1, ids.length], data: BigInt64Array.from(ids, BigInt) } };
      const { vector } = await session.run(feeds);
      expect(vector.dims).toEqual([1, 24]);
      expect(largestDifference(vector.data as Float32Array, outputs[i][0])).toBeLessThan(1e-4);
    }
    await session.close();
  });

  it('makes a tagger with its labels', async () => {
    const card = await convertCheckpoint({ folder: fixtureFolder('bert-ner'), out: out() });
    expect(card).toMatchObject({ task: 'token-classification', architecture: 'BertForTokenClassification' });
    expect(configOf(out())).toMatchObject({
      model_type: 'bert',
      id2label: { 0: 'O', 1: 'B-Task', 2: 'I-Task' },
      scinertopic: { precision: 'fp32', max_tokens: 24 },
    });
  });

  it('says what an old config leaves out', async () => {
    await convertCheckpoint({ folder: fixtureFolder('bert-2019'), out: out() });
    expect(configOf(out()).model_type).toBe('bert');
  });

  it('gives the same bytes twice, in place of the earlier model', async () => {
    const folder = copyOf('distilbert-ner');
    const read = (): Buffer[] => readdirSync(out()).map((name) => readFileSync(join(out(), name)));
    await convertCheckpoint({ folder, out: out() });
    const first = read();
    await convertCheckpoint({ folder, out: out() });
    expect(read()).toEqual(first);
    expect(readdirSync(scratch).sort()).toEqual(['distilbert-ner', 'model']);
  });

  it('keeps a small model in float32 unless told otherwise, and records how int8 compares', async () => {
    const options = { folder: fixtureFolder('bert-2019'), out: out() };
    expect(await convertCheckpoint({ ...options, precision: 'auto' })).toMatchObject({ precision: 'fp32' });
    const card = await convertCheckpoint({ ...options, precision: 'int8' });
    expect(card).toMatchObject({ precision: 'int8', parity: { int8: { sentences: 21, longest: 24 } } });
    expect(configOf(out()).scinertopic.precision).toBe('int8');
  });

  it('refuses int8 where it changes labels, and leaves nothing', async () => {
    const folder = writeTagger('coarse', 'coarse', {});
    const options = { folder, out: out() };
    await expect(convertCheckpoint({ ...options, precision: 'int8' })).rejects.toThrow(
      /lowest cosine to float32 -?0\.\d+.*of all labels equal.*Use --precision fp32/,
    );
    expect(readdirSync(scratch)).toEqual(['coarse']);
    expect(await convertCheckpoint({ ...options, precision: 'fp32' })).toMatchObject({ precision: 'fp32' });
  });

  it('takes int8 for a model large enough where it passes, and float32 where not', async () => {
    const sizes = { hidden_size: 512, num_attention_heads: 8, num_hidden_layers: 3, intermediate_size: 2048 };
    const even = writeTagger('even', 'even', sizes, 40);
    expect(await convertCheckpoint({ folder: even, out: out() })).toMatchObject({
      precision: 'int8',
      parity: { fp32: { longest: 64 }, int8: { longest: 64 } },
    });
    const coarse = writeTagger('coarse', 'coarse', sizes);
    const card = await convertCheckpoint({ folder: coarse, out: out() });
    expect(card).toMatchObject({ precision: 'fp32', parity: { int8: { longest: 64 } } });
    expect(await checkFiles(out(), card)).toEqual([]);
    expect(readdirSync(out())).not.toContain('model.onnx.int8');
  });

  it('keeps on the card what the model must give, and tells a model that gives something else', async () => {
    for (const precision of ['fp32', 'int8'] as const) {
      const card = await convertCheckpoint({ folder: fixtureFolder('bert-mean'), out: out(), precision });
      expect(await verifyConversion(out(), card)).toBe(1);
      const [probe] = card.probes as { ids: number[]; task: number; output: number[] }[];
      for (const wrong of [
        { ...probe, output: probe.output.map((value, i) => (i % 2 === 0 ? value + 0.1 : value)) },
        { ...probe, output: probe.output.slice(1) },
        { ...probe, ids: [...probe.ids].reverse() },
      ]) {
        const changed = verifyConversion(out(), { ...card, probes: [wrong] });
        await expect(changed).rejects.toThrow(/does not compute on this machine/);
      }
      await expect(verifyConversion(out(), { ...card, probes: [{ ids: [] }] })).rejects.toThrow(/card\.json/);
      const { probes: _probes, ...bare } = card;
      expect(await verifyConversion(out(), bare as typeof card)).toBe(0);
    }
  });

  it('joins title and abstract and puts a prefix before them as it is told', async () => {
    const options = {
      folder: fixtureFolder('bert-mean'),
      out: out(),
      join: 'text',
      prefix: 'passage: ',
    } as const;
    await convertCheckpoint(options);
    expect(configOf(out()).scinertopic).toMatchObject({ join: 'text', prefix: 'passage: ' });
  });

  it('refuses a vocabulary that is cut off', async () => {
    const folder = copyOf('bert-mean');
    writeFileSync(join(folder, 'vocab.txt'), '[PAD]\n[UNK]\n[CLS]\n[SEP]\n');
    await expect(convertCheckpoint({ folder, out: out() })).rejects.toThrow(
      /tokenizer knows \d tokens, the model has rows for \d+.*cut off/,
    );
  });

  it('takes the shortest of the three limits on length', async () => {
    const folder = copyOf('bert-mean');
    edit(folder, 'sentence_bert_config.json', { max_seq_length: 100 });
    await convertCheckpoint({ folder, out: out() });
    expect(configOf(out()).scinertopic.max_tokens).toBe(24);
    edit(folder, 'tokenizer_config.json', { model_max_length: 9 });
    await convertCheckpoint({ folder, out: out() });
    expect(configOf(out()).scinertopic.max_tokens).toBe(9);
  });

  it('puts a prefix that it is given before that of the model', async () => {
    const folder = copyOf('bert-mean');
    edit(folder, 'config_sentence_transformers.json', {
      prompts: { p: 'passage: ' },
      default_prompt_name: 'p',
    });
    await convertCheckpoint({ folder, out: out() });
    expect(configOf(out()).scinertopic.prefix).toBe('passage: ');
    await convertCheckpoint({ folder, out: out(), prefix: 'query: ' });
    expect(configOf(out()).scinertopic.prefix).toBe('query: ');
  });

  it('reads the licence from the head of the README', async () => {
    const folder = copyOf('bert-2019');
    writeFileSync(
      join(folder, 'README.md'),
      '---\nlanguage: en\nlicense: apache-2.0\n---\n# license: none\n',
    );
    expect(await convertCheckpoint({ folder, out: out() })).toMatchObject({ license: 'apache-2.0' });
  });

  it('refuses lower-casing that the tokenizer does not do', async () => {
    const folder = copyOf('bert-mean');
    edit(folder, 'sentence_bert_config.json', { do_lower_case: true });
    edit(folder, 'tokenizer_config.json', { do_lower_case: false });
    await expect(convertCheckpoint({ folder, out: out() })).rejects.toThrow(/do_lower_case/);
  });

  it('refuses a tokenizer with more tokens than the model has rows', async () => {
    const folder = copyOf('bert-2019');
    writeFileSync(join(folder, 'vocab.txt'), `${readFileSync(join(folder, 'vocab.txt'), 'utf8')}more\n`);
    await expect(convertCheckpoint({ folder, out: out() })).rejects.toThrow(/83 tokens.*rows for 82/);
  });

  it('writes nothing beside files that are no model', async () => {
    mkdirSync(out());
    writeFileSync(join(out(), 'thesis.txt'), 'years of work');
    const options = { folder: fixtureFolder('bert-2019'), out: out() };
    await expect(convertCheckpoint(options)).rejects.toThrow(/absent, empty or an earlier model/);
    expect(readdirSync(out())).toEqual(['thesis.txt']);
  });

  it('stops when asked, and leaves the earlier model as it was', async () => {
    const folder = fixtureFolder('bert-2019');
    await convertCheckpoint({ folder, out: out(), name: 'earlier' });
    const controller = new AbortController();
    const options = { folder, out: out(), signal: controller.signal, onProgress: () => controller.abort() };
    await expect(convertCheckpoint(options)).rejects.toThrow(Interrupted);
    expect(readCard(out()).name).toBe('earlier');
    expect(readdirSync(scratch)).toEqual(['model']);
  });

  it('reports progress up to the end', async () => {
    const seen: [number, number][] = [];
    await convertCheckpoint({
      folder: fixtureFolder('bert-2019'),
      out: out(),
      onProgress: (done, total) => seen.push([done, total]),
    });
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.at(-1)?.[0]).toBe(seen.at(-1)?.[1]);
  });
});

describe.skipIf(!existsSync(sharedFolder))('convertCheckpoint on the shared checkpoints', () => {
  const specter = `${sharedFolder}specter2-tiny/`;

  it('names tasks in the order of their inputs', async () => {
    const card = await convertCheckpoint({
      folder: `${specter}base`,
      adapters: [{ task: 'proximity', folder: `${specter}adapter` }],
      out: out(),
    });
    expect(card).toMatchObject({ adapters: [{ task: 'proximity', name: '[PRX]' }] });
    expect(configOf(out()).scinertopic).toEqual({
      precision: 'fp32',
      max_tokens: 64,
      pooling: 'cls',
      normalize: false,
      join: 'separator',
      tasks: ['proximity'],
    });
    const session = await openSession(join(out(), 'model.onnx'));
    expect(session.inputs).toEqual(['input_ids', 'task']);
    await session.close();
  });

  it('refuses adapters of two kinds in one model, and one task twice', async () => {
    const first = { task: 'proximity', folder: `${specter}adapter` };
    const convert = (second: { task: string; folder: string }) =>
      convertCheckpoint({ folder: `${specter}base`, adapters: [first, second], out: out() });
    await expect(convert({ task: 'other', folder: `${specter}adapter-parallel` })).rejects.toThrow(
      /adapters of one kind, found normalized.*and input/,
    );
    await expect(convert(first)).rejects.toThrow(/one adapter for proximity, found two/);
  });
});
