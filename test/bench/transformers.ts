/**
 * Transformers as users of the hub run them: a BERT-base checkpoint with random weights is written, converted,
 * and measured as encoder and tagger, beside what the machine's matrix products reach and, where a Python has
 * them, beside PyTorch and transformers. Needs no network, and 1.3 GB for temporary files.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { encodingPapers, memoryGrowth, tagging, workers } from './encoding-papers.ts';
import { besidePyTorch, encodingRates } from './encoding-rates.ts';
import { papersOfAllLengths } from './generated-papers.ts';
import type { Precision } from './matrix-peak.ts';
import { attempt, runTask, withScratchFolder } from './measured-process.ts';
import { bertBase } from './random-bert.ts';
import { type Cell, printTable } from './table.ts';
import { compareTokenizers } from './tokenizers.ts';
import { atMost, type Models, megabytes, repeats, type Setting } from './transformer-setting.ts';
import type { ConvertJob, ConvertResult, WriteJob } from './transformer-tasks.ts';

/** Papers for the tokenizers, unless --n says less. */
const tokenizedPapers = 5_000;

export const transformersBench: Bench = {
  name: 'transformers',
  about: 'a BERT-base with random weights: converted, encoding, tagging, tokenizing, beside PyTorch',
  async run(options, print) {
    const measure = async (scratch: string): Promise<void> => {
      const checkpoint = join(scratch, 'base');
      const write: WriteJob = { folder: checkpoint, size: bertBase, seed: options.seed };
      const { result: written } = await runTask<{ bytes: number }>('write-bert', write);
      const { layers, hidden, heads, intermediate, vocabulary } = bertBase;
      print(
        `${layers} layers of ${hidden}, ${heads} heads, ${intermediate} between, ${vocabulary} pieces; ${megabytes(written.bytes)} MB of float32, drawn as transformers initializes a BERT.`,
      );
      print(`Rates are those of the median of ${repeats} repeats, or of the best where that is said.`);
      const models = await converting(checkpoint, scratch, print);
      const setting: Setting = { checkpoint: join(checkpoint, 'encoder'), models, scratch, options, print };
      const rates = await encodingRates(setting);
      await besidePyTorch(setting, rates);
      await encodingPapers(setting);
      await workers(setting);
      await tagging(setting);
      await tokenizing(setting);
      await memoryGrowth(setting);
    };
    await attempt(print, 'Transformers', () => withScratchFolder(measure));
  },
};

async function converting(checkpoint: string, scratch: string, print: Setting['print']): Promise<Models> {
  const models: Models = { encoders: [], tagger: null };
  const rows: Cell[][] = [];
  const jobs: [kind: 'encoder' | 'tagger', precision: Precision][] = [
    ['encoder', 'fp32'],
    ['encoder', 'int8'],
    ['tagger', 'int8'],
  ];
  for (const [kind, precision] of jobs) {
    await attempt(print, `Converting the ${kind} to ${precision}`, async () => {
      const out = join(scratch, `${kind}-${precision}`);
      const job: ConvertJob = { folder: join(checkpoint, kind), out, precision };
      const { result, peakMegabytes } = await runTask<ConvertResult>('convert-bert', job);
      const { wallSeconds, cpuSeconds, bytes, parity } = result;
      rows.push([
        ...[kind, precision, wallSeconds, cpuSeconds, peakMegabytes, megabytes(bytes)],
        parity.fp32.largest_difference.toExponential(1),
        parity.int8?.lowest_cosine.toFixed(5) ?? null,
        parity.int8?.equal_labels ?? null,
      ]);
      if (kind === 'encoder') models.encoders.push({ precision, folder: out });
      else models.tagger = out;
    });
  }
  printTable(
    print,
    'Conversion of model.safetensors to a checked model folder. Difference: largest, fp32 graph to reference arithmetic; cosine: lowest, int8 to fp32; labels: share equal.',
    [
      ...['model', 'precision', 'wall s', 'CPU s', 'peak MB', 'model.onnx MB'],
      ...['difference', 'cosine', 'labels'],
    ],
    rows,
  );
  return models;
}

async function tokenizing({ checkpoint, scratch, options, print }: Setting): Promise<void> {
  const n = atMost(tokenizedPapers, options);
  const corpus = join(scratch, 'papers.jsonl');
  const papers = papersOfAllLengths({ vocabulary: bertBase.vocabulary, seed: options.seed }, n);
  writeFileSync(corpus, papers.map((paper) => `${JSON.stringify(paper)}\n`).join(''));
  const files = { corpus, papers: n, tokenizer: join(checkpoint, 'tokenizer.json') };
  await compareTokenizers(files, [n], options, print);
}
