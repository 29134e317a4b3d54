/** The checkpoints that test/oracle/small-models.py made, models with weights given in a test, and running them. */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Adapter, bindAdapter } from '../../pipeline/checkpoint/adapter.ts';
import { type BertConfig, parseBertConfig } from '../../pipeline/checkpoint/bert-config.ts';
import { encodeBertGraph } from '../../pipeline/checkpoint/bert-graph.ts';
import type { BertModel, Head } from '../../pipeline/checkpoint/bert-model.ts';
import { bertParameters, bindBertWeights } from '../../pipeline/checkpoint/bert-weights.ts';
import { openWeights, type Weights } from '../../pipeline/checkpoint/weights.ts';
import { openWeightsFolder } from '../../pipeline/checkpoint/weights-folder.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import type { EncodedModel } from '../../pipeline/model/onnx.ts';
import { openSession } from '../../pipeline/model/session.ts';

export const smallModels = [
  'bert-2019',
  'bert-bf16',
  'bert-mean',
  'bert-ner',
  'distilbert-fp16',
  'distilbert-ner',
] as const;

export const fixtureFolder = (name: string): string =>
  fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** Checkpoints with outputs of the libraries themselves, which only a checkout beside `shared` has. */
export const sharedFolder = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url));

export interface Expected {
  head: 'hidden' | 'logits' | 'mean';
  inputs: number[][];
  /** [sequence][row][column]. */
  outputs: number[][][];
}

export const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

export function openModel(folder: string, file?: string): BertModel {
  const config = parseBertConfig(readJson(`${folder}/config.json`), folder);
  const weights = file === undefined ? openWeightsFolder(folder) : openWeights(`${folder}/${file}`);
  return { config, weights: bindBertWeights(weights, config, folder), adapters: [] };
}

export const openAdapter = (folder: string, config: BertConfig, file: string): Adapter =>
  bindAdapter(readJson(`${folder}/adapter_config.json`), openWeights(`${folder}/${file}`), config, folder);

export interface GivenTensor {
  dims: number[];
  data: Float32Array;
  type?: 'float32' | 'int8';
}

export function weightsOf(tensors: Readonly<Record<string, GivenTensor>>): Weights {
  return {
    format: 'given',
    tensors: new Map(
      Object.entries(tensors).map(([name, { dims, type = 'float32' }]) => [name, { dims, type }]),
    ),
    read: (name) => Float32Array.from(tensors[name].data),
    close: () => {},
  };
}

/** Float32 only, in the order given. */
export function writeSafetensors(path: string, tensors: Readonly<Record<string, GivenTensor>>): void {
  const header: Record<string, unknown> = {};
  const pieces: Buffer[] = [];
  let at = 0;
  for (const [name, { dims, data }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape: dims, data_offsets: [at, at + data.byteLength] };
    pieces.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    at += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([length, text, ...pieces]));
}

/** A config.json of a model so small that its tensors can be given in a test. */
export const tinySettings = {
  model_type: 'bert',
  architectures: ['BertModel'],
  vocab_size: 12,
  max_position_embeddings: 8,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 12,
  type_vocab_size: 2,
};

export const tinyConfig: BertConfig = parseBertConfig(tinySettings, 'config.json');

const numbers = (length: number, seed: number, size = 0.5): Float32Array => {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => (random.nextFloat() - 0.5) * 2 * size);
};

/**
 * Tensors for every parameter of a config, by the names of BertModel.
 *
 * @param size Largest number. Wide models want small ones: else attention turns on the last digit.
 */
export function tinyTensors(config: BertConfig = tinyConfig, size = 0.5): Record<string, GivenTensor> {
  return Object.fromEntries(
    bertParameters(config).map(({ name, dims }, i) => {
      const length = dims.reduce((product, entry) => product * entry, 1);
      const data = numbers(length, i + 1, size);
      // Layer norms around 1, as trained ones are.
      return [name, { dims: [...dims], data: name.endsWith('Norm.weight') ? data.map((x) => 1 + x) : data }];
    }),
  );
}

export function tinyModel(adapters: readonly Adapter[] = []): BertModel {
  const weights = bindBertWeights(weightsOf(tinyTensors()), tinyConfig, 'given');
  return { config: tinyConfig, weights, adapters };
}

/** As adapters 1.2.0 writes it for seq_bn. */
export const adapterSettings: Readonly<Record<string, unknown>> = {
  adapter_residual_before_ln: false,
  cross_adapter: false,
  inv_adapter: null,
  is_parallel: false,
  leave_out: [],
  ln_after: false,
  ln_before: false,
  mh_adapter: false,
  non_linearity: 'relu',
  original_ln_after: true,
  original_ln_before: true,
  output_adapter: true,
  phm_layer: false,
  reduction_factor: 4,
  residual_before_ln: true,
  scaling: 1,
  use_gating: false,
};

/** Tensors of an adapter with `size` units at the end of every layer. */
export function adapterTensors(
  size: number,
  seed: number,
  start = 'bert.encoder.layer.',
  end = '.output.adapters.[PRX].',
): Record<string, GivenTensor> {
  const { hidden, layers } = tinyConfig;
  const tensors: Record<string, GivenTensor> = {};
  for (let layer = 0; layer < layers; layer++) {
    const name = `${start}${layer}${end}`;
    const at = seed * 1000 + layer * 10;
    tensors[`${name}adapter_down.0.weight`] = { dims: [size, hidden], data: numbers(size * hidden, at) };
    tensors[`${name}adapter_down.0.bias`] = { dims: [size], data: numbers(size, at + 1) };
    tensors[`${name}adapter_up.weight`] = { dims: [hidden, size], data: numbers(hidden * size, at + 2) };
    tensors[`${name}adapter_up.bias`] = { dims: [hidden], data: numbers(hidden, at + 3) };
  }
  return tensors;
}

export const tinyAdapter = (
  size: number,
  seed: number,
  settings: Readonly<Record<string, unknown>> = {},
): Adapter =>
  bindAdapter(
    { config: { ...adapterSettings, ...settings }, model_type: 'bert', hidden_size: tinyConfig.hidden },
    weightsOf(adapterTensors(size, seed)),
    tinyConfig,
    'given',
  );

export function bytesOf(model: EncodedModel): Uint8Array {
  const pieces: Uint8Array[] = [];
  model.write((piece) => void pieces.push(piece.slice()));
  return Buffer.concat(pieces);
}

/** The graph's one output for every input, flat. */
export async function runGraph(
  model: BertModel,
  head: Head,
  precision: 'fp32' | 'int8',
  inputs: readonly (readonly number[])[],
  task = 0,
): Promise<Float32Array[]> {
  const session = await openSession(bytesOf(encodeBertGraph(model, head, precision)));
  try {
    const outputs: Float32Array[] = [];
    for (const ids of inputs) {
      const feeds = {
        input_ids: { dims: [1, ids.length], data: BigInt64Array.from(ids, BigInt) },
        ...(model.adapters.length === 0 ? {} : { task: { dims: [1], data: BigInt64Array.of(BigInt(task)) } }),
      };
      const { data } = (await session.run(feeds))[session.outputs[0]];
      if (!(data instanceof Float32Array)) throw new Error('expected float32 from the graph');
      outputs.push(data);
    }
    return outputs;
  } finally {
    await session.close();
  }
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const apart = Math.abs(a[i] - b[i]);
    largest = Number.isNaN(apart) ? Infinity : Math.max(largest, apart);
  }
  return largest;
}
