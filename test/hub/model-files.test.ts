import { describe, expect, it } from 'vitest';
import type { HubFile } from '../../pipeline/hub/listing.ts';
import { chooseModelFiles } from '../../pipeline/hub/model-files.ts';

function listed(...paths: string[]): HubFile[] {
  return paths.map((path) => ({ path, bytes: 1, sha256: null, gitSha1: '0'.repeat(40) }));
}

const base = ['config.json', 'vocab.txt'];

describe('chooseModelFiles', () => {
  it('takes of a sentence-transformers model what encodes texts, and no code, heads or other formats', () => {
    const files = listed(
      '.gitattributes',
      '1_Pooling/config.json',
      '2_Normalize/.keep',
      '3_Dense/config.json',
      '3_Dense/model.safetensors',
      'README.md',
      'added_tokens.json',
      'config.json',
      'config_sentence_transformers.json',
      'data_config.json',
      'flax_model.msgpack',
      'handler.py',
      'head_config.json',
      'model.safetensors',
      'modules.json',
      'onnx/config.json',
      'onnx/model.onnx',
      'openvino/openvino_model.bin',
      'pytorch_model.bin',
      'pytorch_model_head.bin',
      'rust_model.ot',
      'sentence_bert_config.json',
      'special_tokens_map.json',
      'tf_model.h5',
      'tokenizer.json',
      'tokenizer_config.json',
      'train_script.py',
      'vocab.txt',
    );
    expect(chooseModelFiles(files)).toEqual([
      'config.json',
      'tokenizer.json',
      'vocab.txt',
      'tokenizer_config.json',
      'special_tokens_map.json',
      'added_tokens.json',
      'modules.json',
      'sentence_bert_config.json',
      'config_sentence_transformers.json',
      '1_Pooling/config.json',
      '3_Dense/config.json',
      'model.safetensors',
    ]);
  });

  it('takes PyTorch weights where there is nothing better', () => {
    expect(chooseModelFiles(listed(...base, 'pytorch_model.bin', 'training_args.bin'))).toEqual([
      ...base,
      'pytorch_model.bin',
    ]);
  });

  it('takes weights that are spread over several files, with their index', () => {
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const index = 'model.safetensors.index.json';
    expect(chooseModelFiles(listed(...base, shards[1], shards[0], index, 'pytorch_model.bin'))).toEqual([
      ...base,
      index,
      ...shards,
    ]);
    const bin = ['pytorch_model-00001-of-00001.bin', 'pytorch_model.bin.index.json'];
    expect(chooseModelFiles(listed(...base, ...bin))).toEqual([...base, bin[1], bin[0]]);
  });

  it('passes over weights of which a part or the index is missing', () => {
    const parts = ['model-00001-of-00003.safetensors', 'model-00003-of-00003.safetensors'];
    const index = 'model.safetensors.index.json';
    expect(chooseModelFiles(listed(...base, ...parts, index, 'pytorch_model.bin'))).toContain(
      'pytorch_model.bin',
    );
    expect(() => chooseModelFiles(listed(...base, ...parts, index))).toThrow(
      'found only model-00001-of-00003',
    );
    expect(() => chooseModelFiles(listed(...base, 'model-00001-of-00001.safetensors'))).toThrow(
      'expected weights',
    );
  });

  it('takes an adapter without its head, and prefers safetensors', () => {
    const files = [
      'README.md',
      'adapter_config.json',
      'head_config.json',
      'pytorch_adapter.bin',
      'pytorch_model_head.bin',
    ];
    expect(chooseModelFiles(listed(...files))).toEqual(['adapter_config.json', 'pytorch_adapter.bin']);
    expect(chooseModelFiles(listed(...files, 'adapter.safetensors'))).toEqual([
      'adapter_config.json',
      'adapter.safetensors',
    ]);
  });

  it('takes both of a repository that holds a model and an adapter', () => {
    const files = listed(...base, 'pytorch_model.bin', 'adapter_config.json', 'adapter_model.safetensors');
    expect(chooseModelFiles(files)).toEqual([
      ...base,
      'pytorch_model.bin',
      'adapter_config.json',
      'adapter_model.safetensors',
    ]);
  });

  it.each([
    [
      ['config.json', 'tf_model.h5', 'flax_model.msgpack'],
      /found only flax_model\.msgpack, tf_model\.h5\. Choose/,
    ],
    [['README.md'], /found no weights at all/],
    [
      ['adapter_config.json', 'adapter_model.bin'],
      /expected an adapter as .*; found only adapter_model\.bin/,
    ],
    [['model.safetensors', 'vocab.txt'], /no config\.json/],
    [['model.safetensors', 'config.json', 'spiece.model'], /neither tokenizer\.json nor vocab\.txt/],
    [['sub/model.safetensors', 'config.json'], /found only sub\/model\.safetensors/],
  ])('refuses %j', (paths, message) => {
    expect(() => chooseModelFiles(listed(...paths))).toThrow(message);
  });
});
