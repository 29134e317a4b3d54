/**
 * Finds a model's tensors in a checkpoint, whatever prefix, generation or family gave them their names, and
 * checks that every one is there with the shape that config.json promises. Numbers are read later, one tensor
 * at a time.
 *
 * Everything above this file calls a tensor as BertModel does today: `encoder.layer.0.output.dense.weight`.
 */

import { UserError } from '../errors.ts';
import type { BertConfig } from './bert-config.ts';
import type { Weights } from './weights.ts';

export interface BertWeights {
  /** @param name As in BertModel, or `classifier.weight`. @returns Row-major; a linear map as [out × in]. */
  read(name: string): Float32Array;
  /** Tensors of the file that no supported model has, in file order; their part in the outputs is lost. */
  unused: string[];
}

/** One tensor that the model needs. */
export interface Parameter {
  name: string;
  dims: readonly number[];
}

const floatTypes: readonly string[] = ['float32', 'float16', 'bfloat16', 'float64'];

/** Tensors that other uses of the model leave behind: pre-training heads, the pooler, counters. */
const knownUnused =
  /(?:^|\.)(?:pooler\.|cls\.|(?:embeddings\.)?position_ids$|(?:embeddings\.)?token_type_ids$|vocab_(?:transform|layer_norm|projector)\.|num_batches_tracked$)/;

/**
 * @param where Named in errors: the checkpoint's path.
 * @throws UserError when a tensor is missing, has another shape, or holds whole numbers.
 */
export function bindBertWeights(weights: Weights, config: BertConfig, where: string): BertWeights {
  const prefix = prefixOf(weights, where);
  // The head stands beside the encoder: `bert.encoder.…` and `classifier.weight`.
  const outer = prefix.replace(/(?:bert|distilbert)\.$/, '');
  const stored = new Map<string, string>();
  for (const { name, dims } of bertParameters(config)) {
    const start = name.startsWith('classifier.') ? outer : prefix;
    const candidates = namesInFiles(name, config).map((candidate) => start + candidate);
    const found = candidates.find((candidate) => weights.tensors.has(candidate));
    const tensor = found === undefined ? undefined : weights.tensors.get(found);
    if (found === undefined || tensor === undefined) {
      throw new UserError(
        `${where}: expected a tensor ${candidates[0]} of shape [${dims.join(' × ')}], found none. ` +
          'The file is not whole, or config.json belongs to another model.',
      );
    }
    if (tensor.dims.length !== dims.length || tensor.dims.some((entry, i) => entry !== dims[i])) {
      throw new UserError(
        `${where}: expected ${found} to have shape [${dims.join(' × ')}] as config.json says, found [${tensor.dims.join(' × ')}].`,
      );
    }
    if (!floatTypes.includes(tensor.type)) {
      throw new UserError(
        `${where}: expected ${found} to hold floating-point numbers, found ${tensor.type}. Use the unquantized checkpoint.`,
      );
    }
    stored.set(name, found);
  }
  const used = new Set(stored.values());
  return {
    read(name) {
      const found = stored.get(name);
      if (found === undefined) throw new Error(`bert-weights: ${name} is no tensor of this model.`);
      return weights.read(found);
    },
    unused: [...weights.tensors.keys()].filter((name) => !used.has(name) && !knownUnused.test(name)),
  };
}

/** Every tensor of the model, in the order of the computation. */
export function bertParameters(config: BertConfig): Parameter[] {
  const { hidden, intermediate, vocabulary, positions, tokenTypes, layers, labels } = config;
  const parameters: Parameter[] = [];
  const add = (name: string, ...dims: number[]): void => void parameters.push({ name, dims });
  const addLinear = (name: string, outputs: number, inputs: number): void => {
    add(`${name}.weight`, outputs, inputs);
    add(`${name}.bias`, outputs);
  };
  const addNorm = (name: string): void => {
    add(`${name}.weight`, hidden);
    add(`${name}.bias`, hidden);
  };

  add('embeddings.word_embeddings.weight', vocabulary, hidden);
  add('embeddings.position_embeddings.weight', positions, hidden);
  if (tokenTypes > 0) add('embeddings.token_type_embeddings.weight', tokenTypes, hidden);
  addNorm('embeddings.LayerNorm');
  for (let i = 0; i < layers; i++) {
    const layer = `encoder.layer.${i}`;
    for (const map of ['query', 'key', 'value']) addLinear(`${layer}.attention.self.${map}`, hidden, hidden);
    addLinear(`${layer}.attention.output.dense`, hidden, hidden);
    addNorm(`${layer}.attention.output.LayerNorm`);
    addLinear(`${layer}.intermediate.dense`, intermediate, hidden);
    addLinear(`${layer}.output.dense`, hidden, intermediate);
    addNorm(`${layer}.output.LayerNorm`);
  }
  if (config.task === 'token-classification') addLinear('classifier', labels.length, hidden);
  return parameters;
}

/** What stands before `embeddings.word_embeddings.weight`: '', 'bert.', '0.auto_model.' and the like. */
function prefixOf(weights: Weights, where: string): string {
  const ending = 'embeddings.word_embeddings.weight';
  const found = [...weights.tensors.keys()].filter((name) => name === ending || name.endsWith(`.${ending}`));
  if (found.length === 1) return found[0].slice(0, -ending.length);
  throw new UserError(
    found.length === 0
      ? `${where}: expected the weights of BERT or DistilBERT, found no tensor that ends in ${ending}.`
      : `${where}: expected the weights of one model, found ${found.length}: ${found.slice(0, 4).join(', ')}.`,
  );
}

const distilBertNames: readonly [from: string, to: string][] = [
  ['encoder.layer.', 'transformer.layer.'],
  ['attention.self.query', 'attention.q_lin'],
  ['attention.self.key', 'attention.k_lin'],
  ['attention.self.value', 'attention.v_lin'],
  ['attention.output.dense', 'attention.out_lin'],
  ['attention.output.LayerNorm', 'sa_layer_norm'],
  ['intermediate.dense', 'ffn.lin1'],
  // Only a layer's own, which follows its number: the attention block's are renamed above.
  ['.output.dense', '.ffn.lin2'],
  ['.output.LayerNorm', '.output_layer_norm'],
];

/** A tensor's names in files: today's first, then that of checkpoints converted from TensorFlow. */
function namesInFiles(name: string, { modelType }: BertConfig): string[] {
  let today = name;
  if (modelType === 'distilbert') {
    for (const [from, to] of distilBertNames) today = today.replace(from, to);
  }
  if (!name.includes('LayerNorm')) return [today];
  return [today, today.replace(/weight$/, 'gamma').replace(/bias$/, 'beta')];
}
