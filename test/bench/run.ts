/** `npm run bench`: measures and prints, and asserts nothing. Names of benches as arguments; none runs them all. */

import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../pipeline/model/package-root.ts';
import type { Bench, BenchOptions } from './bench.ts';
import { ingestBench } from './ingest.ts';
import { kernelsBench } from './kernels.ts';
import { labelsBench } from './labels.ts';
import { modelsBench } from './models.ts';
import { sampleBench } from './sample.ts';
import { stabilityBench } from './stability.ts';
import { topicsBench } from './topics.ts';
import { transformersBench } from './transformers.ts';
import { wholeJobBench } from './whole-job.ts';

const benches: readonly Bench[] = [
  wholeJobBench,
  kernelsBench,
  modelsBench,
  transformersBench,
  topicsBench,
  sampleBench,
  ingestBench,
  labelsBench,
  stabilityBench,
];

const usage = `npm run bench -- [names] [options]

${benches.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join('\n')}

  --n 2000,10000       sizes, in place of each bench's own (ingest: rows read at most; transformers: documents of
                       each part at most)
  --threads 1,2        thread counts to compare; default 1,2 (whole-job: the largest of them alone)
  --d 256, --k 14      numbers per document vector, neighbours per row (kernels)
  --seed 42
  --acl FILE           papers as JSON lines; default ../shared/data/corpora/acl_anthology.jsonl.gz
  --arxiv FILE         the same; default ../shared/data/corpora/arxiv.jsonl.gz
  --with-arxiv         whole-job: the arXiv file too
  --quick              stability: one stream of each corpus in place of two
  --layout umap        stability: this layout alone (umap, spectral); default both
  --database FILE      labels: the database of a finished run (whole-job judges its own)
  --no-peers           kernels, transformers: ours alone

Python peers are used where BENCH_PYTHON (paths joined by colons), python3 or /usr/bin/python3 can import them.
`;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function wholeNumbers(name: string, text: string): number[] {
  const numbers = text.split(',').map(Number);
  if (numbers.every((number) => Number.isInteger(number) && number >= 1)) return numbers;
  throw new TypeError(`--${name}: expected whole numbers from 1 up, joined by commas, got "${text}".`);
}

function layoutsOf(text: string | undefined): BenchOptions['layouts'] {
  if (text === undefined) return ['umap', 'spectral'];
  if (text === 'umap' || text === 'spectral') return [text];
  throw new TypeError(`--layout: expected umap or spectral, got "${text}".`);
}

function readArguments(): { names: string[]; options: BenchOptions; help: boolean; threadsGiven: boolean } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      n: { type: 'string' },
      threads: { type: 'string' },
      d: { type: 'string', default: '256' },
      k: { type: 'string', default: '14' },
      seed: { type: 'string', default: '42' },
      acl: { type: 'string' },
      arxiv: { type: 'string' },
      'with-arxiv': { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      layout: { type: 'string' },
      database: { type: 'string' },
      'no-peers': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const corpora = join(packageRoot(), '..', 'shared', 'data', 'corpora');
  return {
    names: positionals,
    help: values.help,
    threadsGiven: values.threads !== undefined,
    options: {
      sizes: values.n === undefined ? null : wholeNumbers('n', values.n),
      threads: wholeNumbers('threads', values.threads ?? '1,2'),
      d: wholeNumbers('d', values.d)[0],
      k: wholeNumbers('k', values.k)[0],
      seed: wholeNumbers('seed', values.seed)[0],
      corpora: {
        acl: resolve(values.acl ?? join(corpora, 'acl_anthology.jsonl.gz')),
        arxiv: resolve(values.arxiv ?? join(corpora, 'arxiv.jsonl.gz')),
      },
      withArxiv: values['with-arxiv'],
      quick: values.quick,
      layouts: layoutsOf(values.layout),
      database: values.database === undefined ? null : resolve(values.database),
      withPeers: !values['no-peers'],
    },
  };
}

async function main(): Promise<number> {
  let given: ReturnType<typeof readArguments>;
  try {
    given = readArguments();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    print(`${error.message}\n\n${usage}`);
    return 2;
  }
  const { names, options, help, threadsGiven } = given;
  const unknown = names.filter((name) => !benches.some((bench) => bench.name === name));
  if (help || unknown.length > 0) {
    if (unknown.length > 0) print(`No bench is called ${unknown.join(', ')}.\n`);
    print(usage);
    return unknown.length > 0 ? 2 : 0;
  }
  const [processor] = cpus();
  print(
    `${cpus().length} × ${processor?.model.trim() ?? 'unknown processor'}, ${(totalmem() / 1e9).toFixed(0)} GB, Node ${process.version}, ${process.platform}`,
  );
  print(
    'MB are 10⁶ bytes; a peak is that of the whole process that was measured, Node or Python and the data included.',
  );
  for (const bench of benches) {
    if (names.length > 0 && !names.includes(bench.name)) continue;
    print('');
    print(`== ${bench.name}: ${bench.about}`);
    // The whole job takes minutes: unless asked to compare, it runs as it would by default on these cores.
    const alone = bench === wholeJobBench && !threadsGiven;
    await bench.run(alone ? { ...options, threads: [Math.max(...options.threads)] } : options, print);
  }
  return 0;
}

process.exitCode = await main();
