/**
 * Adapts the shipped static embedder to a corpus: its vocabulary takes in the corpus's own words, its rows
 * are trained further on the corpus's titles and abstracts, and singular vectors of the corpus's TF-IDF
 * matrix are put beside them.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '../math/random.ts';
import type { SparseRows } from '../math/sparse.ts';
import { countTerms, inverseDocumentFrequency, weightTerms } from '../math/tf-idf.ts';
import { truncatedSvd } from '../math/truncated-svd.ts';
import { readCard } from '../model/card.ts';
import { readStaticFolder, type StaticConfig } from '../model/document-encoder.ts';
import {
  decodeStaticModel,
  encodeStaticModel,
  quantizeTable,
  restoreTable,
} from '../model/static-encoder.ts';
import { createWordPiece, eachWord, formatTokenizer, type WordPiece } from '../model/word-piece.ts';
import { type ContrastiveSettings, trainContrastive } from './contrastive.ts';
import { writeModelFolder } from './model-folder.ts';
import { type TextColumns, type TokenCorpus, tokenizeCorpus } from './token-corpus.ts';

export interface AdaptOptions {
  /** Folder of the shipped embedder. */
  base: string;
  /** The corpus; row i of both columns is document i. */
  documents: TextColumns;
  seed: number;
  /** Where the adapted model's folder goes; made when absent. */
  out: string;
  signal?: AbortSignal;
  /** Work done of a total, in no unit. */
  onProgress?: (done: number, total: number) => void;
}

/** Fewer documents than this say too little about a corpus to train on. */
export const minAdaptDocuments = 20;

/** Numbers per document of the corpus part. */
const corpusDimensions = 256;
/** What is read of a larger corpus: a sample of so many documents keeps adapting within a minute. */
const maxDocuments = 50_000;
/** Document visits of the further training, at most: passes over a large corpus are fewer. */
const maxVisits = 300_000;
const passes = 20;
/** Words and terms of fewer documents say nothing about which documents are alike. */
const minWordDocuments = 2;
const minTermDocuments = 2;
/** What the corpus part counts: whole words, and first pieces of rare ones. */
const wordPattern = /^\p{L}{2}/u;
const maxNewWords = 20_000;

const adaptSettings: Omit<ContrastiveSettings, 'passes' | 'seed'> = {
  batchSize: 2048,
  rate: 0.006,
  finalRate: 0,
  temperature: 0.1,
  titleShare: 0.5,
  dropout: 0.5,
};

/**
 * Equal corpus, seed and base give equal bytes.
 *
 * @returns The new model's folder, named by its hash, and the hash.
 * @throws Interrupted when the signal is raised; nothing is left behind then.
 */
export async function adaptEmbedder(options: AdaptOptions): Promise<{ folder: string; hash: string }> {
  const { base, seed, signal, onProgress } = options;
  const { config, wordPiece: baseWordPiece } = readStaticFolder(base);
  const [basePart] = decodeStaticModel(readFileSync(join(base, 'model.onnx')));
  const documents = sample(options.documents, seed);
  const n = documents.title.length;

  const wordPiece = createWordPiece([
    ...baseWordPiece.vocabulary,
    ...newWords(documents, baseWordPiece.vocabulary),
  ]);
  const table = extendTable(restoreTable(basePart), basePart.d, baseWordPiece, wordPiece);
  const corpus = tokenizeCorpus(documents, wordPiece, config.max_tokens);

  await trainContrastive({
    corpus,
    table,
    d: basePart.d,
    settings: { ...adaptSettings, passes: Math.max(1, Math.min(passes, Math.floor(maxVisits / n))), seed },
    signal,
    // The corpus part takes about a third of the whole time.
    onStep: (done, total) => onProgress?.(done, Math.ceil(total * 1.5)),
  });
  const corpusTable = await corpusPart(corpus, wordPiece, seed, signal);

  const parts = [quantizeTable(table, basePart.d), quantizeTable(corpusTable, corpusDimensions)];
  const adaptedConfig: StaticConfig = { ...config, dimensions: basePart.d + corpusDimensions };
  const baseCard = readCard(base);
  return writeModelFolder(
    options.out,
    {
      'model.onnx': encodeStaticModel(parts),
      'tokenizer.json': formatTokenizer(wordPiece.vocabulary, config.max_tokens),
      'config.json': `${JSON.stringify(adaptedConfig, null, 2)}\n`,
    },
    {
      name: `${baseCard.name}, adapted`,
      task: 'document-embedding',
      description: `${baseCard.name} trained further on ${n} documents of one corpus, beside ${corpusDimensions} singular vectors of that corpus.`,
      base: baseCard.files,
      documents: n,
      seed,
    },
  );
}

/** The documents themselves, or a sample of them in their own order. */
function sample(documents: TextColumns, seed: number): TextColumns {
  const n = documents.title.length;
  if (n <= maxDocuments) return documents;
  const random = createRandom(seed, 0x5a3b1e);
  const title: string[] = [];
  const abstract: string[] = [];
  for (let i = 0; i < n; i++) {
    // Selection sampling (Knuth, algorithm 3.4.2 S): exactly maxDocuments, each subset equally likely.
    if (random.nextFloat() * (n - i) >= maxDocuments - title.length) continue;
    title.push(documents.title[i]);
    abstract.push(documents.abstract[i]);
  }
  return { title, abstract };
}

/** Words of the corpus that the vocabulary has in pieces only, by the number of documents that have them. */
function newWords(documents: TextColumns, vocabulary: readonly string[]): string[] {
  const known = new Set(vocabulary);
  const found = new Map<string, { documents: number; last: number }>();
  for (let i = 0; i < documents.title.length; i++) {
    const count = (word: string): boolean => {
      if (word.length < 3 || known.has(word) || !/\p{L}/u.test(word)) return true;
      const entry = found.get(word);
      if (entry === undefined) found.set(word, { documents: 1, last: i });
      else if (entry.last !== i) {
        entry.documents++;
        entry.last = i;
      }
      return true;
    };
    eachWord(documents.title[i], count);
    eachWord(documents.abstract[i], count);
  }
  return [...found]
    .filter(([, entry]) => entry.documents >= minWordDocuments)
    .sort((a, b) => b[1].documents - a[1].documents || (a[0] < b[0] ? -1 : 1))
    .slice(0, maxNewWords)
    .map(([word]) => word);
}

/** A new word starts as the sum of its pieces: every document keeps the vector it had. */
function extendTable(
  table: Float32Array,
  d: number,
  baseWordPiece: WordPiece,
  wordPiece: WordPiece,
): Float32Array {
  const { vocabulary } = wordPiece;
  const extended = new Float32Array(vocabulary.length * d);
  extended.set(table);
  for (let id = baseWordPiece.vocabulary.length; id < vocabulary.length; id++) {
    for (const piece of baseWordPiece.encode(vocabulary[id])) {
      for (let j = 0; j < d; j++) extended[id * d + j] += table[piece * d + j];
    }
  }
  return extended;
}

/** Rows whose weighted sum is the document's place in the corpus's latent semantic space. */
async function corpusPart(
  corpus: TokenCorpus,
  wordPiece: WordPiece,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const v = wordPiece.vocabulary.length;
  const starts = Int32Array.from({ length: corpus.n + 1 }, (_, i) => corpus.starts[2 * i]);
  const counts = countTerms(corpus.ids, starts, v);
  const idf = inverseDocumentFrequency(counts, v, minTermDocuments);
  // Numbers, signs and ends of words would only add noise to what documents are about.
  for (let term = 0; term < v; term++) if (!wordPattern.test(wordPiece.vocabulary[term])) idf[term] = 0;

  const { matrix, terms } = keepTerms(weightTerms(counts, idf), idf);
  const k = corpusDimensions;
  const random = createRandom(seed, 0x7d1c);
  const { components } = await truncatedSvd(matrix, terms.length, { k, random, signal });
  const rows = new Float32Array(v * k);
  for (const [at, term] of terms.entries()) {
    for (let j = 0; j < k; j++) rows[term * k + j] = idf[term] * components[at * k + j];
  }
  return rows;
}

/** The columns of terms that count, numbered anew: most of a vocabulary does not occur in a corpus. */
function keepTerms(rows: SparseRows, idf: Float32Array): { matrix: SparseRows; terms: number[] } {
  const terms: number[] = [];
  const columnOf = new Int32Array(idf.length).fill(-1);
  for (let term = 0; term < idf.length; term++) if (idf[term] > 0) columnOf[term] = terms.push(term) - 1;
  const offsets = new Int32Array(rows.n + 1);
  const columns: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < rows.n; i++) {
    for (let k = rows.offsets[i]; k < rows.offsets[i + 1]; k++) {
      if (columnOf[rows.columns[k]] < 0) continue;
      columns.push(columnOf[rows.columns[k]]);
      values.push(rows.values[k]);
    }
    offsets[i + 1] = columns.length;
  }
  const matrix = {
    n: rows.n,
    offsets,
    columns: Int32Array.from(columns),
    values: Float32Array.from(values),
  };
  return { matrix, terms };
}
