/** Opens a document-embedding model of any kind: titles and abstracts in, one vector per document out. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../errors.ts';
import { pause } from '../math/pause.ts';
import { openSession } from './session.ts';
import { createWordPiece, parseTokenizer, type WordPiece } from './word-piece.ts';

export interface EncoderDocument {
  title: string;
  abstract: string;
}

export interface DocumentEncoder {
  /** Numbers per document. */
  dimensions: number;
  /**
   * @returns Float32Array [n × dimensions], every row of length 1. A row depends on its document alone: it
   *   has the same bytes in any batch.
   * @throws Interrupted when the signal is raised.
   */
  encode(
    documents: readonly EncoderDocument[],
    options?: { signal?: AbortSignal; onProgress?: (done: number) => void },
  ): Promise<Float32Array>;
  close(): Promise<void>;
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
 * @param folder A model folder: model.onnx, config.json, tokenizer.json.
 * @throws UserError when a file is missing or is of a kind that is not served.
 */
export async function openEncoder(
  folder: string,
  { threads = 1 }: { threads?: number } = {},
): Promise<DocumentEncoder> {
  const kind = readModelType(folder);
  switch (kind) {
    case 'static':
      return openStaticEncoder(folder, threads);
    default:
      throw new UserError(
        `${join(folder, 'config.json')}: expected model_type "static", got ${JSON.stringify(kind)}. ` +
          'Other kinds of document encoders are not served by this version; use builtin:static.',
      );
  }
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

async function openStaticEncoder(folder: string, threads: number): Promise<DocumentEncoder> {
  const { config, wordPiece } = readStaticFolder(folder);
  const session = await openSession(join(folder, 'model.onnx'), { threads });
  const d = config.dimensions;
  const buffer = new Int32Array(config.max_tokens);
  return {
    dimensions: d,
    async encode(documents, { signal, onProgress } = {}) {
      const vectors = new Float32Array(documents.length * d);
      for (const [i, { title, abstract }] of documents.entries()) {
        // One document a run, unpadded: no other document can touch its sums.
        let length = wordPiece.encodeInto(abstract, buffer, wordPiece.encodeInto(title, buffer, 0));
        // A document without a word is one unknown word, so that it has a direction too.
        if (length === 0) buffer[length++] = wordPiece.unknownId;
        const result = await session.run({
          input_ids: { dims: [1, length], data: toInt64(buffer, length) },
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

/** The low halves of 64-bit numbers written directly: BigInt() for every token would cost more than the sum. */
function toInt64(ids: Int32Array, length: number): BigInt64Array {
  const wide = new BigInt64Array(length);
  const halves = new Int32Array(wide.buffer);
  const low = littleEndian ? 0 : 1;
  for (let t = 0; t < length; t++) halves[2 * t + low] = ids[t];
  return wide;
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

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
