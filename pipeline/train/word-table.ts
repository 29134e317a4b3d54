/** The word vectors that a tagger starts from: read from a file of them, or taken from a tagger made before. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { readVocabulary } from '../model/convolution-tagger.ts';
import { readModel } from '../model/onnx.ts';
import { readWordVectors } from '../model/word-vectors.ts';
import type { WordTable } from './network-feeds.ts';

/**
 * Words and their vectors, scaled so that their entries have a mean square of 1.
 *
 * @param path A file of word vectors, or the folder of a tagger.
 * @param maxWords Words kept, commonest first.
 * @throws UserError when there is nothing at the path, or no word vectors in it.
 */
export function readWordTable(path: string, maxWords: number): { words: string[]; table: WordTable } {
  if (!existsSync(path)) {
    throw new UserError(`train ner: expected word vectors or a tagger folder at ${path}, found nothing.`);
  }
  const fromFolder = existsSync(join(path, 'model.onnx'));
  const { words, d, values } = fromFolder ? vectorsOfTagger(path) : readWordVectors(path);
  const v = Math.min(words.length, maxWords);
  const kept = values.slice(0, v * d);
  let squares = 0;
  for (const value of kept) squares += value * value;
  const scale = Math.sqrt(squares / kept.length);
  for (let k = 0; k < kept.length; k++) kept[k] /= scale;
  return { words: words.slice(0, v), table: { d, values: kept } };
}

/** The vectors that a tagger made here carries, back to real numbers. */
function vectorsOfTagger(folder: string): { words: string[]; d: number; values: Float32Array } {
  const { initializers } = readModel(readFileSync(join(folder, 'model.onnx')));
  const numbers = initializers.get('words');
  const steps = initializers.get('words.steps');
  if (numbers === undefined || steps === undefined) {
    throw new UserError(
      `train ner: expected a tagger made by "train ner" in ${folder}; its model.onnx has no word vectors.`,
    );
  }
  const words = [...readVocabulary(join(folder, 'vocab.txt')).keys()];
  const d = numbers.dims[1];
  const values = Float32Array.from(
    { length: words.length * d },
    (_, k) => Number(numbers.data[k]) * Number(steps.data[Math.floor(k / d)]),
  );
  return { words, d, values };
}
