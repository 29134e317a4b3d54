/** Word vectors of a corpus of titles and abstracts, written as one file: what taggers are trained upon. */

import { UserError } from '../errors.ts';
import { pause } from '../math/pause.ts';
import { writeWordVectors } from '../model/word-vectors.ts';
import { tokenize, tokenTexts } from '../model/words.ts';
import { createCorpusEncoder, trainWordVectors } from './word-vectors.ts';

export interface CorpusWordVectors {
  documents: Iterable<{ title: string; abstract: string }>;
  /** File to write. */
  out: string;
  seed?: number;
  /** Numbers per word; a multiple of 16. */
  dimensions?: number;
  /** Passes over the corpus. */
  passes?: number;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/** What the shipped tagger's vectors were trained with. */
const wordVectorDefaults = { seed: 1, dimensions: 128, passes: 5 };
const vocabulary = { minCount: 5, maxWords: 120_000 };
/** word2vec's threshold for a corpus of this size: commoner words are thinned out. */
const subsampling = 1e-4;
/** Documents tokenized between two turns of the event loop. */
const documentsPerTurn = 1000;

/**
 * Equal documents and options give equal bytes.
 *
 * @returns Number of words.
 * @throws UserError when no word occurs often enough; Interrupted when the signal is raised.
 */
export async function trainCorpusWordVectors(options: CorpusWordVectors): Promise<number> {
  const { seed, dimensions, passes } = { ...wordVectorDefaults, ...options };
  const encoder = createCorpusEncoder();
  let read = 0;
  for (const { title, abstract } of options.documents) {
    if (++read % documentsPerTurn === 0) await pause(options.signal);
    for (const text of [title, abstract]) if (text !== '') encoder.add(tokenTexts(text, tokenize(text)));
  }
  const corpus = encoder.finish(vocabulary);
  if (corpus.words.length === 0) {
    throw new UserError(
      `train embedder: no word occurs ${vocabulary.minCount} times in this corpus; give more text.`,
    );
  }
  const vectors = await trainWordVectors(corpus, {
    dimensions,
    passes,
    seed,
    subsampling,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  writeWordVectors(options.out, vectors);
  return corpus.words.length;
}
