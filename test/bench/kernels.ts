/**
 * Kernels on synthetic points, each in a process of its own, beside the packages that do the same: umap-js and
 * hdbscan-ts always, Python's where a Python has them. All read the same file of points.
 */

import type { Bench, BenchOptions } from './bench.ts';
import { benchClusters } from './clusters.ts';
import type { ClassTfIdfJob } from './kernel-tasks.ts';
import { attempt, runTask } from './measured-process.ts';
import { benchNeighbors } from './neighbors.ts';
import { type Cell, printTable } from './table.ts';
import type { Timing } from './timing.ts';
import { benchUmap } from './umap.ts';

type Print = (line: string) => void;

const umapSizes = [2_000, 10_000, 20_000, 50_000];

export const kernelsBench: Bench = {
  name: 'kernels',
  about: 'nearest neighbours, UMAP, HDBSCAN and c-TF-IDF on synthetic points, beside other packages',
  async run(options, print) {
    await benchNeighbors(options, print);
    await benchUmap(options, options.sizes ?? umapSizes, print);
    await benchClusters(options, print);
    await classTfIdf(options, print);
  },
};

async function classTfIdf(options: BenchOptions, print: Print): Promise<void> {
  const rows: Cell[][] = [];
  for (const [c, v, draws] of [
    [100, 20_000, 50_000],
    [400, 100_000, 50_000],
  ]) {
    const job: ClassTfIdfJob = { c, v, draws, seed: options.seed };
    await attempt(print, `c-TF-IDF, c ${c}`, async () => {
      const ended = await runTask<Timing & { entries: number; sha256: string }>('class-tf-idf', job);
      const { entries, wallSeconds, cpuSeconds, sha256 } = ended.result;
      rows.push([c, v, entries, 1, wallSeconds, cpuSeconds, ended.peakMegabytes, sha256]);
    });
  }
  printTable(
    print,
    'c-TF-IDF of c classes and v terms, m entries.',
    ['c', 'v', 'm', 'threads', 'wall s', 'CPU s', 'peak MB', 'sha256'],
    rows,
  );
}
