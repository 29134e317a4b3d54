/** What the model benches run in processes of their own: tagging, encoding and adapting on real papers. */

import { mkdirSync } from 'node:fs';
import { openEncoder } from '../../pipeline/model/document-encoder.ts';
import { resolveModel } from '../../pipeline/model/reference.ts';
import { openTagger, type TextEntity } from '../../pipeline/model/tagger.ts';
import { tokenize } from '../../pipeline/model/words.ts';
import { adaptEmbedder } from '../../pipeline/train/adapt.ts';
import { type Papers, readPapers } from './papers.ts';
import { fingerprint, type Timing, timed } from './timing.ts';

export interface ModelJob {
  /** JSON lines of papers, how many stand in it, and how many of them to take. */
  corpus: string;
  papers: number;
  n: number;
  model: string;
  threads: number;
}

export interface ModelResult {
  /** Opening the model. */
  open: Timing;
  work: Timing;
  documents: number;
  sha256: string;
}

/** Documents per call, as the pipeline's workers are given them. */
const batchSize = 64;

/** Sentence split, tokens, emissions, decoding and scores of titles and abstracts, as the entities stage does it. */
export async function tagTask(job: ModelJob): Promise<ModelResult & { tokens: number }> {
  const papers = await read(job);
  const texts = [...papers.title, ...papers.abstract];
  const tokens = texts.reduce((sum, text) => sum + tokenize(text).n, 0);
  const { folder } = resolveModel(job.model, process.cwd());
  const opened = await timed(() => openTagger(folder, { threads: job.threads }));
  // The first run of a session plans its memory.
  await opened.value.tagTexts(texts.slice(0, batchSize));
  const tagged = await timed(async () => {
    const found: TextEntity[][] = [];
    for (let from = 0; from < texts.length; from += batchSize) {
      found.push(...(await opened.value.tagTexts(texts.slice(from, from + batchSize))));
    }
    return found;
  });
  await opened.value.close();
  return {
    open: opened.timing,
    work: tagged.timing,
    documents: papers.title.length,
    tokens,
    sha256: fingerprint(Buffer.from(JSON.stringify(tagged.value))),
  };
}

export async function encodeTask(job: ModelJob): Promise<ModelResult & { d: number }> {
  const papers = await read(job);
  const { folder } = resolveModel(job.model, process.cwd());
  const opened = await timed(() => openEncoder(folder, { threads: job.threads }));
  const documents = papers.title.map((title, i) => ({ title, abstract: papers.abstract[i] }));
  await opened.value.encode(documents.slice(0, batchSize));
  const encoded = await timed(() => opened.value.encode(documents));
  await opened.value.close();
  return {
    open: opened.timing,
    work: encoded.timing,
    documents: documents.length,
    d: opened.value.dimensions,
    sha256: fingerprint(encoded.value),
  };
}

export interface AdaptJob extends ModelJob {
  seed: number;
  /** Where the adapted model goes. */
  out: string;
}

export async function adaptTask(job: AdaptJob): Promise<ModelResult> {
  const documents = await read(job);
  const base = await timed(() => resolveModel(job.model, process.cwd()).folder);
  mkdirSync(job.out, { recursive: true });
  const adapted = await timed(() =>
    adaptEmbedder({ base: base.value, documents, seed: job.seed, out: job.out }),
  );
  return {
    open: base.timing,
    work: adapted.timing,
    documents: documents.title.length,
    // The model's own hash is over all its files.
    sha256: adapted.value.hash.slice(0, 12),
  };
}

function read({ corpus, papers, n }: ModelJob): Promise<Papers> {
  return readPapers(corpus, papers, n);
}
