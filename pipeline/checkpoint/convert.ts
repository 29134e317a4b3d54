/**
 * Converts a checkpoint as it lies on the hub (config.json, weights, tokenizer; adapters in folders of their
 * own) into a model folder of this program. The folder is made aside, checked, and moved into place whole:
 * where it is, it has passed.
 */

import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { pause } from '../math/pause.ts';
import { type BertTokenizer, openBertTokenizer } from '../model/bert-tokenizer.ts';
import { fileSha256, type ModelCard } from '../model/card.ts';
import type { Conversion } from '../model/converted-model.ts';
import type { EncodedModel } from '../model/onnx.ts';
import { openSession } from '../model/session.ts';
import { type Adapter, bindAdapter } from './adapter.ts';
import { type BertConfig, parseBertConfig } from './bert-config.ts';
import { encodeBertGraph } from './bert-graph.ts';
import type { BertModel, Head } from './bert-model.ts';
import { bertParameters, bindBertWeights } from './bert-weights.ts';
import type { AdapterFolder } from './checkpoint-folder.ts';
import { readJsonFile } from './json-file.ts';
import {
  checkFloat32,
  compareInt8,
  type Float32Parity,
  graphOutputs,
  type Int8Parity,
  int8Cosine,
  int8Labels,
  type ParityCases,
  type Probe,
  parityCases,
  passesInt8,
} from './parity.ts';
import { readVectorRecipe, type VectorRecipe } from './pooling.ts';
import { openWeights, type Weights } from './weights.ts';
import { openWeightsFolder } from './weights-folder.ts';

/** Raised whenever the same checkpoint would give other bytes or other numbers. */
export const converterVersion = 1;

/** What is asked for: int8 where it passes its check and saves anything, or one of the two. */
export type Precision = 'auto' | 'int8' | 'fp32';

export interface ConversionOptions {
  /** The checkpoint. */
  folder: string;
  adapters?: readonly AdapterFolder[];
  /** The model folder to be made. An earlier model there is replaced; anything else stays and is an error. */
  out: string;
  /** Default 'auto'. */
  precision?: Precision;
  /** What the card calls the model; the folder's name when left out. */
  name?: string;
  /** Where the checkpoint comes from, for the card. */
  source?: unknown;
  license?: string;
  /** Put before every document; overrides what the model's own files say. */
  prefix?: string;
  /** How title and abstract become one text: by the separator token, as by default, or by a space. */
  join?: 'separator' | 'text';
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/** Below this many numbers in matrices float32 is fast enough, and exact. */
const int8Parameters = 8_000_000;

/** A protobuf of 2 GiB or more cannot be read back. */
const maxModelBytes = 2 ** 31 - 1;

const modelName = 'model.onnx';
const adapterFiles = ['adapter.safetensors', 'adapter_model.safetensors', 'pytorch_adapter.bin'];
const tokenizerFiles = [
  'tokenizer.json',
  'vocab.txt',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
];

/**
 * @returns The card of the folder made. The same checkpoint gives the same bytes, card included.
 * @throws UserError when the checkpoint is damaged or of a kind that is not supported, or int8 was asked for
 *   and fails its check; Interrupted when the signal is raised. Nothing is left behind.
 */
export async function convertCheckpoint(options: ConversionOptions): Promise<ModelCard> {
  const out = resolve(options.out);
  refuseForeignFolder(out);
  mkdirSync(dirname(out), { recursive: true });
  const aside = mkdtempSync(join(dirname(out), `.${basename(out)}-`));
  const open: Weights[] = [];
  try {
    const card = await convertInto(aside, options, open);
    replaceFolder(aside, out);
    return card;
  } catch (error) {
    throw isFull(error)
      ? new UserError(`The disk is full at ${dirname(out)}: a conversion needs room for the float32 model.`, {
          cause: error,
        })
      : error;
  } finally {
    for (const weights of open) weights.close();
    rmSync(aside, { recursive: true, force: true });
  }
}

/** @param open Receives every file opened, for the caller to close. */
async function convertInto(aside: string, options: ConversionOptions, open: Weights[]): Promise<ModelCard> {
  const { folder, adapters = [], signal } = options;
  const settings = readJsonFile(join(folder, 'config.json'));
  const config = parseBertConfig(settings, join(folder, 'config.json'));
  const model = openModel(config, folder, adapters, open);
  const tokenizer = openTokenizer(folder, config);
  const recipe = config.task === 'document-embedding' ? readVectorRecipe(folder, config.hidden) : null;
  if (recipe?.lowercase) requireLowerCase(tokenizer, folder);
  const conversion = describe(options, config, tokenizer, recipe);
  const head: Head =
    recipe === null
      ? { kind: 'logits' }
      : { kind: 'vector', pooling: recipe.pooling, normalize: recipe.normalize };

  const cases = parityCases(config, tokenizer, conversion.max_tokens, adapters.length);
  const precision = settle(options.precision ?? 'auto', config);
  const steps = config.layers + (precision === 'fp32' ? 0 : 2 * cases.many.length);
  let done = 0;
  const turn = async (): Promise<void> => {
    options.onProgress?.(++done, steps);
    await pause(signal);
  };
  const written = await writeChecked(aside, model, head, cases, precision, turn);

  for (const name of tokenizerFiles) {
    if (existsSync(join(folder, name))) copyFileSync(join(folder, name), join(aside, name));
  }
  conversion.precision = written.precision;
  writeFileSync(join(aside, 'config.json'), formatConfig(settings, config, conversion));
  const card: ModelCard = {
    name: options.name ?? basename(resolve(folder)),
    task: config.task,
    description: descriptionOf(config, recipe, adapters),
    ...(options.source === undefined ? {} : { source: options.source }),
    ...licenceOf(folder, options.license),
    architecture: config.architecture ?? config.modelType,
    weights: open[0].format,
    ...(model.weights.unused.length === 0 ? {} : { unused_tensors: model.weights.unused.slice(0, 100) }),
    precision: written.precision,
    parity: written.parity,
    probes: written.probes,
    ...(adapters.length === 0
      ? {}
      : { adapters: adapters.map(({ task }, i) => ({ task, name: model.adapters[i].name })) }),
    converter: converterVersion,
    files: await describeFiles(aside, written.model),
  };
  writeFileSync(join(aside, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
  return card;
}

function openModel(
  config: BertConfig,
  folder: string,
  adapters: readonly AdapterFolder[],
  open: Weights[],
): BertModel {
  const kept = (weights: Weights): Weights => {
    open.push(weights);
    return weights;
  };
  const weights = bindBertWeights(kept(openWeightsFolder(folder)), config, folder);
  if (adapters.length > 0 && config.task !== 'document-embedding') {
    throw new UserError(
      `${folder}: adapters are supported on encoders only, this is a model for ${config.task}.`,
    );
  }
  const bound = adapters.map(({ folder: place }) =>
    bindAdapter(readJsonFile(join(place, 'adapter_config.json')), kept(openAdapter(place)), config, place),
  );
  requireOneKind(bound, adapters);
  return { config, weights, adapters: bound };
}

/** A folder may hold an adapter beside a whole model. */
function openAdapter(folder: string): Weights {
  const name = adapterFiles.find((candidate) => existsSync(join(folder, candidate)));
  if (name !== undefined) return openWeights(join(folder, name));
  throw new UserError(`${folder}: expected an adapter's weights as ${adapterFiles.join(', ')}, found none.`);
}

/** One graph serves all adapters, so that they have to be built alike; their sizes may differ. */
function requireOneKind(bound: readonly Adapter[], adapters: readonly AdapterFolder[]): void {
  bound.forEach((adapter, i) => {
    for (const trait of ['source', 'activation'] as const) {
      if (adapter[trait] === bound[0][trait]) continue;
      throw new UserError(
        `Expected adapters of one kind, found ${bound[0][trait]} in ${adapters[0].folder} and ${adapter[trait]} in ${adapters[i].folder} (${trait}). Convert them apart.`,
      );
    }
  });
  const tasks = adapters.map(({ task }) => task);
  const twice = tasks.find((task, i) => tasks.indexOf(task) !== i);
  if (twice !== undefined) throw new UserError(`Expected one adapter for ${twice}, found two.`);
}

function openTokenizer(folder: string, config: BertConfig): BertTokenizer {
  const tokenizer = openBertTokenizer(folder);
  // Tables are padded to round sizes, by some hundred rows at most.
  if (tokenizer.vocabularySize < config.vocabulary / 2) {
    throw new UserError(
      `${folder}: the tokenizer knows ${tokenizer.vocabularySize} tokens, the model has rows for ${config.vocabulary}. Its vocabulary is cut off, or belongs to another model.`,
    );
  }
  if (tokenizer.vocabularySize > config.vocabulary) {
    throw new UserError(
      `${folder}: the tokenizer knows ${tokenizer.vocabularySize} tokens, the model has rows for ${config.vocabulary}. They belong to different models.`,
    );
  }
  return tokenizer;
}

function requireLowerCase(tokenizer: BertTokenizer, folder: string): void {
  const ids = (text: string): string => tokenizer.encode(text).ids.join();
  const sample = 'Deep Learning';
  if (ids(sample) !== ids(sample.toLowerCase())) {
    throw new UserError(
      `${join(folder, 'sentence_bert_config.json')}: do_lower_case with a tokenizer that keeps capitals is not supported.`,
    );
  }
}

/** What goes into config.json for those who run the graph; the precision is settled later. */
function describe(
  given: ConversionOptions,
  config: BertConfig,
  tokenizer: BertTokenizer,
  recipe: VectorRecipe | null,
): Conversion {
  const maxTokens = Math.min(
    tokenizer.maxTokens ?? Infinity,
    config.positions,
    recipe?.maxTokens ?? Infinity,
  );
  if (maxTokens < 3) {
    throw new UserError(`Expected a model that takes at least 3 tokens, this one takes ${maxTokens}.`);
  }
  const conversion: Conversion = { precision: 'fp32', max_tokens: maxTokens };
  if (recipe === null) return conversion;
  const { adapters = [] } = given;
  const prefix = given.prefix ?? recipe.prefix ?? '';
  return {
    ...conversion,
    pooling: recipe.pooling,
    normalize: recipe.normalize,
    join: given.join ?? 'separator',
    ...(adapters.length === 0 ? {} : { tasks: adapters.map(({ task }) => task) }),
    ...(prefix === '' ? {} : { prefix }),
  };
}

// The graph and its check ----------------------------------------------------------------------

interface WrittenModel {
  precision: 'int8' | 'fp32';
  parity: { fp32: Float32Parity; int8?: Int8Parity };
  probes: Probe[];
  model: FileEntry;
}

/**
 * Writes the float32 graph, checks it against the reference, and puts the int8 graph in its place where that
 * is wanted and passes against the float32 one.
 */
async function writeChecked(
  aside: string,
  model: BertModel,
  head: Head,
  cases: ParityCases,
  precision: Precision,
  turn: () => Promise<void>,
): Promise<WrittenModel> {
  const path = join(aside, modelName);
  const entry = writeModel(encodeBertGraph(model, head, 'fp32'), path);
  const session = await openSession(path);
  let fp32: Float32Parity;
  let probes: Probe[];
  let expected: Float32Array[];
  try {
    ({ parity: fp32, probes } = await checkFloat32(model, head, session, cases.few, turn));
    expected = precision === 'fp32' ? [] : await graphOutputs(session, cases.many, turn);
  } finally {
    await session.close();
  }
  if (precision === 'fp32') return { precision: 'fp32', parity: { fp32 }, probes, model: entry };

  const int8Path = `${path}.int8`;
  const int8Entry = writeModel(encodeBertGraph(model, head, 'int8'), int8Path);
  const int8Session = await openSession(int8Path);
  let int8: Int8Parity;
  try {
    int8 = await compareInt8(int8Session, cases.many, expected, model.config.labels.length, turn);
  } finally {
    await int8Session.close();
  }
  if (passesInt8(int8)) {
    renameSync(int8Path, path);
    return { precision: 'int8', parity: { fp32, int8 }, probes, model: int8Entry };
  }
  if (precision === 'int8') {
    const labels = int8.equal_labels === undefined ? '' : ` and ${int8.equal_labels} of all labels equal`;
    throw new UserError(
      `int8 weights change this model too much: lowest cosine to float32 ${int8.lowest_cosine}${labels}, where ${int8Cosine}${labels === '' ? '' : ` and ${int8Labels}`} are needed. Use --precision fp32.`,
    );
  }
  rmSync(int8Path);
  return { precision: 'fp32', parity: { fp32, int8 }, probes, model: entry };
}

/** A small model gains nothing from int8. */
function settle(precision: Precision, config: BertConfig): Precision {
  const matrices = bertParameters(config).filter(
    ({ name, dims }) => dims.length === 2 && name.startsWith('encoder.'),
  );
  const parameters = matrices.reduce((sum, { dims }) => sum + dims[0] * dims[1], 0);
  return precision === 'auto' && parameters < int8Parameters ? 'fp32' : precision;
}

interface FileEntry {
  sha256: string;
  bytes: number;
}

function writeModel(model: EncodedModel, path: string): FileEntry {
  if (model.byteLength > maxModelBytes) {
    throw new UserError(
      `The model would take ${model.byteLength} bytes as ONNX, more than the ${maxModelBytes} that one file may have. Use a smaller model.`,
    );
  }
  const hash = createHash('sha256');
  const file = openSync(path, 'w');
  try {
    model.write((piece) => {
      hash.update(piece);
      for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    });
  } finally {
    closeSync(file);
  }
  return { sha256: hash.digest('hex'), bytes: model.byteLength };
}

// The folder -----------------------------------------------------------------------------------

/** Hugging Face's own settings, with what this conversion adds; sizes that have other names there, or none, included. */
function formatConfig(settings: unknown, config: BertConfig, conversion: Conversion): string {
  const labels = config.labels.map((label, i) => [String(i), label] as const);
  return `${JSON.stringify(
    {
      ...(settings as Readonly<Record<string, unknown>>),
      model_type: config.modelType,
      hidden_size: config.hidden,
      ...(labels.length === 0 ? {} : { id2label: Object.fromEntries(labels) }),
      scinertopic: conversion,
    },
    null,
    2,
  )}\n`;
}

function descriptionOf(
  config: BertConfig,
  recipe: VectorRecipe | null,
  adapters: readonly AdapterFolder[],
): string {
  const body = `${config.modelType}, ${config.layers} layers of ${config.hidden}, converted to ONNX`;
  if (recipe === null) return `${body}; one of ${config.labels.length} labels per token.`;
  const tasks = adapters.length === 0 ? '' : ` Adapters: ${adapters.map(({ task }) => task).join(', ')}.`;
  const length = recipe.normalize ? 'scaled to length 1' : 'as it is';
  return `${body}; ${recipe.pooling} pooling, ${length} (${recipe.origin}).${tasks}`;
}

/** From the model's own README, whose head the hub shows as the licence. */
function licenceOf(folder: string, given: string | undefined): { license?: string } {
  if (given !== undefined) return { license: given };
  const path = join(folder, 'README.md');
  if (!existsSync(path) || statSync(path).size > 1 << 22) return {};
  const head = /^---\r?\n([\s\S]*?)\r?\n---/.exec(readFileSync(path, 'utf8'))?.[1] ?? '';
  const license = /^license:\s*["']?([\w.+-]{1,100})/m.exec(head)?.[1];
  return license === undefined ? {} : { license };
}

async function describeFiles(aside: string, model: FileEntry): Promise<Record<string, FileEntry>> {
  const files: Record<string, FileEntry> = {};
  for (const name of readdirSync(aside).sort()) {
    const path = join(aside, name);
    files[name] = name === modelName ? model : { sha256: await fileSha256(path), bytes: statSync(path).size };
  }
  return files;
}

function refuseForeignFolder(out: string): void {
  if (!existsSync(out)) return;
  if (statSync(out).isDirectory() && (existsSync(join(out, 'card.json')) || readdirSync(out).length === 0)) {
    return;
  }
  throw new UserError(
    `Expected ${out} to be absent, empty or an earlier model, found other files there. Name another folder.`,
  );
}

/** An earlier model steps aside first, so that the place never holds half of one. */
function replaceFolder(aside: string, out: string): void {
  // Temporary folders are their owner's alone; a model is for everybody whom the umask lets in.
  chmodSync(aside, 0o777 & ~process.umask());
  const earlier = `${aside}-earlier`;
  if (existsSync(out)) renameSync(out, earlier);
  renameSync(aside, out);
  rmSync(earlier, { recursive: true, force: true });
}

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
