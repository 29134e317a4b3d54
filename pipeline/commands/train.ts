/** `scinertopic train`: a tagger from labelled sentences; word vectors and a document embedder from a corpus. */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { resolveModel } from '../model/reference.ts';
import { trainCorpusWordVectors } from '../train/corpus-word-vectors.ts';
import { trainEmbedder } from '../train/document-embedder.ts';
import { type NerTraining, trainNer } from '../train/train-ner.ts';
import { type Console, count, duration } from './console.ts';
import { readJsonLines, textOf } from './json-lines.ts';

export interface TrainTaggerArguments {
  data: string;
  out: string;
  words: string;
  maxWords?: number;
  pretrain?: string;
  unlabelled: string[];
  unlabelledSentences?: number;
  maskedSentences?: number;
  ensemble?: number;
  epochs?: number;
  distilEpochs?: number;
  seed?: number;
  name?: string;
  description?: string;
}

/** Between two lines of progress. */
const intervalSeconds = 5;

export async function trainTaggerCommand(
  given: TrainTaggerArguments,
  console: Console,
  signal: AbortSignal,
): Promise<void> {
  const began = performance.now();
  let last = 0;
  const { words, name, description, ...rest } = given;
  const training: NerTraining = {
    ...rest,
    wordVectors: wordVectorsOf(words),
    card: { ...(name === undefined ? {} : { name }), ...(description === undefined ? {} : { description }) },
    signal,
    onProgress: (progress) => {
      const now = performance.now();
      if (progress.score === undefined && now - last < intervalSeconds * 1000) return;
      last = now;
      const dev = progress.score === undefined ? '' : `, dev F1 ${progress.score.toFixed(4)}`;
      console.say(
        `${progress.step}: epoch ${progress.epoch} of ${progress.epochs}, ${count(progress.sentencesDone)} of ` +
          `${count(progress.sentences)} sentences, loss ${progress.loss.toFixed(3)}${dev}`,
      );
    },
  };
  const result = await trainNer(training);
  const seconds = (performance.now() - began) / 1000;
  if (result.ensemble.length > 1) {
    console.out(`Members' dev F1: ${result.ensemble.map((f1) => f1.toFixed(4)).join(', ')}`);
  }
  if (result.dev !== null) console.out(`Dev F1 as written: ${result.dev.f1.toFixed(4)}`);
  console.out(`Tagger in ${result.folder}, ${duration(seconds)}. Use it as entities.model: ${result.folder}`);
}

/** A file of word vectors, or a tagger (by reference or folder) whose vectors are taken. */
function wordVectorsOf(words: string): string {
  return words.startsWith('builtin:') ? resolveModel(words, process.cwd()).folder : resolve(words);
}

export interface TrainEmbedderArguments {
  corpus: string[];
  out: string;
  seed?: number;
  dimensions?: number;
  vocabulary?: number;
  passes?: number;
  name?: string;
  description?: string;
}

export async function trainEmbedderCommand(
  given: TrainEmbedderArguments,
  console: Console,
  signal: AbortSignal,
): Promise<void> {
  const began = performance.now();
  const documents: { title: string; abstract: string }[] = [];
  for (const path of given.corpus) {
    if (!existsSync(path)) throw new UserError(`There is no file ${path}.`);
    for await (const { value } of readJsonLines(path)) {
      documents.push({ title: textOf(value.title), abstract: textOf(value.abstract) });
    }
  }
  console.say(`${count(documents.length)} documents read`);
  let last = 0;
  const say = (text: () => string): void => {
    const now = performance.now();
    if (now - last < intervalSeconds * 1000) return;
    last = now;
    console.say(text());
  };
  const { name, description, seed, dimensions, vocabulary, passes, out } = given;
  const result = await trainEmbedder({
    documents,
    out,
    signal,
    ...(seed === undefined ? {} : { seed }),
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(vocabulary === undefined ? {} : { vocabularySize: vocabulary }),
    ...(passes === undefined ? {} : { passes }),
    card: { ...(name === undefined ? {} : { name }), ...(description === undefined ? {} : { description }) },
    onProgress: ({ step, done, total, loss }) =>
      say(
        () =>
          `embedder, ${step}: ${count(done)} of ${count(total)}${loss === undefined ? '' : `, loss ${loss.toFixed(3)}`}`,
      ),
  });
  const vectors = join(out, 'words.vectors');
  const words = await trainCorpusWordVectors({
    documents,
    out: vectors,
    ...(seed === undefined ? {} : { seed }),
    signal,
    onProgress: (done, total) => say(() => `word vectors: ${count(done)} of ${count(total)} words`),
  });
  const seconds = (performance.now() - began) / 1000;
  console.out(
    `Embedder in ${result.folder}, ${count(words)} word vectors in ${vectors}, ${duration(seconds)}.`,
  );
}
