/** How fast the shipped models work on real abstracts: tokens and documents per CPU second, and adapting. */

import type { Bench, BenchOptions } from './bench.ts';
import { attempt, runTask, withScratchFolder } from './measured-process.ts';
import type { AdaptJob, ModelJob, ModelResult } from './model-tasks.ts';
import { absent, countPapers } from './papers.ts';
import { type Cell, printTable } from './table.ts';
import { tokenizing } from './tokenizers.ts';

type Print = (line: string) => void;

const taggerModel = 'builtin:science';
const encoderModel = 'builtin:static';
/** Papers, unless --n says otherwise. */
const tagged = [2_000];
const encoded = [10_000];
const targets = { tokensPerCpuSecond: 50_000, abstractsPerCpuSecond: 2_000, adaptSeconds: 20 };
const costs = ['threads', 'wall s', 'CPU s', 'peak MB'];

export const modelsBench: Bench = {
  name: 'models',
  about: 'tagger, embedder, its adapting to a corpus, and tokenizer, on real abstracts',
  async run(options, print) {
    const papers = await countPapers(options.corpora.acl);
    if (papers === null) {
      print(absent(options.corpora.acl));
      return;
    }
    await tagging(options, papers, print);
    await encoding(options, papers, print);
    await adapting(options, papers, print);
    await tokenizing(options, papers, print);
  },
};

async function tagging(options: BenchOptions, papers: number, print: Print): Promise<void> {
  const rows: Cell[][] = [];
  for (const n of options.sizes ?? tagged) {
    for (const threads of options.threads) {
      await attempt(print, `Tagging with ${taggerModel}`, async () => {
        const job = modelJob(options, papers, n, taggerModel, threads);
        const { result, peakMegabytes } = await runTask<ModelResult & { tokens: number }>('tag', job);
        const { wallSeconds, cpuSeconds } = result.work;
        const rate = result.tokens / cpuSeconds;
        rows.push([
          ...[result.documents, result.tokens, threads, wallSeconds, cpuSeconds, peakMegabytes],
          ...[Math.round(rate), rate / targets.tokensPerCpuSecond, result.sha256],
        ]);
      });
    }
  }
  printTable(
    print,
    `Tagger ${taggerModel} on titles and abstracts. Target ${targets.tokensPerCpuSecond} tokens per CPU s on one thread; ratio: rate to target, above 1 meets it.`,
    ['n', 'tokens', ...costs, 'tokens / CPU s', 'ratio', 'sha256'],
    rows,
  );
}

async function encoding(options: BenchOptions, papers: number, print: Print): Promise<void> {
  const rows: Cell[][] = [];
  for (const n of options.sizes ?? encoded) {
    for (const threads of options.threads) {
      await attempt(print, `Encoding with ${encoderModel}`, async () => {
        const job = modelJob(options, papers, n, encoderModel, threads);
        const { result, peakMegabytes } = await runTask<ModelResult & { d: number }>('encode', job);
        const { wallSeconds, cpuSeconds } = result.work;
        const rate = result.documents / cpuSeconds;
        rows.push([
          ...[result.documents, result.d, threads, wallSeconds, cpuSeconds, peakMegabytes],
          ...[Math.round(rate), rate / targets.abstractsPerCpuSecond, result.sha256],
        ]);
      });
    }
  }
  printTable(
    print,
    `Embedder ${encoderModel} as shipped. Target ${targets.abstractsPerCpuSecond} abstracts per CPU s on one thread; ratio: rate to target, above 1 meets it.`,
    ['n', 'd', ...costs, 'abstracts / CPU s', 'ratio', 'sha256'],
    rows,
  );
}

async function adapting(options: BenchOptions, papers: number, print: Print): Promise<void> {
  const rows: Cell[][] = [];
  for (const n of options.sizes ?? encoded) {
    await attempt(print, `Adapting ${encoderModel}`, () =>
      withScratchFolder(async (out) => {
        const job: AdaptJob = {
          ...modelJob(options, papers, n, encoderModel, 1),
          ...{ seed: options.seed, out },
        };
        const { result, peakMegabytes } = await runTask<ModelResult>('adapt', job);
        const { wallSeconds, cpuSeconds } = result.work;
        rows.push([
          ...[result.documents, 1, wallSeconds, cpuSeconds, peakMegabytes],
          ...[wallSeconds / targets.adaptSeconds, result.sha256],
        ]);
      }),
    );
  }
  printTable(
    print,
    `Adapting ${encoderModel} to a corpus. Target ${targets.adaptSeconds} s for 10,000 papers; ratio: wall time to target, below 1 meets it.`,
    ['n', ...costs, 'ratio', 'sha256'],
    rows,
  );
}

function modelJob(
  { corpora }: BenchOptions,
  papers: number,
  n: number,
  model: string,
  threads: number,
): ModelJob {
  return { corpus: corpora.acl, papers, n: Math.min(n, papers), model, threads };
}
