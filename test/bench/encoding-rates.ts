/** Tokens per second of an encoder by length, beside the machine's matrix products and beside PyTorch. */

import { join } from 'node:path';
import { cosines } from './cosines.ts';
import { readFloats } from './float-file.ts';
import type { PeakJob, PeakRow, Precision } from './matrix-peak.ts';
import { attempt, findPython, runPython, runTask } from './measured-process.ts';
import { type BertSize, bertBase } from './random-bert.ts';
import { type Cell, printTable } from './table.ts';
import type { Timing } from './timing.ts';
import { abstractLength, papersJob, perSecond, repeats, type Setting } from './transformer-setting.ts';
import type { Rate, RateJob, SequencesJob } from './transformer-tasks.ts';

/** Tokens per document. */
const lengths = [32, 64, 128, abstractLength, 256, 512];
/** Tokens measured at once. */
const tokensPerRepeat = 1536;
/** A product takes little time, and its best is wanted. */
const peakRepeats = 20;
/** Sequences for the peer, and how many it gets at once. */
const peerSequences = 8;
const peerBatches = [1, 8];
const targets = { timesPyTorch: 4, megabytes: 1_500 };

type ByPrecision = Partial<Record<Precision, number>>;

/** @returns Median tokens per CPU second at abstractLength, on the first of the thread counts. */
export async function encodingRates({ models, options, print }: Setting): Promise<ByPrecision> {
  const peak = await machinePeak(print);
  const rows: Cell[][] = [];
  const atAbstracts: ByPrecision = {};
  for (const { precision, folder } of models.encoders) {
    for (const threads of options.threads) {
      await attempt(print, `Encoding in ${precision}`, async () => {
        const job: RateJob = {
          ...papersJob(folder, threads, options),
          ...{ lengths, tokens: tokensPerRepeat, repeats },
        };
        const { result, peakMegabytes } = await runTask<Rate[]>('encoding-rate', job);
        for (const rate of result) {
          const tokens = rate.length * rate.documents;
          const [perCpu, perWall] = [
            perSecond(tokens, rate.timings, 'cpuSeconds'),
            perSecond(tokens, rate.timings, 'wallSeconds'),
          ];
          const operations = (2 * multiplyAdds(bertBase, rate.length)) / 1e9;
          const top = peak[precision];
          if (rate.length === abstractLength) atAbstracts[precision] ??= perCpu.median;
          rows.push([
            ...[precision, threads, rate.length, rate.documents],
            ...[perCpu.median, perCpu.best, perWall.median].map(Math.round),
            perCpu.best * operations,
            top === undefined ? null : (perCpu.best * operations) / top,
            ...[peakMegabytes, rate.sha256],
          ]);
        }
      });
    }
  }
  const [matrices, attention] = [
    multiplyAdds(bertBase, abstractLength, 'matrices'),
    multiplyAdds(bertBase, abstractLength, 'attention'),
  ];
  printTable(
    print,
    'openEncoder on documents of one length, tokenization included; one session of so many threads.',
    [
      ...['precision', 'threads', 'tokens', 'documents', 'tokens / CPU s', 'best', 'tokens / wall s'],
      ...['GFLOP / CPU s', 'share', 'peak MB', 'sha256'],
    ],
    rows,
  );
  print(
    `At ${abstractLength} tokens each costs ${(matrices / 1e6).toFixed(1)} million multiply-adds in matrices and ${(attention / 1e6).toFixed(1)} in attention; in the last layer only [CLS] goes all the way.`,
  );
  print(
    `Share: of the best matrix product of that precision above, by the best repeat. Peak: over all lengths of the process; target below ${targets.megabytes}.`,
  );
  return atAbstracts;
}

/**
 * Multiply-adds per token that the graph of an encoder with [CLS] pooling does (checkpoint/bert-graph.ts): the
 * last layer makes keys and values of every token, and the rest of the first only.
 */
function multiplyAdds(
  { layers, hidden: d, intermediate }: BertSize,
  length: number,
  part?: 'matrices' | 'attention',
): number {
  const [layer, keysAndValues, scores] = [4 * d * d + 2 * d * intermediate, 2 * d * d, 2 * length * d];
  const matrices = (layers - 1) * layer + keysAndValues + (layer - keysAndValues) / length;
  const attention = (layers - 1) * scores + scores / length;
  if (part === undefined) return matrices + attention;
  return part === 'matrices' ? matrices : attention;
}

interface PeerResult {
  versions: { torch: string; transformers: string };
  batches: { batch: number; timings: Timing[] }[];
  peakMegabytes: number;
}

/** @param ours Tokens per CPU second. */
export async function besidePyTorch(
  { checkpoint, models, scratch, options, print }: Setting,
  ours: ByPrecision,
): Promise<void> {
  if (!options.withPeers) return;
  const python = await findPython('import torch, transformers');
  if (python === null) {
    print('PyTorch: no Python can import torch and transformers (set BENCH_PYTHON); left out.');
    return;
  }
  await attempt(print, 'PyTorch', async () => {
    const [ids, theirs] = [join(scratch, 'ids.i32'), join(scratch, 'torch.f32')];
    const shape = { n: peerSequences, length: abstractLength, ids };
    const vectors = new Map<Precision, Float32Array>();
    for (const { precision, folder } of models.encoders) {
      const file = join(scratch, `sequences-${precision}.f32`);
      const job: SequencesJob = { ...papersJob(folder, 1, options), ...shape, vectors: file };
      await runTask('sequences', job);
      vectors.set(precision, readFloats(file));
    }
    const peer = await runPython<PeerResult>(python, 'transformer-peers.py', [
      JSON.stringify({ model: checkpoint, ...shape, batches: peerBatches, repeats, vectors: theirs }),
    ]);
    const expected = readFloats(theirs);
    const tokens = peerSequences * abstractLength;
    const rates = peer.batches.map(({ batch, timings }) => ({
      batch,
      ...perSecond(tokens, timings, 'cpuSeconds'),
    }));
    const best = Math.max(...rates.map((rate) => rate.median));
    const rows: Cell[][] = rates.map((rate) => [
      ...['PyTorch fp32', rate.batch, Math.round(rate.median), Math.round(rate.best)],
      ...[rate.median / best, null, peer.peakMegabytes],
    ]);
    for (const [precision, found] of vectors) {
      const rate = ours[precision];
      if (rate === undefined) continue;
      const lowest = Math.min(...cosines(found, expected, bertBase.hidden)).toFixed(6);
      rows.push([`scinertopic ${precision}`, 1, Math.round(rate), null, rate / best, lowest, null]);
    }
    const { torch, transformers } = peer.versions;
    printTable(
      print,
      `Beside PyTorch ${torch} (transformers ${transformers}), same checkpoint, ${peerSequences} sequences of ${abstractLength} tokens, one thread. Ratio: to PyTorch's better batch; target for int8 at least ${targets.timesPyTorch}. Cosine: lowest, to PyTorch's vectors.`,
      ['by', 'batch', 'tokens / CPU s', 'best', 'ratio', 'cosine', 'peak MB'],
      rows,
    );
  });
}

/** @returns 10⁹ operations per CPU second at best. */
async function machinePeak(print: Setting['print']): Promise<ByPrecision> {
  const peak: ByPrecision = {};
  await attempt(print, 'Matrix products', async () => {
    const job: PeakJob = { repeats: peakRepeats };
    const { result } = await runTask<PeakRow[]>('matrix-peak', job, 1);
    for (const { precision, best } of result) peak[precision] = Math.max(peak[precision] ?? 0, best);
    printTable(
      print,
      `This machine's matrix products, one thread: MatMul in fp32, MatMulInteger of uint8 × int8; best and median of ${job.repeats}. A multiply-add is two operations.`,
      ['precision', 'rows', 'inner', 'columns', 'best GFLOP / CPU s', 'median'],
      result.map((row) => [row.precision, row.rows, row.inner, row.columns, row.best, row.median]),
    );
  });
  return peak;
}
