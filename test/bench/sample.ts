/**
 * A layout fitted on a sample, the other documents placed in it, beside one fitted on all: how far their clusters
 * agree. Two full fits that differ in their seed tell what agreement can be asked for.
 */

import { join } from 'node:path';
import { normalizedMutualInformation } from '../../pipeline/evaluate/clustering-agreement.ts';
import type { Bench } from './bench.ts';
import { readLabels } from './float-file.ts';
import { attempt, runTask, withScratchFolder } from './measured-process.ts';
import { absent, countPapers } from './papers.ts';
import type { SampledJob, SampledResult } from './sample-tasks.ts';
import { type Cell, printTable } from './table.ts';

const defaultSize = 200_000;
/** The whole corpus, then samples of it: a half, a quarter, an eighth. */
const shares = [1, 1 / 2, 1 / 4, 1 / 8];
const model = 'builtin:static';

export const sampleBench: Bench = {
  name: 'sample',
  about: 'layouts fitted on samples of 200,000 arXiv papers beside a full one: agreement, time, memory',
  async run({ sizes, threads, seed, corpora }, print) {
    const papers = await countPapers(corpora.arxiv);
    if (papers === null) {
      print(absent(corpora.arxiv));
      return;
    }
    for (const n of sizes ?? [defaultSize]) {
      const rows: Cell[][] = [];
      await withScratchFolder(async (folder) => {
        const points = join(folder, 'points.f32');
        const { d } = (
          await runTask<{ d: number }>('vectors', { corpus: corpora.arxiv, papers, n, model, points })
        ).result;
        const common = { points, n, d, threads: Math.max(...threads), minClusterSize: 15, minSamples: 5 };
        let full: Int32Array | null = null;
        const fits = [...shares.map((share) => ({ share, seed })), { share: 1, seed: seed + 1 }];
        for (const fit of fits) {
          const fitSample = fit.share === 1 ? null : Math.round(n * fit.share);
          const job: SampledJob = {
            ...common,
            fitSample,
            seed: fit.seed,
            labels: join(folder, 'labels.i32'),
          };
          await attempt(print, `fit on ${fitSample ?? n}`, async () => {
            const ended = await runTask<SampledResult>('sampled', job);
            const { reduce, cluster, clusters, noise } = ended.result;
            const labels = readLabels(job.labels);
            full ??= labels;
            rows.push([
              ...[n, d, fitSample ?? n, fit.seed, job.threads, reduce.wallSeconds, reduce.cpuSeconds],
              ...[cluster.cpuSeconds, ended.peakMegabytes, clusters, noise],
              ...[normalizedMutualInformation(full, labels), clusteredAgreement(full, labels)],
            ]);
          });
        }
      });
      printTable(
        print,
        'Clusters from layouts fitted on some documents, the others placed, beside the full fit of the first row; noise is ' +
          'one class, and left out where both cluster.',
        [
          ...['n', 'd', 'fitted on', 'seed', 'threads', 'reduce wall s', 'reduce CPU s', 'cluster CPU s'],
          ...['peak MB', 'clusters', 'noise', 'NMI to full', 'where both cluster'],
        ],
        rows,
      );
    }
  },
};

function clusteredAgreement(a: Int32Array, b: Int32Array): number {
  const both = a.map((_, i) => i).filter((i) => a[i] >= 0 && b[i] >= 0);
  return normalizedMutualInformation(
    both.map((i) => a[i]),
    both.map((i) => b[i]),
  );
}
