import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openWeightsFolder } from '../../pipeline/checkpoint/weights-folder.ts';
import { UserError } from '../../pipeline/errors.ts';
import { dictionary, floats, pickle, safetensors, tensor, torchArchive } from './small-checkpoints.ts';

function folderOf(files: Record<string, Buffer | string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'scinertopic-weights-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const tensorFile = (name: string, value: number): Buffer =>
  safetensors({ [name]: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, floats(value));
const torchFile = (name: string, value: number): Buffer =>
  torchArchive(pickle(dictionary({ [name]: tensor({ length: 1, dims: [1], strides: [1] }) })), {
    0: floats(value),
  });
const indexOf = (map: Record<string, unknown>): string => JSON.stringify({ metadata: {}, weight_map: map });

function expectRefusal(files: Record<string, Buffer | string>, message: string): void {
  const folder = folderOf(files);
  expect(() => openWeightsFolder(folder)).toThrow(UserError);
  expect(() => openWeightsFolder(folder)).toThrow(message);
}

describe('openWeightsFolder', () => {
  it('takes safetensors before pickles, whole files before shards, models before adapters', () => {
    const files: [string, Buffer | string][] = [
      ['pytorch_adapter.bin', torchFile('6', 6)],
      ['adapter.safetensors', tensorFile('5', 5)],
      ['pytorch_model.bin.index.json', indexOf({ '4': 'part-4.bin' })],
      ['pytorch_model.bin', torchFile('3', 3)],
      ['model.safetensors.index.json', indexOf({ '2': 'part-2.safetensors' })],
      ['model.safetensors', tensorFile('1', 1)],
    ];
    const parts = { 'part-4.bin': torchFile('4', 4), 'part-2.safetensors': tensorFile('2', 2) };
    for (let count = 1; count <= files.length; count++) {
      const weights = openWeightsFolder(folderOf({ ...parts, ...Object.fromEntries(files.slice(0, count)) }));
      expect([...weights.tensors.keys()]).toEqual([String(7 - count)]);
      weights.close();
    }
  });

  it('says what it looked for, and what other weights are there', () => {
    expectRefusal({}, 'expected one of model.safetensors, model.safetensors.index.json, pytorch_model.bin');
    expectRefusal({}, 'found no weights');
    expectRefusal({ 'tf_model.h5': '', 'README.md': '' }, 'found only tf_model.h5.');
    expect(() => openWeightsFolder('/nowhere')).toThrow('there is no such folder');
  });

  it('joins shards', () => {
    const folder = folderOf({
      'model.safetensors.index.json': indexOf({ b: 'model-2.safetensors', a: 'model-1.safetensors' }),
      'model-1.safetensors': tensorFile('a', 1),
      'model-2.safetensors': tensorFile('b', 2),
    });
    const weights = openWeightsFolder(folder);
    expect(weights.format).toBe('safetensors in 2 files');
    expect([...weights.read('a'), ...weights.read('b')]).toEqual([1, 2]);
    expect(() => weights.read('c')).toThrow('expected tensor "c"; there are 2: "a", "b".');
    weights.close();
    expect(() => weights.read('a')).toThrow();
  });

  it.each([
    '../model.safetensors',
    '/etc/passwd',
    'a/b.bin',
    'a\\b.bin',
    '..',
    '.hidden',
    '',
    'a\0b',
    7,
    null,
  ])('refuses the shard name %j', (shard) => {
    expectRefusal(
      { 'model.safetensors.index.json': indexOf({ a: shard }) },
      'expected the name of a file beside the index for tensor "a"',
    );
  });

  it('refuses shards that do not hold what the index says', () => {
    const index = indexOf({ a: 'one.bin', b: 'two.bin' });
    const named = { 'pytorch_model.bin.index.json': index };
    expectRefusal({ ...named, 'one.bin': torchFile('a', 1) }, 'two.bin: expected a readable file');
    expectRefusal(
      { ...named, 'one.bin': torchFile('a', 1), 'two.bin': torchFile('c', 1) },
      'two.bin holds tensor "c", which the index does not name',
    );
    expectRefusal(
      { ...named, 'one.bin': torchFile('b', 1), 'two.bin': torchFile('b', 1) },
      'one.bin holds tensor "b", which the index puts into two.bin',
    );
    const empty = torchArchive(pickle(dictionary({})));
    expectRefusal(
      { ...named, 'one.bin': torchFile('a', 1), 'two.bin': empty },
      'expected tensor "b" in two.bin, it is not there',
    );
  });

  it.each([
    ['{', 'expected JSON'],
    ['[]', 'expected an object "weight_map"'],
    ['{"weight_map":[]}', 'expected an object "weight_map"'],
    ['null', 'expected an object "weight_map"'],
  ])('refuses the index %s', (text, message) => {
    expectRefusal({ 'model.safetensors.index.json': text }, message);
  });

  it('refuses an index of more than 1,000 files', () => {
    const map = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`t${i}`, `part-${i}.bin`]));
    expectRefusal({ 'pytorch_model.bin.index.json': indexOf(map) }, 'at most 1000 files, found 1001');
  });
});
