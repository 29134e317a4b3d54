/** Papers of all lengths through encoder and tagger: speed, what int8 changes, ways to use processors, memory. */

import { join } from 'node:path';
import { cosines, lessMean } from './cosines.ts';
import { readFloats } from './float-file.ts';
import type { Precision } from './matrix-peak.ts';
import { attempt, runTask } from './measured-process.ts';
import { type BertSize, bertBase } from './random-bert.ts';
import { type Cell, printTable } from './table.ts';
import { median, type Timing } from './timing.ts';
import { abstractLength, atMost, papersJob, precisions, type Setting } from './transformer-setting.ts';
import type {
  ConvertJob,
  DocumentsJob,
  DocumentsResult,
  GrowthJob,
  Held,
  TagResult,
  WaysJob,
  WriteJob,
} from './transformer-tasks.ts';

/** Papers of each part, unless --n says less. */
const encodedPapers = 240;
const workerPapers = 96;
const taggedPapers = 60;
const growthPapers = 10_000;
/** Small, so that thousands of papers take seconds: what could grow is not the model. */
const smallBert: BertSize = { ...bertBase, layers: 2, hidden: 128, heads: 2, intermediate: 512 };
const targetCosine = 0.999;

export async function encodingPapers({ models, scratch, options, print }: Setting): Promise<void> {
  const rows: Cell[][] = [];
  const vectors: Partial<Record<Precision, Float32Array>> = {};
  for (const { precision, folder } of models.encoders) {
    await attempt(print, `Papers in ${precision}`, async () => {
      const file = join(scratch, `papers-${precision}.f32`);
      const job: DocumentsJob = {
        ...papersJob(folder, 1, options),
        n: atMost(encodedPapers, options),
        vectors: file,
      };
      const { result, peakMegabytes } = await runTask<DocumentsResult>('encode-papers', job);
      const { open, wallSeconds, cpuSeconds, documents, tokens, truncated } = result;
      vectors[precision] = readFloats(file);
      rows.push([
        ...[precision, documents, tokens, truncated, open.cpuSeconds, wallSeconds, cpuSeconds],
        ...[documents / cpuSeconds, Math.round(tokens / cpuSeconds), peakMegabytes],
      ]);
    });
  }
  printTable(
    print,
    'openEncoder on generated papers of all lengths, one thread.',
    [
      ...['precision', 'n', 'tokens', 'truncated', 'open CPU s', 'wall s', 'CPU s'],
      ...['documents / CPU s', 'tokens / CPU s', 'peak MB'],
    ],
    rows,
  );
  const { fp32, int8 } = vectors;
  if (fp32 === undefined || int8 === undefined) return;
  const { hidden: d } = bertBase;
  const compared: [what: string, cosines: number[]][] = [
    ['int8 to fp32', cosines(int8, fp32, d)],
    ['the same, less the fp32 mean', cosines(lessMean(int8, fp32, d), lessMean(fp32, fp32, d), d)],
    ['one paper to the next, fp32', cosines(fp32.subarray(d), fp32.subarray(0, fp32.length - d), d)],
  ];
  printTable(
    print,
    `Cosines on these papers; target int8 to fp32: each at least ${targetCosine}. Random weights tell papers hardly apart, so that little is left when the mean is taken off.`,
    ['vectors', 'n', 'lowest', 'median'],
    compared.map(([what, found]) => [
      ...[what, found.length],
      ...[Math.min(...found), median(found)].map((cosine) => cosine.toFixed(5)),
    ]),
  );
}

export async function workers({ models, options, print }: Setting): Promise<void> {
  const most = Math.max(...options.threads);
  const model = models.encoders.find(({ precision }) => precision === 'int8');
  if (most === 1 || model === undefined) return;
  const rows: Cell[][] = [];
  for (const [count, threads] of [
    [1, 1],
    [1, most],
    [most, 1],
  ]) {
    await attempt(print, `${count} workers of ${threads} threads`, async () => {
      const job: WaysJob = {
        ...papersJob(model.folder, threads, options),
        ...{ workers: count, n: atMost(workerPapers, options), length: abstractLength },
      };
      const { result, peakMegabytes } = await runTask<Timing & { documents: number }>('workers', job);
      const { wallSeconds, cpuSeconds, documents } = result;
      const tokens = documents * abstractLength;
      rows.push([
        ...[count, threads, documents, wallSeconds, cpuSeconds],
        ...[Math.round(tokens / wallSeconds), Math.round(tokens / cpuSeconds), peakMegabytes],
      ]);
    });
  }
  printTable(
    print,
    `Ways to use ${most} processors, int8, ${abstractLength} tokens a document: threads in one session, or worker threads with a session each, as the pipeline has them.`,
    [
      ...['workers', 'threads each', 'n', 'wall s', 'CPU s'],
      ...['tokens / wall s', 'tokens / CPU s', 'peak MB'],
    ],
    rows,
  );
}

export async function tagging({ models, options, print }: Setting): Promise<void> {
  const { tagger } = models;
  if (tagger === null) return;
  const rows: Cell[][] = [];
  for (const threads of options.threads) {
    await attempt(print, 'Tagging', async () => {
      const job = { ...papersJob(tagger, threads, options), n: atMost(taggedPapers, options) };
      const { result, peakMegabytes } = await runTask<TagResult>('tag-papers', job);
      const { documents, tokens, entities, wallSeconds, cpuSeconds } = result;
      rows.push([
        ...['int8', documents, tokens, entities, threads, wallSeconds, cpuSeconds],
        ...[tokens / cpuSeconds, tokens / wallSeconds].map(Math.round),
        ...[documents / cpuSeconds, peakMegabytes],
      ]);
    });
  }
  printTable(
    print,
    'openTagger on titles and abstracts of generated papers, apart, as the entities stage does it; 13 labels, aggregation average.',
    [
      ...['precision', 'n', 'tokens', 'entities', 'threads', 'wall s', 'CPU s'],
      ...['tokens / CPU s', 'tokens / wall s', 'papers / CPU s', 'peak MB'],
    ],
    rows,
  );
}

export async function memoryGrowth({ scratch, options, print }: Setting): Promise<void> {
  const n = atMost(growthPapers, options);
  const marks = [0.01, 0.1, 0.5, 1].map((share) => Math.max(1, Math.round(n * share)));
  const rows: Cell[][] = [];
  const folder = join(scratch, 'small');
  await attempt(print, 'Memory', async () => {
    const write: WriteJob = { folder, size: smallBert, seed: options.seed };
    await runTask('write-bert', write);
    for (const precision of precisions) {
      const out = join(scratch, `small-${precision}`);
      const convert: ConvertJob = { folder: join(folder, 'encoder'), out, precision };
      await runTask('convert-bert', convert);
      const job: GrowthJob = { ...papersJob(out, 1, options), marks };
      const { result, peakMegabytes } = await runTask<Held[]>('memory-growth', job);
      rows.push(
        [precision, 'resident', ...result.map(({ resident }) => resident), peakMegabytes],
        [precision, 'JavaScript heap', ...result.map(({ heap }) => heap), null],
      );
    }
  });
  printTable(
    print,
    `Memory of a process that encodes generated papers, in MB after so many, after a collection; ${smallBert.layers} layers of ${smallBert.hidden}, one thread. The tokenizer remembers up to 65,536 words in the heap.`,
    ['precision', 'memory', ...marks.map((mark) => mark.toLocaleString('en-US')), 'peak MB'],
    rows,
  );
}
