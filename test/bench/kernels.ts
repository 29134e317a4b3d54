/**
 * Kernels on synthetic points, each in a process of its own, beside the packages that do the same: umap-js and
 * hdbscan-ts always, umap-learn and scikit-learn where a Python has them. All read the same file of points.
 */

import { join } from 'node:path';
import { adjustedRandIndex } from '../../pipeline/evaluate/clustering-agreement.ts';
import type { Bench, BenchOptions } from './bench.ts';
import { readLabels, writeNumbers } from './float-file.ts';
import type { ClassTfIdfJob, HdbscanJob } from './kernel-tasks.ts';
import {
  attempt,
  findPython,
  type Measured,
  runPeer,
  runTask,
  withScratchFolder,
} from './measured-process.ts';
import { benchNeighbors } from './neighbors.ts';
import { blobs, farBlobs, type LabelledPoints, moons, reducedVectors } from './synthetic-points.ts';
import { type Cell, printTable } from './table.ts';
import type { Timing } from './timing.ts';
import { benchUmap } from './umap.ts';

type Print = (line: string) => void;

const defaultSizes = [2_000, 10_000, 50_000];
const umapSizes = [2_000, 10_000, 20_000, 50_000];
/** Beyond this hdbscan-ts takes minutes and an n × n matrix. */
const mostHdbscanTsRows = 2_000;
/** How our own rows are named; ratios are to them. */
const us = 'scinertopic';
const nComponents = 5;
const minClusterSize = 15;
const minSamples = 5;

export const kernelsBench: Bench = {
  name: 'kernels',
  about: 'nearest neighbours, UMAP, HDBSCAN and c-TF-IDF on synthetic points, beside other packages',
  async run(options, print) {
    const sizes = options.sizes ?? defaultSizes;
    await benchNeighbors(options, print);
    await benchUmap(options, options.sizes ?? umapSizes, print);
    await hdbscan(options, sizes, print);
    await shapes(options, print);
    await classTfIdf(options, print);
  },
};

async function hdbscan(options: BenchOptions, sizes: number[], print: Print): Promise<void> {
  const python = await scikitLearn(options, print);
  const rows: Cell[][] = [];
  for (const n of sizes) {
    const set = reducedVectors(n, nComponents, options.seed);
    rows.push(...(await clustered(set, options, python, print)));
  }
  printTable(
    print,
    `HDBSCAN on clusters in fog, min_cluster_size ${minClusterSize}, min_samples ${minSamples}, one thread. Ratio: CPU time to ours. ` +
      `ARI to the clusters drawn from, fog as noise. hdbscan-ts up to n ${mostHdbscanTsRows}.`,
    clusterHeader,
    rows,
  );
}

/** Where the right answer is plain to see. */
async function shapes(options: BenchOptions, print: Print): Promise<void> {
  const python = await scikitLearn(options, () => {});
  const sets: [string, LabelledPoints][] = [
    ['blobs', blobs(500, options.seed)],
    ['blobs 1,000 sigma apart', farBlobs(600, options.seed)],
    ['moons', moons(500, options.seed)],
  ];
  for (const [name, set] of sets) {
    const rows = await clustered(set, options, python, print);
    printTable(
      print,
      `HDBSCAN on ${name}, same parameters; at such sizes Node's times are its warming up.`,
      clusterHeader,
      rows,
    );
  }
}

const clusterHeader = [
  ...['by', 'n', 'd', 'threads', 'wall s', 'CPU s', 'peak MB', 'ratio'],
  ...['clusters', 'noise', 'ARI', 'ARI to ours', 'sha256'],
];

/** Ours and the peers on one set of points: one row each. */
async function clustered(
  set: LabelledPoints,
  { withPeers }: BenchOptions,
  python: string | null,
  print: Print,
): Promise<Cell[][]> {
  const { n, d, truth } = set;
  const rows: Cell[][] = [];
  await withPoints(set, async (points, folder) => {
    const file = join(folder, 'labels.i32');
    const job: HdbscanJob = { points, n, d, minClusterSize, minSamples, labels: file };
    const ours: { cpuSeconds: number; labels: Int32Array }[] = [];
    const add = (by: string, timing: Timing, peak: number, sha256: string): void => {
      const labels = readLabels(file);
      if (by === us) ours.push({ cpuSeconds: timing.cpuSeconds, labels });
      const [base] = ours;
      rows.push([
        ...[by, n, d, 1, timing.wallSeconds, timing.cpuSeconds, peak],
        base === undefined ? null : timing.cpuSeconds / base.cpuSeconds,
        new Set(labels.filter((label) => label >= 0)).size,
        labels.filter((label) => label < 0).length / n,
        adjustedRandIndex(labels, truth),
        base === undefined ? null : adjustedRandIndex(labels, base.labels),
        sha256,
      ]);
    };
    const runJavaScript = (task: string): Promise<Measured & { result: Timing & { sha256?: string } }> =>
      runTask(task, job);
    await attempt(print, `HDBSCAN, n ${n}`, async () => {
      const ended = await runJavaScript('hdbscan');
      add(us, ended.result, ended.peakMegabytes, ended.result.sha256 ?? '');
    });
    if (withPeers && n <= mostHdbscanTsRows) {
      await attempt(print, `hdbscan-ts, n ${n}`, async () => {
        const ended = await runJavaScript('hdbscan-ts');
        add('hdbscan-ts', ended.result, ended.peakMegabytes, '');
      });
    }
    if (python !== null) {
      await attempt(print, `scikit-learn, n ${n}`, async () => {
        const peer = await runPeer(python, 'scikit-learn', job);
        add(`scikit-learn ${peer.version}`, peer, peer.peakMegabytes, '');
      });
    }
  });
  return rows;
}

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

/** A Python whose scikit-learn has HDBSCAN (1.3 and later). */
async function scikitLearn({ withPeers }: BenchOptions, print: Print): Promise<string | null> {
  if (!withPeers) return null;
  const python = await findPython('from sklearn.cluster import HDBSCAN');
  if (python === null) {
    print('scikit-learn: no Python has its HDBSCAN, which is in 1.3 and later (set BENCH_PYTHON); left out.');
  }
  return python;
}

async function withPoints(
  { points }: LabelledPoints,
  work: (file: string, folder: string) => Promise<void>,
): Promise<void> {
  await withScratchFolder(async (folder) => {
    const file = join(folder, 'points.f32');
    writeNumbers(file, points);
    await work(file, folder);
  });
}
