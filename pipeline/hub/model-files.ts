/** Decides from a repository's listing which of its files a model or an adapter needs. */

import { UserError } from '../errors.ts';
import type { HubFile } from './listing.ts';

/** Read where they exist, besides weights. */
const modelFiles = [
  'config.json',
  'tokenizer.json',
  'vocab.txt',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  // sentence-transformers' own files: pooling, normalising, prompts.
  'modules.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
];
/** Settings of one of sentence-transformers' modules: `1_Pooling/config.json`. */
const moduleConfig = /^\d{1,2}_[A-Za-z0-9]+\/config\.json$/;

/** The first that is there is taken. */
const adapterWeights = ['adapter.safetensors', 'adapter_model.safetensors', 'pytorch_adapter.bin'];

/** Forms of weights that can be read, best first: a single file, or an index and what it spreads over. */
const weightForms = [
  { file: 'model.safetensors' },
  { index: 'model.safetensors.index.json', shard: /^model-(\d{5})-of-(\d{5})\.safetensors$/ },
  { file: 'pytorch_model.bin' },
  { index: 'pytorch_model.bin.index.json', shard: /^pytorch_model-(\d{5})-of-(\d{5})\.bin$/ },
];

/** Weights of other libraries, named when there is nothing else. */
const foreignWeights =
  /\.(?:h5|msgpack|onnx|ot|ckpt(?:\.\w+)*|gguf|ggml|tflite|mlmodel|bin|pt|pth|safetensors|npz|keras)$/i;

/**
 * @param files Every file of the repository.
 * @returns Paths to fetch, in the listing's words: configuration, tokenizer and one form of weights of a model;
 *   configuration and weights of an adapter; both where a repository holds both.
 * @throws UserError when the files make neither, naming what is missing and what there is instead.
 */
export function chooseModelFiles(files: readonly HubFile[]): string[] {
  const paths = files.map((file) => file.path);
  const there = new Set(paths);
  const weights = chooseWeights(there, paths);
  const adapter = adapterWeights.find((name) => there.has(name));
  const isAdapter = there.has('adapter_config.json') && adapter !== undefined;

  if (weights === null && !isAdapter) throw new UserError(noWeights(there, paths));
  const chosen: string[] = [];
  if (weights !== null) {
    if (!there.has('config.json')) {
      throw new UserError(
        'it has weights but no config.json, which says what they are. Choose another model.',
      );
    }
    if (!there.has('tokenizer.json') && !there.has('vocab.txt')) {
      throw new UserError(
        'it has neither tokenizer.json nor vocab.txt, so texts cannot be cut into its tokens. Choose another model.',
      );
    }
    chosen.push(...modelFiles.filter((name) => there.has(name)));
    chosen.push(...paths.filter((path) => moduleConfig.test(path)).sort());
    chosen.push(...weights);
  }
  if (isAdapter) chosen.push('adapter_config.json', adapter);
  return chosen;
}

/** Paths of the best form of weights that is whole; null when there is none. */
function chooseWeights(there: ReadonlySet<string>, paths: readonly string[]): string[] | null {
  for (const form of weightForms) {
    if (form.file !== undefined) {
      if (there.has(form.file)) return [form.file];
      continue;
    }
    const shards = there.has(form.index) ? wholeShards(paths, form.shard) : [];
    if (shards.length > 0) return [form.index, ...shards];
  }
  return null;
}

/**
 * The files that weights are spread over, sorted; empty when some are missing. Which tensor lies in which only
 * the index says, and it is not here yet, so two complete divisions are both taken.
 */
function wholeShards(paths: readonly string[], shard: RegExp): string[] {
  const divisions = new Map<number, Set<number>>();
  for (const path of paths) {
    const match = shard.exec(path);
    if (match === null) continue;
    const count = Number(match[2]);
    const numbers = divisions.get(count) ?? new Set();
    divisions.set(count, numbers.add(Number(match[1])));
  }
  const isWhole = (count: number): boolean => {
    const numbers = [...(divisions.get(count) ?? [])];
    return numbers.length === count && numbers.every((number) => number >= 1 && number <= count);
  };
  return paths.filter((path) => isWhole(Number(shard.exec(path)?.[2]))).sort();
}

function noWeights(there: ReadonlySet<string>, paths: readonly string[]): string {
  const expected = there.has('adapter_config.json')
    ? `an adapter as ${adapterWeights.join(', ')}`
    : `weights as ${weightForms.map((form) => form.file ?? form.index).join(', ')}, or adapter_config.json and an adapter's`;
  const foreign = paths.filter((path) => foreignWeights.test(path)).sort();
  const found =
    foreign.length === 0
      ? 'found no weights at all'
      : `found only ${foreign.slice(0, 5).join(', ')}${foreign.length > 5 ? ` and ${foreign.length - 5} more` : ''}`;
  return `expected ${expected}; ${found}. Choose a model that is published for PyTorch.`;
}
