/**
 * Document vectors from a converted BERT encoder: one sequence a run, unpadded, so that no other document can
 * touch its sums. Pooling, adapters and normalising are in the graph.
 */

import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../errors.ts';
import { pause } from '../math/pause.ts';
import { type BertTokenizer, openBertTokenizer } from './bert-tokenizer.ts';
import {
  type Conversion,
  checkPrecision,
  idsInput,
  readConversion,
  taskInput,
  vectorOutput,
} from './converted-model.ts';
import type { DocumentEncoder, EncoderDocument } from './document-encoder.ts';
import { toInt64 } from './int64.ts';
import { openSession, type SessionOptions, type TensorValue } from './session.ts';

/**
 * @param config Content of the folder's config.json.
 * @param task One of the model's adapters; null where it has none.
 * @throws UserError when a file is missing or does not fit, or the folder holds no encoder.
 */
export async function openBertEncoder(
  folder: string,
  config: unknown,
  task: string | null,
  machine: SessionOptions,
): Promise<DocumentEncoder> {
  const path = join(folder, 'config.json');
  const conversion = readConversion(config, path);
  const sized = z.looseObject({ hidden_size: z.int().positive() }).safeParse(config);
  if (!sized.success) throw new UserError(`${path}: ${z.prettifyError(sized.error)}`);
  const d = sized.data.hidden_size;
  const maxTokens = conversion.max_tokens;
  const tokenizer = openBertTokenizer(folder);
  checkPrecision(conversion, machine.device ?? 'cpu', folder);
  const session = await openSession(join(folder, 'model.onnx'), machine);
  if (!session.outputs.includes(vectorOutput)) {
    await session.close();
    throw new UserError(
      `embed: expected a document encoder in ${folder}, found a model that gives ${session.outputs.join(', ')}. ` +
        'A model that labels tokens belongs into entities.model.',
    );
  }
  // 0 is the bare base.
  const taskIndex = task === null ? 0 : (conversion.tasks ?? []).indexOf(task) + 1;
  const feeds: Record<string, TensorValue> = session.inputs.includes(taskInput)
    ? { [taskInput]: { dims: [1], data: toInt64([taskIndex]) } }
    : {};

  return {
    dimensions: d,
    maxTokens,
    task,
    async encode(documents, { signal, onProgress, onTruncated } = {}) {
      const vectors = new Float32Array(documents.length * d);
      for (const [i, document] of documents.entries()) {
        const ids = documentIds(document, tokenizer, conversion);
        if (ids.length > maxTokens) {
          ids.length = maxTokens;
          ids[maxTokens - 1] = tokenizer.sepId;
          onTruncated?.(i);
        }
        const found = await session.run(
          { ...feeds, [idsInput]: { dims: [1, ids.length], data: toInt64(ids) } },
          [vectorOutput],
        );
        vectors.set(checkedVector(found[vectorOutput], d, folder), i * d);
        await pause(signal);
        onProgress?.(i + 1);
      }
      return vectors;
    },
    close: () => session.close(),
  };
}

/**
 * The whole document's ids, [CLS] and [SEP] included.
 *
 * With a separator an empty title or abstract leaves its place empty, as SPECTER2's own
 * `title + sep_token + (abstract or '')` does. As one text the two stand side by side with a space, as in
 * BEIR and MTEB, on which sentence-transformers models are compared.
 */
function documentIds(
  { title, abstract }: EncoderDocument,
  tokenizer: BertTokenizer,
  { join: joined = 'separator', prefix = '' }: Conversion,
): number[] {
  const { clsId, sepId } = tokenizer;
  if (joined === 'text') {
    return [clsId, ...tokenizer.encode(`${prefix}${`${title} ${abstract}`.trim()}`).ids, sepId];
  }
  return [clsId, ...tokenizer.encode(prefix + title).ids, sepId, ...tokenizer.encode(abstract).ids, sepId];
}

/** @throws UserError when the graph gives other numbers than the config promises, or none. */
function checkedVector({ data, dims }: TensorValue, d: number, folder: string): Float32Array {
  if (!(data instanceof Float32Array) || data.length !== d) {
    throw new UserError(
      `${folder}: expected ${d} float32 numbers per document as hidden_size in config.json says, got ${dims.join(' × ')}. Convert the model again.`,
    );
  }
  for (const value of data) {
    if (!Number.isFinite(value)) {
      throw new UserError(
        `${folder}: expected finite numbers, got ${value}: the model's weights are damaged.`,
      );
    }
  }
  return data;
}
