/**
 * Writes BERT checkpoints with random weights, as they lie on the hub: config.json, model.safetensors and
 * tokenizer.json. How fast a model is does not depend on what it has learnt.
 */

import { closeSync, linkSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseBertConfig } from '../../pipeline/checkpoint/bert-config.ts';
import { bertParameters } from '../../pipeline/checkpoint/bert-weights.ts';
import { createRandom, type Random } from '../../pipeline/math/random.ts';
import { createLanguage, specialPieces } from './generated-papers.ts';

export interface BertSize {
  layers: number;
  hidden: number;
  heads: number;
  intermediate: number;
  /** Pieces of the tokenizer, and rows of the word table. */
  vocabulary: number;
}

/** BERT-base with as many pieces as SciBERT's, which SPECTER2 has too. */
export const bertBase: BertSize = {
  layers: 12,
  hidden: 768,
  heads: 12,
  intermediate: 3072,
  vocabulary: 31_090,
};

/** What SciERC's six types are in BIO. */
const labels = [
  'O',
  ...['Task', 'Method', 'Metric', 'Material', 'Generic', 'OtherScientificTerm'].flatMap((type) => [
    `B-${type}`,
    `I-${type}`,
  ]),
];

/** As transformers initializes a BERT. */
const deviation = 0.02;
/**
 * Of label O: without a lead no label would win by more than rounding, which trained models do, and int8 is
 * compared by the labels it gives.
 */
const outsideBias = 2;

/**
 * Makes `folder/encoder` and `folder/tagger`, which share one file of weights.
 *
 * @returns Its size in bytes.
 */
export function writeRandomBert(folder: string, size: BertSize, seed: number): number {
  const [encoder, tagger] = ['encoder', 'tagger'].map((name) => join(folder, name));
  const tokenizer = tokenizerFiles(size.vocabulary);
  for (const [place, architecture] of [
    [encoder, 'BertModel'],
    [tagger, 'BertForTokenClassification'],
  ]) {
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'config.json'), JSON.stringify(configOf(size, architecture)));
    for (const [name, content] of Object.entries(tokenizer)) {
      writeFileSync(join(place, name), JSON.stringify(content));
    }
  }
  const weights = join(tagger, 'model.safetensors');
  const bytes = writeWeights(weights, size, createRandom(seed, 0x62657274));
  linkSync(weights, join(encoder, 'model.safetensors'));
  return bytes;
}

function configOf(size: BertSize, architecture: string): Record<string, unknown> {
  return {
    architectures: [architecture],
    model_type: 'bert',
    vocab_size: size.vocabulary,
    hidden_size: size.hidden,
    num_hidden_layers: size.layers,
    num_attention_heads: size.heads,
    intermediate_size: size.intermediate,
    hidden_act: 'gelu',
    max_position_embeddings: 512,
    type_vocab_size: 2,
    layer_norm_eps: 1e-12,
    id2label: Object.fromEntries(labels.entries()),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  };
}

/** @returns Bytes written. */
function writeWeights(path: string, size: BertSize, random: Random): number {
  const config = parseBertConfig(configOf(size, 'BertForTokenClassification'), path);
  const parameters = bertParameters(config).map(({ name, dims }) => ({
    name,
    dims,
    count: dims.reduce((product, entry) => product * entry, 1),
  }));
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const { name, dims, count } of parameters) {
    const start = end;
    end += count * 4;
    header[name] = { dtype: 'F32', shape: dims, data_offsets: [start, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = openSync(path, 'w');
  try {
    for (const bytes of [length, json]) writeSync(file, bytes);
    for (const { name, count } of parameters) {
      const values = valuesOf(name, count, random);
      for (let at = 0; at < values.byteLength; ) at += writeSync(file, values, at);
    }
  } finally {
    closeSync(file);
  }
  return length.length + json.length + end;
}

function valuesOf(name: string, count: number, random: Random): Uint8Array {
  const values = new Float32Array(count);
  if (name.endsWith('LayerNorm.weight')) values.fill(1);
  else if (name === 'classifier.bias') values[0] = outsideBias;
  else if (name.endsWith('.weight'))
    for (let i = 0; i < count; i++) values[i] = deviation * random.nextNormal();
  return new Uint8Array(values.buffer);
}

/** As of an uncased BERT. */
function tokenizerFiles(vocabulary: number): Record<string, unknown> {
  const { pieces } = createLanguage(vocabulary);
  const token = (content: string) => [{ SpecialToken: { id: content, type_id: 0 } }];
  const text = (id: string) => [{ Sequence: { id, type_id: 0 } }];
  return {
    'tokenizer.json': {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: specialPieces.map((content, id) => ({
        ...{
          id,
          content,
          single_word: false,
          lstrip: false,
          rstrip: false,
          normalized: false,
          special: true,
        },
      })),
      normalizer: {
        ...{ type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true },
        ...{ strip_accents: null, lowercase: true },
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [...token('[CLS]'), ...text('A'), ...token('[SEP]')],
        pair: [...token('[CLS]'), ...text('A'), ...token('[SEP]'), ...text('B'), ...token('[SEP]')],
        special_tokens: Object.fromEntries(
          ['[CLS]', '[SEP]'].map((id) => [id, { id, ids: [specialPieces.indexOf(id)], tokens: [id] }]),
        ),
      },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        ...{
          type: 'WordPiece',
          unk_token: '[UNK]',
          continuing_subword_prefix: '##',
          max_input_chars_per_word: 100,
        },
        vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
      },
    },
    'tokenizer_config.json': {
      tokenizer_class: 'BertTokenizer',
      do_lower_case: true,
      model_max_length: 512,
    },
  };
}
