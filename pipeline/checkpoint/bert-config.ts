/**
 * Reads config.json of a BERT or DistilBERT checkpoint into the sizes and choices that its arithmetic needs.
 * What would change the arithmetic and is not implemented is refused by name; the rest of the file is left
 * to those who read it.
 */

import * as z from 'zod';
import { UserError } from '../errors.ts';

/** What a feed-forward block or an adapter applies between its two matrices. */
export type Activation = 'gelu' | 'gelu_tanh' | 'quick_gelu' | 'relu' | 'silu' | 'tanh';

export interface BertConfig {
  modelType: 'bert' | 'distilbert';
  task: 'document-embedding' | 'token-classification';
  /** As the config names it, e.g. BertForTokenClassification; null when it names none. */
  architecture: string | null;
  /** Rows of the word, position and token-type tables; 0 token types where the model has no such table. */
  vocabulary: number;
  positions: number;
  tokenTypes: number;
  hidden: number;
  heads: number;
  layers: number;
  intermediate: number;
  activation: Activation;
  /** Added to the variance in every layer normalization. */
  epsilon: number;
  /** By index; empty for encoders. */
  labels: string[];
}

/** Names that transformers gives to the same function, and how they are called here. */
const activations: Readonly<Record<string, Activation>> = {
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_accurate: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  quick_gelu: 'quick_gelu',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
  tanh: 'tanh',
};

/** @returns Undefined when no function of that name is implemented. */
export const activationOf = (name: string): Activation | undefined =>
  Object.hasOwn(activations, name) ? activations[name] : undefined;

export const activationNames: readonly string[] = Object.keys(activations);

/** Architectures by what is wanted of them: hidden states, or one label per token. */
const encoders = [
  'BertModel',
  'BertAdapterModel',
  'BertForMaskedLM',
  'BertForPreTraining',
  'BertForNextSentencePrediction',
  'BertLMHeadModel',
  'DistilBertModel',
  'DistilBertAdapterModel',
  'DistilBertForMaskedLM',
];
const taggers = ['BertForTokenClassification', 'DistilBertForTokenClassification'];

const supported = 'BERT and DistilBERT, as encoders (BertModel, …) or for token classification';

const size = z.int().positive().max(1_000_000);

/** Fields may be missing in old files; the defaults are those of transformers' own classes. */
const commonFields = {
  vocab_size: size,
  max_position_embeddings: size.default(512),
  id2label: z.record(z.string().regex(/^\d+$/), z.string()).optional(),
};

const bertFields = z.looseObject({
  ...commonFields,
  hidden_size: size.default(768),
  num_hidden_layers: size.max(1000).default(12),
  num_attention_heads: size.default(12),
  intermediate_size: size.default(3072),
  hidden_act: z.string().default('gelu'),
  layer_norm_eps: z.number().positive().max(1).default(1e-12),
  type_vocab_size: z.int().nonnegative().max(1_000_000).default(2),
});

const distilBertFields = z.looseObject({
  ...commonFields,
  dim: size.default(768),
  n_layers: size.max(1000).default(6),
  n_heads: size.default(12),
  hidden_dim: size.default(3072),
  activation: z.string().default('gelu'),
});

/** Fields that change the arithmetic, with the values that leave it as it is implemented here. */
const neutralValues: readonly [field: string, neutral: readonly unknown[]][] = [
  ['position_embedding_type', ['absolute']],
  ['is_decoder', [false]],
  ['is_encoder_decoder', [false]],
  ['add_cross_attention', [false]],
];

/**
 * @param value What config.json holds.
 * @param where Named in errors: the file's path.
 * @throws UserError when the model is of another kind, or a field is missing or out of range.
 */
export function parseBertConfig(value: unknown, where: string): BertConfig {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`${where}: expected the settings of a model as a JSON object.`);
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const architecture = architectureOf(fields, where);
  const modelType = modelTypeOf(fields, architecture, where);
  const task = taskOf(architecture, where);
  refuseOtherArithmetic(fields, where);

  const sizes = modelType === 'bert' ? readBert(fields, where) : readDistilBert(fields, where);
  if (sizes.hidden % sizes.heads !== 0) {
    throw new UserError(
      `${where}: expected the hidden size to be a multiple of the number of attention heads, got ${sizes.hidden} and ${sizes.heads}.`,
    );
  }
  const labels = task === 'token-classification' ? labelsOf(fields, where) : [];
  return { modelType, task, architecture, ...sizes, labels };
}

function architectureOf(fields: Readonly<Record<string, unknown>>, where: string): string | null {
  const { architectures } = fields;
  if (architectures === undefined || architectures === null) return null;
  const named = z.array(z.string()).max(16).safeParse(architectures);
  if (!named.success) throw new UserError(`${where}: expected architectures to be a list of names.`);
  return named.data[0] ?? null;
}

function modelTypeOf(
  fields: Readonly<Record<string, unknown>>,
  architecture: string | null,
  where: string,
): BertConfig['modelType'] {
  const { model_type: found } = fields;
  if (found === 'bert' || found === 'distilbert') return found;
  if (found === 'roberta' || found === 'xlm-roberta' || found === 'camembert') {
    throw new UserError(
      `${where}: model_type ${found} is not supported: its byte-pair or SentencePiece tokenizer is not implemented. Supported: ${supported}.`,
    );
  }
  if (found !== undefined) {
    throw new UserError(
      `${where}: model_type ${JSON.stringify(found)} is not supported. Supported: ${supported}.`,
    );
  }
  // Files of 2019 and 2020 name no type.
  if (architecture?.startsWith('DistilBert') || (architecture === null && 'n_layers' in fields))
    return 'distilbert';
  if (architecture?.startsWith('Bert') || (architecture === null && 'num_hidden_layers' in fields))
    return 'bert';
  throw new UserError(
    `${where}: expected model_type, found none${architecture === null ? '' : ` (architecture ${architecture})`}. Supported: ${supported}.`,
  );
}

function taskOf(architecture: string | null, where: string): BertConfig['task'] {
  if (architecture === null || encoders.includes(architecture)) return 'document-embedding';
  if (taggers.includes(architecture)) return 'token-classification';
  throw new UserError(
    `${where}: architecture ${architecture} is not supported. Supported: ${[...encoders, ...taggers].join(', ')}.`,
  );
}

function refuseOtherArithmetic(fields: Readonly<Record<string, unknown>>, where: string): void {
  for (const [field, neutral] of neutralValues) {
    const found = fields[field];
    if (found !== undefined && found !== null && !neutral.includes(found)) {
      throw new UserError(
        `${where}: ${field} ${JSON.stringify(found)} is not supported, only ${neutral.map((entry) => JSON.stringify(entry)).join(' or ')}.`,
      );
    }
  }
  const { quantization_config: quantization, pruned_heads: pruned } = fields;
  if (quantization !== undefined && quantization !== null) {
    throw new UserError(
      `${where}: the weights are quantized (quantization_config), which is not supported. Use the checkpoint they were made from.`,
    );
  }
  if (typeof pruned === 'object' && pruned !== null && Object.keys(pruned).length > 0) {
    throw new UserError(`${where}: pruned_heads is not supported: every layer must have all its heads.`);
  }
}

type Sizes = Omit<BertConfig, 'modelType' | 'task' | 'architecture' | 'labels'>;

function readBert(fields: Readonly<Record<string, unknown>>, where: string): Sizes {
  const config = parse(bertFields, fields, where);
  return {
    vocabulary: config.vocab_size,
    positions: config.max_position_embeddings,
    tokenTypes: config.type_vocab_size,
    hidden: config.hidden_size,
    heads: config.num_attention_heads,
    layers: config.num_hidden_layers,
    intermediate: config.intermediate_size,
    activation: knownActivation(config.hidden_act, 'hidden_act', where),
    epsilon: config.layer_norm_eps,
  };
}

function readDistilBert(fields: Readonly<Record<string, unknown>>, where: string): Sizes {
  const config = parse(distilBertFields, fields, where);
  return {
    vocabulary: config.vocab_size,
    positions: config.max_position_embeddings,
    tokenTypes: 0,
    hidden: config.dim,
    heads: config.n_heads,
    layers: config.n_layers,
    intermediate: config.hidden_dim,
    activation: knownActivation(config.activation, 'activation', where),
    // Written into transformers' DistilBERT; the config has no field for it.
    epsilon: 1e-12,
  };
}

function parse<T extends z.ZodType>(schema: T, fields: unknown, where: string): z.output<T> {
  const parsed = schema.safeParse(fields);
  if (!parsed.success) throw new UserError(`${where}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function knownActivation(name: string, field: string, where: string): Activation {
  const known = activationOf(name);
  if (known === undefined) {
    throw new UserError(
      `${where}: ${field} ${JSON.stringify(name)} is not supported. Supported: ${activationNames.join(', ')}.`,
    );
  }
  return known;
}

/** Without id2label transformers makes labels LABEL_0, LABEL_1 and so on, two unless told otherwise. */
function labelsOf(fields: Readonly<Record<string, unknown>>, where: string): string[] {
  const labelFields = z.looseObject({ id2label: commonFields.id2label, num_labels: size.default(2) });
  const { id2label, num_labels: number } = parse(labelFields, fields, where);
  if (id2label === undefined) return Array.from({ length: number }, (_, i) => `LABEL_${i}`);
  const count = Object.keys(id2label).length;
  if (count === 0) throw new UserError(`${where}: expected id2label to name at least one label, found none.`);
  return Array.from({ length: count }, (_, i) => {
    const label = id2label[String(i)];
    if (label === undefined) {
      throw new UserError(`${where}: expected id2label to name every label from 0 up, found none for ${i}.`);
    }
    return label;
  });
}
