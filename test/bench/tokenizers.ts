/** How fast BERT's tokenizer turns papers into ids, beside the plain JavaScript library. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BenchOptions } from './bench.ts';
import { attempt, runTask } from './measured-process.ts';
import { type Cell, printTable } from './table.ts';
import type { TokenizerJob, TokenizerResult } from './tokenizer-tasks.ts';

/** Papers, unless --n says otherwise. */
const sizes = [10_000];

/** On real papers, with the tokenizer of BERT. */
export async function tokenizing(
  options: BenchOptions,
  papers: number,
  print: (line: string) => void,
): Promise<void> {
  const corpus = options.corpora.acl;
  const tokenizer = join(dirname(dirname(corpus)), 'tokenizers', 'bert_base_uncased.tokenizer.json');
  if (!existsSync(tokenizer)) {
    print(`Skipped: no tokenizer at ${tokenizer}.`);
    return;
  }
  const files = { corpus, papers, tokenizer };
  await compareTokenizers(files, options.sizes ?? sizes, options, print);
}

/** @param files As in TokenizerJob. @param sizes Numbers of papers. */
export async function compareTokenizers(
  files: Omit<TokenizerJob, 'n'>,
  sizes: readonly number[],
  options: BenchOptions,
  print: (line: string) => void,
): Promise<void> {
  const tasks = [['this project, ids and places', 'bert-tokenizer']];
  if (options.withPeers) tasks.push(['@huggingface/tokenizers, ids', 'plain-tokenizer']);
  const rows: Cell[][] = [];
  for (const n of sizes) {
    for (const [name, task] of tasks) {
      await attempt(print, `Tokenizing with ${name}`, async () => {
        const job: TokenizerJob = { ...files, n: Math.min(n, files.papers) };
        const { result, peakMegabytes } = await runTask<TokenizerResult>(task, job);
        const { wallSeconds, cpuSeconds } = result.work;
        rows.push([
          ...[name, result.texts, result.tokens, result.open.cpuSeconds],
          ...[wallSeconds, cpuSeconds, peakMegabytes],
          ...[Math.round(result.texts / cpuSeconds), Math.round(result.tokens / cpuSeconds), result.sha256],
        ]);
      });
    }
  }
  const costs = ['open CPU s', 'wall s', 'CPU s', 'peak MB'];
  printTable(
    print,
    "BERT's tokenizer on titles and abstracts, one thread; sha256 of all ids.",
    ['tokenizer', 'n', 'tokens', ...costs, 'texts / CPU s', 'tokens / CPU s', 'sha256'],
    rows,
  );
}
