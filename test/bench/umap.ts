/** UMAP beside umap-learn and umap-js: the whole of it, and the layout alone from equal neighbours and starts. */

import { join } from 'node:path';
import { neighborhoodQuality } from '../../pipeline/math/neighborhood-quality.ts';
import { defaultEpochs } from '../../pipeline/math/umap-layout.ts';
import type { BenchOptions } from './bench.ts';
import { readFloats } from './float-file.ts';
import { attempt, findPython, runPeer, runTask, withScratchFolder } from './measured-process.ts';
import { writePaperVectors } from './paper-vectors.ts';
import { type Cell, printTable } from './table.ts';
import type { Timing } from './timing.ts';
import type { UmapJob, UmapResult } from './umap-tasks.ts';

type Print = (line: string) => void;

const nComponents = 5;
const minDist = 0;
/** Rows asked for neighbourhood quality; each is compared with all others. */
const qualityRows = 1_000;
/** Beyond this umap-js takes minutes and gigabytes: 45 CPU s at 20,000. */
const mostUmapJsRows = 10_000;

interface Tables {
  whole: Cell[][];
  parts: Cell[][];
  layouts: Cell[][];
}

export async function benchUmap(options: BenchOptions, sizes: number[], print: Print): Promise<void> {
  const { withPeers } = options;
  const python = withPeers ? await findPython('import umap') : null;
  if (withPeers && python === null) {
    print('umap-learn: no Python can import umap (set BENCH_PYTHON); left out.');
  }
  const tables: Tables = { whole: [], parts: [], layouts: [] };
  for (const n of sizes) {
    await withScratchFolder(async (folder) => {
      await benchSize(n, folder, options, python, print, tables);
    });
  }
  printTable(
    print,
    `UMAP to ${nComponents} components, min_dist ${minDist}, equal epochs; k counts the row itself. Process CPU s: all of ` +
      `the program from its start, compiling and loading included. Ratios: CPU time to ours of one thread, and process to ` +
      `process. Trustworthiness and share of 15 neighbours kept over ${qualityRows} rows. umap-js up to n ${mostUmapJsRows}.`,
    [
      ...['by', 'vectors of', 'n', 'd', 'k', 'threads', 'wall s', 'CPU s', 'process CPU s', 'peak MB'],
      ...['ratio', 'process ratio', 'trust.', 'kept', 'sha256'],
    ],
    tables.whole,
  );
  const names = ['k-NN', 'graph', 'start', 'layout'];
  const columns = ['n', 'threads', ...names.flatMap((name) => [`${name} wall`, 'CPU'])];
  printTable(print, 'Its parts here, wall and CPU s.', columns, tables.parts);
  printTable(
    print,
    'The layout alone, from the same neighbours and start. Ratio: CPU time to ours of one thread. Times faster: wall ' +
      'time of one thread to this.',
    ['by', 'n', 'threads', 'wall s', 'CPU s', 'ratio', 'times faster', 'trust.', 'kept'],
    tables.layouts,
  );
}

async function benchSize(
  n: number,
  folder: string,
  options: BenchOptions,
  python: string | null,
  print: Print,
  { whole, parts, layouts }: Tables,
): Promise<void> {
  const { k, threads, seed, withPeers } = options;
  const file = (name: string): string => join(folder, name);
  const { of, d } = await writePaperVectors(options, n, file('points.f32'), print);
  const points = readFloats(file('points.f32'));
  const job: UmapJob = {
    ...{ n, d, nNeighbors: k + 1, nComponents, minDist, epochs: defaultEpochs(n), threads: threads[0], seed },
    ...{ points: file('points.f32'), layout: file('layout.f32'), start: file('start.f32') },
    ...{ neighbors: file('neighbors.i32'), distances: file('distances.f32') },
  };
  let ours: { total: Timing; layout: Timing; processSeconds: number } | null = null;
  const ratioOf = (seconds: number, base: number | undefined): number | null =>
    base === undefined ? null : seconds / base;
  const judged = (): [number | null, number | null] => {
    if (n <= 30) return [null, null];
    const placed = readFloats(job.layout);
    const wanted = { n, d, nComponents, k: 15, metric: 'cosine', rows: qualityRows } as const;
    const quality = neighborhoodQuality(points, placed, wanted);
    return [quality.trustworthiness, quality.neighborsKept];
  };
  const addWhole = (by: string, count: number, timing: Timing, processSeconds: number, peak: number) =>
    whole.push([
      ...[by, of, n, d, k + 1, count, timing.wallSeconds, timing.cpuSeconds, processSeconds, peak],
      ratioOf(timing.cpuSeconds, ours?.total.cpuSeconds),
      ratioOf(processSeconds, ours?.processSeconds),
      ...judged(),
    ]);
  const addLayout = (by: string, count: number, timing: Timing) =>
    layouts.push([
      ...[by, n, count, timing.wallSeconds, timing.cpuSeconds],
      ratioOf(timing.cpuSeconds, ours?.layout.cpuSeconds),
      ours === null ? null : ours.layout.wallSeconds / timing.wallSeconds,
      ...judged(),
    ]);

  for (const count of threads) {
    await attempt(print, `UMAP, n ${n}`, async () => {
      const ended = await runTask<UmapResult>('umap', { ...job, threads: count });
      const times = ended.result.parts;
      const total = Object.values(times).reduce(sum);
      ours ??= { total, layout: times.layout, processSeconds: ended.cpuSeconds };
      const costs = Object.values(times).flatMap((part) => [part.wallSeconds, part.cpuSeconds]);
      parts.push([n, count, ...costs]);
      addWhole('scinertopic', count, total, ended.cpuSeconds, ended.peakMegabytes);
      whole[whole.length - 1].push(ended.result.sha256);
      addLayout('scinertopic', count, times.layout);
    });
  }
  if (!withPeers) return;
  if (n <= mostUmapJsRows) {
    await attempt(print, `umap-js, n ${n}`, async () => {
      const ended = await runTask<Timing>('umap-js', job);
      addWhole('umap-js', 1, ended.result, ended.cpuSeconds, ended.peakMegabytes);
      whole[whole.length - 1].push('');
    });
  }
  if (python === null) return;
  await attempt(print, `umap-learn, n ${n}`, async () => {
    const peer = await runPeer(python, 'umap-learn', job);
    addWhole(`umap-learn ${peer.version}`, 1, peer, peer.processCpuSeconds, peer.peakMegabytes);
    whole[whole.length - 1].push('');
  });
  await attempt(print, `umap-learn's layout, n ${n}`, async () => {
    const peer = await runPeer(python, 'umap-learn-layout', job);
    addLayout(`umap-learn ${peer.version}`, 1, peer);
  });
}

const sum = (a: Timing, b: Timing): Timing => ({
  wallSeconds: a.wallSeconds + b.wallSeconds,
  cpuSeconds: a.cpuSeconds + b.cpuSeconds,
});
