/** What the transformers bench runs in processes of their own: converting, encoding and tagging with a BERT. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { convertCheckpoint } from '../../pipeline/checkpoint/convert.ts';
import type { Float32Parity, Int8Parity } from '../../pipeline/checkpoint/parity.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { type BertTokenizer, openBertTokenizer } from '../../pipeline/model/bert-tokenizer.ts';
import { type EncoderDocument, openEncoder } from '../../pipeline/model/document-encoder.ts';
import { openTagger } from '../../pipeline/model/tagger.ts';
import { writeNumbers } from './float-file.ts';
import { createLanguage, paperOfAnyLength, paperOfTokens, papersOfAllLengths } from './generated-papers.ts';
import type { Precision } from './matrix-peak.ts';
import { type BertSize, writeRandomBert } from './random-bert.ts';
import { fingerprint, type Timing, timed } from './timing.ts';

export interface WriteJob {
  folder: string;
  size: BertSize;
  seed: number;
}

export async function writeBertTask({ folder, size, seed }: WriteJob): Promise<{ bytes: number }> {
  return { bytes: writeRandomBert(folder, size, seed) };
}

export interface ConvertJob {
  folder: string;
  out: string;
  precision: Precision;
}

export interface ConvertResult extends Timing {
  bytes: number;
  parity: { fp32: Float32Parity; int8?: Int8Parity };
}

export async function convertTask({ folder, out, precision }: ConvertJob): Promise<ConvertResult> {
  const { value: card, timing } = await timed(() => convertCheckpoint({ folder, out, precision }));
  const { parity } = card as typeof card & Pick<ConvertResult, 'parity'>;
  return { ...timing, bytes: statSync(join(out, 'model.onnx')).size, parity };
}

/** A model folder and the papers to run it on, which every task makes anew from the same seed. */
export interface PapersJob {
  model: string;
  /** Pieces of its vocabulary. */
  vocabulary: number;
  seed: number;
  threads: number;
}

export interface RateJob extends PapersJob {
  /** Tokens per document, [CLS] and two [SEP] included. */
  lengths: number[];
  /** Tokens per repeat, at least. */
  tokens: number;
  repeats: number;
}

export interface Rate {
  length: number;
  documents: number;
  /** One per repeat. */
  timings: Timing[];
  /** Of the vectors. */
  sha256: string;
}

/** Documents of one length after another through one session, tokenization included. */
export async function encodingRateTask(job: RateJob): Promise<Rate[]> {
  const { lengths, tokens, repeats, threads } = job;
  const encoder = await openEncoder(job.model, { threads });
  const rates: Rate[] = [];
  for (const length of lengths) {
    const documents = papersOfLength(job, length, Math.ceil(tokens / length));
    // A session plans its memory in the first run of each length.
    let vectors = await encoder.encode(documents.slice(0, 1));
    const timings: Timing[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const encoded = await timed(() => encoder.encode(documents));
      timings.push(encoded.timing);
      vectors = encoded.value;
    }
    rates.push({ length, documents: documents.length, timings, sha256: fingerprint(vectors) });
  }
  await encoder.close();
  return rates;
}

export interface DocumentsJob extends PapersJob {
  n: number;
  /** Where the vectors go. */
  vectors: string;
}

export interface DocumentsResult extends Timing {
  /** Opening the model. */
  open: Timing;
  documents: number;
  /** Special ones included, as many as the model reads. */
  tokens: number;
  truncated: number;
}

/** Papers of all lengths, from a title to more than the model reads. */
export async function encodePapersTask(job: DocumentsJob): Promise<DocumentsResult> {
  const documents = papersOfAllLengths(job, job.n);
  const opened = await timed(() => openEncoder(job.model, { threads: job.threads }));
  const encoder = opened.value;
  await encoder.encode(documents.slice(0, 1));
  let truncated = 0;
  const { value: vectors, timing } = await timed(() =>
    encoder.encode(documents, {
      onTruncated: () => {
        truncated++;
      },
    }),
  );
  writeNumbers(job.vectors, vectors);
  await encoder.close();
  const tokenizer = openBertTokenizer(job.model);
  const tokens = documents.reduce(
    (sum, paper) => sum + Math.min(encoder.maxTokens, idsOf(paper, tokenizer).length),
    0,
  );
  return { open: opened.timing, ...timing, documents: documents.length, tokens, truncated };
}

export interface TagResult extends Timing {
  documents: number;
  /** Pieces of all titles and abstracts. */
  tokens: number;
  entities: number;
}

export async function tagPapersTask(job: PapersJob & { n: number }): Promise<TagResult> {
  const papers = papersOfAllLengths(job, job.n);
  const texts = papers.flatMap(({ title, abstract }) => [title, abstract]);
  const tokenizer = openBertTokenizer(job.model);
  const tokens = texts.reduce((sum, text) => sum + tokenizer.encode(text).ids.length, 0);
  const tagger = await openTagger(job.model, { threads: job.threads });
  await tagger.tagTexts(texts.slice(0, 2));
  const { value: found, timing } = await timed(() => tagger.tagTexts(texts));
  await tagger.close();
  return { ...timing, documents: papers.length, tokens, entities: found.flat().length };
}

export interface WaysJob extends PapersJob {
  /** Worker threads; each opens the model for itself, with `threads` threads in its session. */
  workers: number;
  n: number;
  length: number;
}

/** The same documents through some workers at once, all opened before the clock starts. */
export async function workersTask(job: WaysJob): Promise<Timing & { documents: number }> {
  const documents = papersOfLength(job, job.length, job.n);
  const { model, threads } = job;
  const workers = Array.from(
    { length: job.workers },
    () => new Worker(new URL('encode-thread.js', import.meta.url), { workerData: { model, threads } }),
  );
  const send = (worker: Worker, share: readonly EncoderDocument[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.postMessage(share);
    });
  await Promise.all(workers.map((worker) => send(worker, documents.slice(0, 1))));
  const { timing } = await timed(() =>
    Promise.all(
      workers.map((worker, w) =>
        send(
          worker,
          documents.filter((_, i) => i % workers.length === w),
        ),
      ),
    ),
  );
  await Promise.all(workers.map((worker) => worker.terminate()));
  return { ...timing, documents: documents.length };
}

export interface GrowthJob extends PapersJob {
  /** Documents after which to look, ascending. */
  marks: number[];
}

/** Memory after a forced collection, in units of 10⁶ bytes. */
export interface Held {
  resident: number;
  /** JavaScript objects, the tokenizer's remembered words among them; part of the above. */
  heap: number;
}

/** @returns One per mark. */
export async function memoryGrowthTask(job: GrowthJob): Promise<Held[]> {
  const language = createLanguage(job.vocabulary);
  const random = createRandom(job.seed, 0x67726f77);
  const encoder = await openEncoder(job.model, { threads: job.threads });
  const collect = garbageCollector();
  const found: Held[] = [];
  let done = 0;
  for (const mark of job.marks) {
    while (done < mark) {
      const count = Math.min(64, mark - done);
      await encoder.encode(Array.from({ length: count }, () => paperOfAnyLength(language, random)));
      done += count;
    }
    // What one collection makes unreachable in native memory, the next gives back.
    for (let pass = 0; pass < 2; pass++) collect();
    const { rss, heapUsed } = process.memoryUsage();
    found.push({ resident: rss / 1e6, heap: heapUsed / 1e6 });
  }
  await encoder.close();
  return found;
}

export interface SequencesJob extends PapersJob {
  n: number;
  length: number;
  /** Where int32 [n × length] and float32 [n × d] go. */
  ids: string;
  vectors: string;
}

/** Ids for a peer that is to encode the same documents, and our vectors of them. */
export async function sequencesTask(job: SequencesJob): Promise<{ n: number }> {
  const documents = papersOfLength(job, job.length, job.n);
  const tokenizer = openBertTokenizer(job.model);
  writeNumbers(job.ids, Int32Array.from(documents.flatMap((paper) => idsOf(paper, tokenizer))));
  const encoder = await openEncoder(job.model, { threads: job.threads });
  writeNumbers(job.vectors, await encoder.encode(documents));
  await encoder.close();
  return { n: documents.length };
}

function papersOfLength(job: PapersJob, length: number, n: number): EncoderDocument[] {
  const language = createLanguage(job.vocabulary);
  const tokenizer = openBertTokenizer(job.model);
  const random = createRandom(job.seed, length);
  return Array.from({ length: n }, () => paperOfTokens(language, tokenizer, length, random));
}

/** As the encoder frames them. */
function idsOf({ title, abstract }: EncoderDocument, tokenizer: BertTokenizer): number[] {
  const { clsId, sepId } = tokenizer;
  return [clsId, ...tokenizer.encode(title).ids, sepId, ...tokenizer.encode(abstract).ids, sepId];
}

/** V8's own, which programs have only when they ask. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
