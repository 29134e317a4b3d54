/** What programs import from 'scinertopic': the kernels, the models, the store and the job itself. */

import { resolve } from 'node:path';
import * as z from 'zod';
import { UserError } from './errors.ts';
import { shown } from './library/check-arguments.ts';
import { type Aggregation, aggregations } from './model/aggregation.ts';
import { type DocumentEncoder, type EncoderDocument, openEncoder } from './model/document-encoder.ts';
import type { Device } from './model/session.ts';
import { openTagger, type Tagger } from './model/tagger.ts';
import { modelPlaces, type Precision, provideModel } from './provide-model.ts';
import { openForReading, type Store } from './store/open.ts';

export { Interrupted, UserError } from './errors.ts';
export {
  type ClassText,
  type ClassTfIdfOptions,
  type CountClassTermsOptions,
  classTfIdf,
  countClassTerms,
} from './library/class-terms.ts';
export {
  allPointsMembershipVectors,
  approximatePredict,
  fitHdbscan,
  fitHdbscanAsync,
  type HdbscanOptions,
  hdbscan,
  hdbscanAsync,
  membershipVectors,
  type Points,
} from './library/hdbscan.ts';
export { type NearestNeighborsOptions, nearestNeighbors } from './library/neighbors.ts';
export { runPipeline } from './library/pipeline.ts';
export type { ProgressListener } from './library/progress.ts';
export {
  fitUmap,
  type UmapModel,
  type UmapOptions,
  type UmapResult,
  type UmapTransformOptions,
  umap,
  umapTransform,
} from './library/umap.ts';
export type { Predictions } from './math/approximate-predict.ts';
export type { CountedClassTerms } from './math/class-terms.ts';
export type { ClassTermCounts } from './math/class-tf-idf.ts';
export type { Metric } from './math/distance.ts';
export type { HdbscanModel, HdbscanResult } from './math/hdbscan.ts';
export type { Neighbors } from './math/nearest-neighbors.ts';
export type { UmapPart } from './math/umap.ts';
export type { Aggregation } from './model/aggregation.ts';
export type { SearchChoice } from './model/neighbor-search.ts';
export type { Device } from './model/session.ts';
export type { Precision } from './provide-model.ts';
export type { Reporter, RunOptions, RunSummary } from './run.ts';
export type { DocumentEncoder, EncoderDocument, Tagger };

/** How a model is found and run. */
export interface ModelOptions {
  /** Threads within one run of the network. */
  threads?: number;
  device?: Device;
  /** Weights of a model from the hub; int8 where the check against fp32 passes, when left out. */
  precision?: Precision;
  /** Folder for models from the hub; the standard one when left out. */
  modelCache?: string;
}

const modelOptions = {
  threads: z.int().min(1).optional(),
  device: z.enum(['cpu', 'cuda']).optional(),
  precision: z.enum(['auto', 'int8', 'fp32']).optional(),
  modelCache: z.string().min(1).optional(),
};
const taggerOptions = z.strictObject({ ...modelOptions, aggregation: z.enum(aggregations).optional() });
const encoderOptions = z.strictObject({ ...modelOptions, task: z.string().optional() });

/**
 * Opens a tagger; one from the hub is fetched on first use.
 *
 * @param reference `builtin:science`, `hf:owner/name[@revision]` or a model folder.
 * @throws UserError when there is no such model, it is no tagger, or an option is none that it has.
 */
export async function loadTagger(
  reference: string,
  options: ModelOptions & { aggregation?: Aggregation } = {},
): Promise<Tagger> {
  checkArguments('loadTagger', reference, taggerOptions, options);
  const tagger = await openTagger(await folderOf(reference, options), options);
  return {
    ...tagger,
    tagText: async (text) => tagger.tagText(checkedText(text, 'tagText: expected a text')),
    tagTexts: async (texts) =>
      tagger.tagTexts(texts.map((text, i) => checkedText(text, `tagTexts: expected text ${i} to be a text`))),
  };
}

/**
 * Opens a document encoder; one from the hub is fetched on first use.
 *
 * @param reference `builtin:static`, `hf:owner/name[@revision]` or a model folder.
 * @param options.task Adapter, of models that have adapters.
 * @throws UserError when there is no such model, it is no encoder, it has no such adapter, or an option is
 *   none that it has.
 */
export async function loadEncoder(
  reference: string,
  options: ModelOptions & { task?: string } = {},
): Promise<DocumentEncoder> {
  checkArguments('loadEncoder', reference, encoderOptions, options);
  const encoder = await openEncoder(await folderOf(reference, options), options);
  return {
    ...encoder,
    encode: async (documents, given) => encoder.encode(documents.map(checkedDocument), given),
  };
}

/** Programs in plain JavaScript have no types to tell them. */
function checkArguments(name: string, reference: unknown, schema: z.ZodType, options: unknown): void {
  if (typeof reference !== 'string') {
    throw new UserError(
      `${name}: expected a model reference (builtin:NAME, hf:owner/name or a folder), got ${typeof reference}.`,
    );
  }
  const parsed = schema.safeParse(options);
  if (!parsed.success) throw new UserError(`${name}: ${z.prettifyError(parsed.error)}`);
}

/** A document without a title or an abstract has an empty one. */
function checkedDocument({ title, abstract }: Partial<EncoderDocument>, i: number): EncoderDocument {
  return {
    title: checkedText(title ?? '', `encode: expected the title of document ${i} to be a text`),
    abstract: checkedText(abstract ?? '', `encode: expected the abstract of document ${i} to be a text`),
  };
}

function checkedText(text: unknown, expected: string): string {
  if (typeof text === 'string') return text;
  throw new UserError(`${expected}, got ${text === null ? 'null' : typeof text}.`);
}

async function folderOf(reference: string, { precision, modelCache }: ModelOptions): Promise<string> {
  const places = modelPlaces(process.cwd(), modelCache);
  return (await provideModel(reference, places, precision === undefined ? {} : { precision })).folder;
}

/** A pipeline's database, for reading. */
export interface OpenStore {
  /** Rows of a query over the public views, as objects. */
  query(sql: string, ...parameters: (string | number | null)[]): Record<string, unknown>[];
  /** The same, one row at a time. */
  iterate(sql: string, ...parameters: (string | number | null)[]): IterableIterator<Record<string, unknown>>;
  close(): void;
}

/**
 * Opens a pipeline's database for reading.
 *
 * @throws UserError when it does not exist or is not a database of this program.
 */
export function openStore(path: string): OpenStore {
  if (typeof path !== 'string') {
    throw new TypeError(`openStore: expected the path of a database, got ${shown(path)}.`);
  }
  const store: Store = openForReading(resolve(path));
  return {
    query: (sql, ...parameters) => store.prepare(sql).all(...parameters) as Record<string, unknown>[],
    iterate: (sql, ...parameters) =>
      store.prepare(sql).iterate(...parameters) as IterableIterator<Record<string, unknown>>,
    close: () => store.close(),
  };
}
