/**
 * The kind of tagger that `train ner` makes: word vectors and spelling marks through gated convolutions. Looks
 * words up, lays sentences end to end and runs model.onnx, which holds the tables too.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../errors.ts';
import { openSession, requireDevice, type SessionOptions } from './session.ts';
import type { EmissionModel, TaggerConfig } from './tagger.ts';
import type { TensorValue } from './tensor.ts';
import { windowIndices } from './window.ts';
import { createWordLookup, marksPerWord } from './word-features.ts';

/** What config.json says beyond what all taggers share. */
const convolutionConfig = z.object({
  dilations: z.array(z.number().int().positive()),
  mark_buckets: z.number().int().positive(),
});

/** Names in model.onnx. */
export const wordRowsInput = 'word_rows';
export const markRowsInput = 'mark_rows';
export const neighboursInput = (dilation: number): string => `neighbours_${dilation}`;
export const emissionsOutput = 'emissions';

/**
 * A product of one row goes another way through onnxruntime, which adds up in another order: the last bits of
 * a token alone would differ from those of the same token in a batch. So there are always a few rows.
 */
const fewestRows = 4;
const filling = ['.', '.', '.', '.'];

export async function openConvolutionTagger(
  folder: string,
  config: TaggerConfig,
  { threads = 1, device = 'cpu' }: SessionOptions = {},
): Promise<EmissionModel> {
  const parsed = convolutionConfig.safeParse(config);
  if (!parsed.success) {
    throw new UserError(`tagger: ${join(folder, 'config.json')}: ${z.prettifyError(parsed.error)}`);
  }
  const { dilations, mark_buckets: buckets } = parsed.data;
  const vocabulary = readVocabulary(join(folder, 'vocab.txt'));
  const lookup = createWordLookup(vocabulary, vocabulary.size, buckets);
  // Its whole-number products have no counterpart on a graphics card.
  requireDevice(device);
  const session = await openSession(join(folder, 'model.onnx'), { threads });
  return {
    async emissions(given) {
      const tokens = given.reduce((sum, sentence) => sum + sentence.length, 0);
      if (tokens === 0) return new Float32Array(0);
      const sentences = tokens < fewestRows ? [...given, filling] : given;
      const { words, marks } = lookup.rows(sentences);
      const n = words.length;
      const lengths = sentences.map((sentence) => sentence.length);
      const feeds: Record<string, TensorValue> = {
        [wordRowsInput]: { dims: [n], data: words },
        [markRowsInput]: { dims: [n, marksPerWord], data: marks },
      };
      for (const dilation of new Set(dilations)) {
        feeds[neighboursInput(dilation)] = { dims: [n, 3], data: windowIndices(lengths, dilation) };
      }
      const results = await session.run(feeds);
      const { dims, data } = results[emissionsOutput];
      return (data as Float32Array).subarray(0, tokens * dims[1]);
    },
    close: () => session.close(),
  };
}

/** One word per line; the line's number is its row. */
export function readVocabulary(path: string): Map<string, number> {
  if (!existsSync(path)) throw new UserError(`tagger: expected the model's words in ${path}, found none.`);
  const words = readFileSync(path, 'utf8').split('\n');
  if (words.at(-1) === '') words.pop();
  return new Map(words.map((word, row) => [word, row]));
}
