/**
 * How an encoder's hidden states become a document's vector, from the files that sentence-transformers keeps
 * beside a model: modules.json, 1_Pooling/config.json, sentence_bert_config.json and
 * config_sentence_transformers.json. A model without them gives its [CLS] row, as SPECTER, SPECTER2, SciNCL
 * and SciBERT are used.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../errors.ts';
import type { Pooling } from './bert-model.ts';
import { readJsonFile, readOptionalJsonFile } from './json-file.ts';

export interface VectorRecipe {
  pooling: Pooling;
  normalize: boolean;
  /** Longest sequence that the model's makers allow, special tokens included; null where they do not say. */
  maxTokens: number | null;
  /** Put before every text; null where there is nothing. */
  prefix: string | null;
  /**
   * Whether the tokenizer is to be given lower-case text. One that makes it so itself needs nothing; the caller
   * knows the tokenizer.
   */
  lowercase: boolean;
  /** For people: what decided it. */
  origin: string;
}

const plainRecipe: VectorRecipe = {
  pooling: 'cls',
  normalize: false,
  maxTokens: null,
  prefix: null,
  lowercase: false,
  origin: 'no sentence-transformers files: the [CLS] row of the last layer, not normalized',
};

const modulesSchema = z.array(z.looseObject({ path: z.string(), type: z.string() })).max(16);

const poolingSchema = z.looseObject({
  word_embedding_dimension: z.int().optional(),
  embedding_dimension: z.int().optional(),
  /** Later files name the mode; earlier ones have a switch for each. */
  pooling_mode: z.union([z.string(), z.array(z.string())]).optional(),
  include_prompt: z.boolean().optional(),
});

const transformerSchema = z.looseObject({
  max_seq_length: z.int().positive().nullish(),
  do_lower_case: z.boolean().nullish(),
});

const promptsSchema = z.looseObject({
  prompts: z.record(z.string(), z.string().nullable()).nullish(),
  default_prompt_name: z.string().nullish(),
});

const modes: Readonly<Record<string, Pooling>> = {
  cls: 'cls',
  mean: 'mean',
  max: 'max',
  pooling_mode_cls_token: 'cls',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_max_tokens: 'max',
};

/**
 * @param folder The checkpoint's folder.
 * @param hidden Numbers per token, which the pooling's own file must agree with.
 * @throws UserError when a module or a mode is not supported.
 */
export function readVectorRecipe(folder: string, hidden: number): VectorRecipe {
  const modulesPath = join(folder, 'modules.json');
  if (!existsSync(modulesPath)) return plainRecipe;
  const modules = parse(modulesSchema, readJsonFile(modulesPath), modulesPath);
  const kinds = modules.map(({ type }) => type.slice(type.lastIndexOf('.') + 1));
  const expected = ['Transformer', 'Pooling', 'Normalize'];
  kinds.forEach((kind, i) => {
    if (kind !== expected[i]) {
      throw new UserError(
        `${modulesPath}: expected the modules Transformer, Pooling and perhaps Normalize, in this order, found ${kinds.join(', ')}; ${kind} is not supported there.`,
      );
    }
  });
  if (kinds.length < 2) {
    throw new UserError(`${modulesPath}: expected a Pooling module after the Transformer, found none.`);
  }
  if (modules[0].path !== '') {
    throw new UserError(
      `${modulesPath}: expected the transformer in the folder itself, found ${JSON.stringify(modules[0].path)}. Move its files beside modules.json and set the path to "".`,
    );
  }
  const { pooling, includePrompt } = readPooling(folder, modules[1].path, modulesPath, hidden);
  const normalize = kinds.length === 3;
  const settings = readOptional(transformerSchema, join(folder, 'sentence_bert_config.json'));
  const prefix = readPrefix(join(folder, 'config_sentence_transformers.json'));
  if (prefix !== null && !includePrompt) {
    throw new UserError(
      `${modulesPath}: pooling without the prompt's tokens (include_prompt false) is not supported where there is a default prompt, ${JSON.stringify(prefix)}.`,
    );
  }
  return {
    pooling,
    normalize,
    maxTokens: settings?.max_seq_length ?? null,
    prefix,
    lowercase: settings?.do_lower_case ?? false,
    origin: 'sentence-transformers files of the model',
  };
}

function readPooling(
  folder: string,
  name: string,
  modulesPath: string,
  hidden: number,
): { pooling: Pooling; includePrompt: boolean } {
  // A plain name: nothing outside the folder is read.
  if (!/^\w[\w-]{0,99}$/.test(name)) {
    throw new UserError(
      `${modulesPath}: expected the pooling's path to be a folder's name, found ${JSON.stringify(name)}.`,
    );
  }
  const path = join(folder, name, 'config.json');
  const config = parse(poolingSchema, readJsonFile(path), path);
  const dimension = config.word_embedding_dimension ?? config.embedding_dimension ?? hidden;
  if (dimension !== hidden) {
    throw new UserError(
      `${path}: expected ${hidden} numbers per token as the model has, found ${dimension}.`,
    );
  }
  const switched = Object.entries(config).flatMap(([field, value]) =>
    field.startsWith('pooling_mode_') && value === true ? [field] : [],
  );
  const named = config.pooling_mode === undefined ? [] : [config.pooling_mode].flat();
  const found = named.length > 0 ? named : switched;
  const pooling = found.length === 1 && Object.hasOwn(modes, found[0]) ? modes[found[0]] : undefined;
  if (pooling === undefined) {
    throw new UserError(
      `${path}: expected one pooling mode of cls, mean and max, found ${found.length === 0 ? 'none' : found.join(' and ')}.`,
    );
  }
  return { pooling, includePrompt: config.include_prompt ?? true };
}

/** What sentence-transformers itself puts before every text unless told otherwise. */
function readPrefix(path: string): string | null {
  const config = readOptional(promptsSchema, path);
  const name = config?.default_prompt_name;
  if (name === undefined || name === null) return null;
  const prompts = config?.prompts ?? {};
  const prompt = Object.hasOwn(prompts, name) ? prompts[name] : null;
  return prompt === null || prompt === '' ? null : prompt;
}

function readOptional<T extends z.ZodType>(schema: T, path: string): z.output<T> | null {
  const content = readOptionalJsonFile(path);
  return content === undefined ? null : parse(schema, content, path);
}

function parse<T extends z.ZodType>(schema: T, value: unknown, path: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new UserError(`${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
