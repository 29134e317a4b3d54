/** Trains the static document embedder on titles and abstracts: vocabulary, rows, model folder. */

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { createRandom } from '../math/random.ts';
import { encodeStaticModel, quantizeTable } from '../model/static-encoder.ts';
import { createWordPiece, formatTokenizer } from '../model/word-piece.ts';
import { type ContrastiveSettings, trainContrastive } from './contrastive.ts';
import { replaceModelFolder } from './model-folder.ts';
import { tokenizeCorpus } from './token-corpus.ts';
import { learnVocabulary, WordCounter } from './word-piece-vocabulary.ts';

export interface TrainEmbedderOptions {
  documents: Iterable<{ title: string; abstract: string }>;
  /** Model folder to write; a state file lies in it while training runs, to be resumed from. */
  out: string;
  seed?: number;
  /** Numbers per document; a multiple of 16. */
  dimensions?: number;
  /** Rows at most. */
  vocabularySize?: number;
  /** Passes over the documents. */
  passes?: number;
  /** What the card says beside what training knows: name, training data, command, scores, licences. */
  card?: { name?: string } & Record<string, unknown>;
  signal?: AbortSignal;
  onProgress?: (progress: EmbedderProgress) => void;
}

export interface EmbedderProgress {
  step: 'vocabulary' | 'tokens' | 'training';
  done: number;
  total: number;
  /** Mean over the batch, in nats; while training. */
  loss?: number;
}

const embedderDefaults = { seed: 42, dimensions: 256, vocabularySize: 30_000, passes: 10 };

/** What trains the shipped model. Chosen on held-out arXiv and ACL papers; see the card. */
const trainSettings: Omit<ContrastiveSettings, 'passes' | 'seed'> = {
  batchSize: 2048,
  rate: 0.01,
  finalRate: 0,
  temperature: 0.1,
  titleShare: 0.5,
  dropout: 0.25,
};

/** Spread of the rows at the start: small beside what training makes of them, so that chance is forgotten. */
const startSpread = 0.1;
const maxTokens = 512;
const minDocuments = 2;

/**
 * Equal documents, options and machine type give equal bytes.
 *
 * @throws UserError when there are too few documents.
 * @throws Interrupted when the signal is raised; the same call resumes after the last whole pass.
 */
export async function trainEmbedder(
  options: TrainEmbedderOptions,
): Promise<{ folder: string; hash: string }> {
  const { out, signal, onProgress } = options;
  const { seed, dimensions: d, vocabularySize, passes } = { ...embedderDefaults, ...options };

  const documents = { title: [] as string[], abstract: [] as string[] };
  const counter = new WordCounter();
  for (const { title, abstract } of options.documents) {
    documents.title.push(title);
    documents.abstract.push(abstract);
    counter.add(title);
    counter.add(abstract);
  }
  const n = documents.title.length;
  if (n < minDocuments) throw new UserError(`train: expected at least ${minDocuments} documents, got ${n}.`);
  onProgress?.({ step: 'vocabulary', done: n, total: n });
  const wordPiece = createWordPiece(learnVocabulary(counter.counts, { size: vocabularySize }));
  const corpus = tokenizeCorpus(documents, wordPiece, maxTokens);
  onProgress?.({ step: 'tokens', done: corpus.ids.length, total: corpus.ids.length });

  const v = wordPiece.vocabulary.length;
  const random = createRandom(seed);
  const table = Float32Array.from({ length: v * d }, () => random.nextNormal() * startSpread);
  // The padding token must add nothing.
  table.fill(0, 0, d);
  mkdirSync(out, { recursive: true });
  const checkpoint = join(out, 'training.state');
  await trainContrastive({
    corpus,
    table,
    d,
    settings: { ...trainSettings, passes, seed },
    signal,
    checkpoint,
    onStep: (done, total, loss) => onProgress?.({ step: 'training', done, total, loss }),
  });

  const model = replaceModelFolder(
    out,
    {
      'model.onnx': encodeStaticModel([quantizeTable(table, d)]),
      'tokenizer.json': formatTokenizer(wordPiece.vocabulary, maxTokens),
      'config.json': `${JSON.stringify({ model_type: 'static', dimensions: d, max_tokens: maxTokens }, null, 2)}\n`,
    },
    {
      name: 'static',
      description:
        `Document vectors from titles and abstracts: ${v} token rows in ${d} dimensions, 8 bits each, summed; ` +
        'trained so that a title finds its abstract and one part of an abstract the other.',
      ...options.card,
      task: 'document-embedding',
      training: { documents: n, seed, passes, ...trainSettings },
    },
  );
  rmSync(checkpoint, { force: true });
  return { folder: out, hash: model.hash };
}
