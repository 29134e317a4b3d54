/** HDBSCAN on synthetic points, beside hdbscan-ts always, and scikit-learn, fast_hdbscan and hdbscan where a Python has them. */

import { join } from 'node:path';
import { adjustedRandIndex } from '../../pipeline/evaluate/clustering-agreement.ts';
import type { BenchOptions } from './bench.ts';
import { readLabels, writeNumbers } from './float-file.ts';
import type { HdbscanJob, PlaceJob, PlaceResult } from './kernel-tasks.ts';
import {
  attempt,
  findPython,
  type Measured,
  runPeer,
  runTask,
  withScratchFolder,
} from './measured-process.ts';
import {
  blobs,
  farBlobs,
  foggedClusters,
  type LabelledPoints,
  moons,
  reducedVectors,
  turnedInto,
} from './synthetic-points.ts';
import { type Cell, printTable } from './table.ts';
import type { Timing } from './timing.ts';

type Print = (line: string) => void;

const defaultSizes = [2_000, 10_000, 50_000, 200_000, 1_000_000];
/** Sizes in which many dimensions are measured. */
const wideSizes = [10_000, 50_000];
const wideDimensions = 45;
/** Beyond these a peer takes minutes; hdbscan-ts holds an n × n matrix. */
const most = { 'hdbscan-ts': 2_000, 'scikit-learn': 50_000, fast_hdbscan: 200_000, hdbscan: 200_000 };
/** How our own rows are named; ratios are to them. */
const us = 'scinertopic';
const nComponents = 5;
const minClusterSize = 15;
const minSamples = 5;

/** Pythons that can import each peer. */
type Peers = Map<'scikit-learn' | 'fast_hdbscan' | 'hdbscan', string>;

export async function benchClusters(options: BenchOptions, print: Print): Promise<void> {
  const peers = await findPeers(options, print);
  const settings = `min_cluster_size ${minClusterSize}, min_samples ${minSamples}, one thread`;
  const table = async (title: string, sets: Iterable<LabelledPoints>): Promise<void> => {
    const rows: Cell[][] = [];
    for (const set of sets) rows.push(...(await clustered(set, options, peers, print)));
    printTable(print, title, clusterHeader, rows);
  };
  await table(
    `HDBSCAN on clusters in fog, ${settings}. Ratio: CPU time to ours. ARI to the clusters drawn from, fog as noise. ` +
      `Up to n: ${Object.entries(most)
        .map(([name, n]) => `${name} ${n}`)
        .join(', ')}.`,
    (options.sizes ?? defaultSizes).map((n) => reducedVectors(n, nComponents, options.seed)),
  );
  await table(
    `The same set turned into ${wideDimensions} dimensions, as layouts of many lie: the tree still rules most out.`,
    (options.sizes ?? wideSizes).map((n) =>
      turnedInto(reducedVectors(n, nComponents, options.seed), wideDimensions, options.seed),
    ),
  );
  await table(
    `Clusters in fog of ${wideDimensions} dimensions, where every pair is looked at.`,
    (options.sizes ?? wideSizes).map((n) => foggedClusters(n, wideDimensions, options.seed)),
  );
  const shapes: [string, LabelledPoints][] = [
    ['blobs', blobs(500, options.seed)],
    ['blobs 1,000 sigma apart', farBlobs(600, options.seed)],
    ['moons', moons(500, options.seed)],
  ];
  for (const [name, set] of shapes) {
    await table(`HDBSCAN on ${name}, same parameters; at such sizes Node's times are its warming up.`, [set]);
  }
  await placed(options, print);
}

const clusterHeader = [
  ...['by', 'n', 'd', 'threads', 'wall s', 'CPU s', 'peak MB', 'ratio'],
  ...['clusters', 'noise', 'ARI', 'ARI to ours', 'sha256'],
];

/** Ours and the peers on one set of points: one row each. */
async function clustered(
  set: LabelledPoints,
  { withPeers }: BenchOptions,
  peers: Peers,
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
    if (withPeers && n <= most['hdbscan-ts']) {
      await attempt(print, `hdbscan-ts, n ${n}`, async () => {
        const ended = await runJavaScript('hdbscan-ts');
        add('hdbscan-ts', ended.result, ended.peakMegabytes, '');
      });
    }
    for (const [library, python] of peers) {
      if (n > most[library] || (d > nComponents && n > most['scikit-learn'] / 5)) continue;
      await attempt(print, `${library}, n ${n}`, async () => {
        const peer = await runPeer(python, library, job);
        add(`${library} ${peer.version}`, peer, peer.peakMegabytes, '');
      });
    }
  });
  return rows;
}

/** New points in a clustering that stays as it is. */
async function placed(options: BenchOptions, print: Print): Promise<void> {
  const rows: Cell[][] = [];
  for (const n of options.sizes ?? wideSizes) {
    // The second half is placed in the first.
    const set = reducedVectors(2 * n, nComponents, options.seed);
    await withPoints(set, async (points) => {
      const job: PlaceJob = { points, n, d: nComponents, minClusterSize, minSamples };
      await attempt(print, `placing, n ${n}`, async () => {
        const { result, peakMegabytes } = await runTask<PlaceResult>('place', job);
        const { predict, vectors, allVectors, clusters, agreement } = result;
        const seconds = [predict, vectors, allVectors].map(({ cpuSeconds }) => cpuSeconds);
        rows.push([n, n, nComponents, clusters, ...seconds, peakMegabytes, agreement]);
      });
    });
  }
  printTable(
    print,
    'As many new points placed in a clustering, CPU s: approximate predictions, soft membership vectors of the new, of the old. ARI of the predictions to a clustering of the new points, noise of either left out.',
    ['n', 'new', 'd', 'clusters', 'predict', 'vectors', 'all vectors', 'peak MB', 'ARI'],
    rows,
  );
}

async function findPeers({ withPeers }: BenchOptions, print: Print): Promise<Peers> {
  const peers: Peers = new Map();
  if (!withPeers) return peers;
  const statements = {
    'scikit-learn': 'from sklearn.cluster import HDBSCAN',
    fast_hdbscan: 'import fast_hdbscan',
    hdbscan: 'import hdbscan',
  } as const;
  for (const library of ['scikit-learn', 'fast_hdbscan', 'hdbscan'] as const) {
    const python = await findPython(statements[library]);
    if (python === null)
      print(`${library}: no Python can ${statements[library]} (set BENCH_PYTHON); left out.`);
    else peers.set(library, python);
  }
  return peers;
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
