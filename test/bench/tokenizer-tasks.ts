/** What the tokenizer bench runs in processes of their own: real papers to ids, ours and the plain library. */

import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { openBertTokenizer } from '../../pipeline/model/bert-tokenizer.ts';
import { withScratchFolder } from './measured-process.ts';
import { readPapers } from './papers.ts';
import { fingerprint, type Timing, timed } from './timing.ts';

export interface TokenizerJob {
  /** JSON lines of papers, how many stand in it, and how many of them to take. */
  corpus: string;
  papers: number;
  n: number;
  /** A tokenizer.json of BERT. */
  tokenizer: string;
}

export interface TokenizerResult {
  /** Opening the tokenizer. */
  open: Timing;
  work: Timing;
  texts: number;
  tokens: number;
  /** Of all ids in order, which both libraries should agree on. */
  sha256: string;
}

/** Ids with the places they stand for. */
export function bertTokenizerTask(job: TokenizerJob): Promise<TokenizerResult> {
  return withScratchFolder((folder) => {
    copyFileSync(job.tokenizer, join(folder, 'tokenizer.json'));
    return tokenize(job, () => {
      const tokenizer = openBertTokenizer(folder);
      return (text) => tokenizer.encode(text).ids;
    });
  });
}

/** Ids alone: this library gives no places. */
export function plainTokenizerTask(job: TokenizerJob): Promise<TokenizerResult> {
  return tokenize(job, () => {
    const tokenizer = new Tokenizer(JSON.parse(readFileSync(job.tokenizer, 'utf8')), {});
    return (text) => tokenizer.encode(text, { add_special_tokens: false }).ids;
  });
}

async function tokenize(
  { corpus, papers, n }: TokenizerJob,
  open: () => (text: string) => ArrayLike<number>,
): Promise<TokenizerResult> {
  const { title, abstract } = await readPapers(corpus, papers, n);
  const texts = title.map((text, i) => `${text}[SEP]${abstract[i]}`);
  const opened = await timed(open);
  const worked = await timed(() => texts.map((text) => opened.value(text)));
  const tokens = worked.value.reduce((sum, ids) => sum + ids.length, 0);
  return {
    open: opened.timing,
    work: worked.timing,
    texts: texts.length,
    tokens,
    sha256: fingerprint(...worked.value.map((ids) => Int32Array.from(ids))),
  };
}
