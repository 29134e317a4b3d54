/** Opens a document-embedding model of any kind: titles and abstracts in, one vector per document out. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../errors.ts';
import { pause } from '../math/pause.ts';
import { openBertEncoder } from './bert-encoder.ts';
import { isConverted, readConversion } from './converted-model.ts';
import { toInt64 } from './int64.ts';
import { openSession, requireDevice, type SessionOptions } from './session.ts';
import { createWordPiece, parseTokenizer, type WordPiece } from './word-piece.ts';

export interface EncoderDocument {
  title: string;
  abstract: string;
}

export interface EncodeOptions {
  signal?: AbortSignal;
  onProgress?: (done: number) => void;
  /** Told of each document, by its index, that is longer than `maxTokens` and was cut. */
  onTruncated?: (document: number) => void;
}

export interface DocumentEncoder {
  /** Numbers per document. */
  dimensions: number;
  /** Tokens of a document that count, the model's own marks included; the rest is cut. */
  maxTokens: number;
  /** The adapter in use; null for a model that has none. */
  task: string | null;
  /**
   * @returns Float32Array [n × dimensions], as the model gives them: of length 1 from the static encoder and
   *   from models that normalise, of any length from others (SPECTER2 is one). A row depends on its document
   *   alone: it has the same bytes in any batch.
   * @throws Interrupted when the signal is raised.
   */
  encode(documents: readonly EncoderDocument[], options?: EncodeOptions): Promise<Float32Array>;
  close(): Promise<void>;
}

export interface EncoderOptions extends SessionOptions {
  /** Adapter of a model that has some; see chooseTask. */
  task?: string | undefined;
}

/** config.json of the static encoder. */
const staticConfigSchema = z.object({
  model_type: z.literal('static'),
  /** Numbers per document. */
  dimensions: z.int().positive(),
  /** Tokens of title and abstract together that count; the rest is cut. */
  max_tokens: z.int().positive(),
});
export type StaticConfig = z.infer<typeof staticConfigSchema>;

/**
 * @param folder A model folder: model.onnx, config.json, tokenizer.json or vocab.txt.
 * @throws UserError when a file is missing or is of a kind that is not served, or the task does not fit.
 */
export async function openEncoder(
  folder: string,
  { task: wanted, ...machine }: EncoderOptions = {},
): Promise<DocumentEncoder> {
  const config = readConfig(folder);
  const task = chooseTask(folder, wanted);
  if (isConverted(config)) return openBertEncoder(folder, config, task, machine);
  const kind = readModelType(folder);
  if (kind === 'static') return openStaticEncoder(folder, machine);
  throw new UserError(
    `${join(folder, 'config.json')}: expected model_type "static" or a converted model, got ${JSON.stringify(kind)}. ` +
      'Use builtin:static, or convert this model with "models convert".',
  );
}

/** Used where a model has several adapters and no task was named: SPECTER2's own default, for finding like papers. */
const defaultTask = 'proximity';

/**
 * The adapter that a model will use. A model with adapters is never run without one: SPECTER2's bare base is
 * a start for training, and its vectors are poor.
 *
 * @param wanted Name of an adapter; undefined for the model's default.
 * @param name What errors call the model.
 * @returns null for a model without adapters.
 * @throws UserError when the model has no such adapter, or has several and none is its default.
 */
export function chooseTask(
  folder: string,
  wanted: string | undefined,
  name = `the model in ${folder}`,
): string | null {
  const config = readConfig(folder);
  const tasks = isConverted(config) ? (readConversion(config, join(folder, 'config.json')).tasks ?? []) : [];
  if (tasks.length === 0) {
    if (wanted === undefined) return null;
    throw new UserError(
      `Expected no task for ${name}, which has no adapters, got "${wanted}". Leave the task out.`,
    );
  }
  const task = wanted ?? (tasks.length === 1 ? tasks[0] : defaultTask);
  if (tasks.includes(task)) return task;
  throw new UserError(
    `Expected a task that ${name} has an adapter for (${tasks.join(', ')}), got ${
      wanted === undefined ? 'none' : `"${wanted}"`
    }. Name one of these.`,
  );
}

/** What config.json gives as model_type; undefined when it gives none. */
export function readModelType(folder: string): string | undefined {
  return z.looseObject({ model_type: z.string() }).safeParse(readConfig(folder)).data?.model_type;
}

/**
 * Vocabulary and settings of a static encoder's folder.
 *
 * @throws UserError when a file is missing or is of another kind.
 */
export function readStaticFolder(folder: string): { config: StaticConfig; wordPiece: WordPiece } {
  const config = staticConfigSchema.safeParse(readConfig(folder));
  if (!config.success) {
    throw new UserError(`${join(folder, 'config.json')}: ${z.prettifyError(config.error)}`);
  }
  const path = join(folder, 'tokenizer.json');
  return {
    config: config.data,
    wordPiece: createWordPiece(parseTokenizer(readModelFile(path), path)),
  };
}

async function openStaticEncoder(
  folder: string,
  { threads = 1, device = 'cpu' }: SessionOptions,
): Promise<DocumentEncoder> {
  // A sum of some vectors is done before a graphics card has been asked.
  requireDevice(device);
  const { config, wordPiece } = readStaticFolder(folder);
  const session = await openSession(join(folder, 'model.onnx'), { threads });
  const d = config.dimensions;
  const maxTokens = config.max_tokens;
  // One more than counts, to see whether there is one more.
  const buffer = new Int32Array(maxTokens + 1);
  return {
    dimensions: d,
    maxTokens,
    task: null,
    async encode(documents, { signal, onProgress, onTruncated } = {}) {
      const vectors = new Float32Array(documents.length * d);
      for (const [i, { title, abstract }] of documents.entries()) {
        // One document a run, unpadded: no other document can touch its sums.
        let length = wordPiece.encodeInto(abstract, buffer, wordPiece.encodeInto(title, buffer, 0));
        // A document without a word is one unknown word, so that it has a direction too.
        if (length === 0) buffer[length++] = wordPiece.unknownId;
        if (length > maxTokens) {
          length = maxTokens;
          onTruncated?.(i);
        }
        const result = await session.run({
          input_ids: { dims: [1, length], data: toInt64(buffer.subarray(0, length)) },
        });
        const row = result.vectors.data;
        if (!(row instanceof Float32Array) || row.length !== d) {
          throw new UserError(
            `${folder}: expected ${d} float32 numbers per document as config.json says, got ${row.length}. Restore the model's folder.`,
          );
        }
        vectors.set(row, i * d);
        if (i % 64 === 63) {
          await pause(signal);
          onProgress?.(i + 1);
        }
      }
      return vectors;
    },
    close: () => session.close(),
  };
}

function readConfig(folder: string): unknown {
  const path = join(folder, 'config.json');
  try {
    return JSON.parse(readModelFile(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function readModelFile(path: string): string {
  if (!existsSync(path)) throw new UserError(`model: expected a file at ${path}, found none.`);
  return readFileSync(path, 'utf8');
}
