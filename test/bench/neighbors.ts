/**
 * Nearest neighbours of real papers' vectors (of synthetic ones where there is no corpus): the exact search, the
 * approximate one, and pynndescent where a Python has it, as umap-learn calls it.
 */

import { join } from 'node:path';
import { rowDistance } from '../../pipeline/math/distance.ts';
import type { BenchOptions } from './bench.ts';
import { readFloats, readLabels } from './float-file.ts';
import {
  attempt,
  findPython,
  type PeerResult,
  runPeer,
  runTask,
  withScratchFolder,
} from './measured-process.ts';
import type { NeighborsJob, NeighborsResult } from './neighbor-tasks.ts';
import { writePaperVectors } from './paper-vectors.ts';
import { type Cell, printTable } from './table.ts';

type Print = (line: string) => void;

const defaultSizes = [10_000, 50_000, 200_000];
/** Beyond this all pairs take minutes. */
const mostExactRows = 50_000;
/** Rows that are compared with all others in float64, for the recall. */
const judgedRows = 250;

export async function benchNeighbors(options: BenchOptions, print: Print): Promise<void> {
  const { k, threads, seed, withPeers } = options;
  const python = withPeers ? await findPython('import pynndescent') : null;
  if (withPeers && python === null)
    print('pynndescent: no Python can import it (set BENCH_PYTHON); left out.');
  const rows: Cell[][] = [];
  for (const n of options.sizes ?? defaultSizes) {
    await withScratchFolder(async (folder) => {
      const points = join(folder, 'points.f32');
      const { of, d } = await writePaperVectors(options, n, points, print);
      const truth = await judge(readFloats(points), n, d, k);
      const indices = join(folder, 'neighbors.i32');
      const job: NeighborsJob = { points, n, d, k, threads: 1, search: 'approximate', seed, indices };
      const add = (by: string, count: number, { wall, cpu, peak, sha256 }: Row): void => {
        const recall = truth.recallOf(readLabels(indices));
        rows.push([by, of, n, d, count, wall, cpu, peak, recall, sha256]);
      };
      for (const search of n > mostExactRows
        ? (['approximate'] as const)
        : (['exact', 'approximate'] as const)) {
        for (const count of threads) {
          await attempt(print, `k-NN, n ${n}`, async () => {
            const ended = await runTask<NeighborsResult>('neighbors', { ...job, search, threads: count });
            const { wallSeconds: wall, cpuSeconds: cpu } = ended.result.search;
            add(search, count, { wall, cpu, peak: ended.peakMegabytes, sha256: ended.result.sha256 });
          });
        }
      }
      if (python === null) return;
      await attempt(print, `pynndescent, n ${n}`, async () => {
        const peer = await runPeer(python, 'pynndescent', job);
        add(`pynndescent ${peer.version}`, 1, rowOf(peer));
      });
    });
  }
  printTable(
    print,
    `Cosine k-NN, k ${k}, the row itself excluded. Exact up to n ${mostExactRows}; pynndescent after compiling. ` +
      `Recall over ${judgedRows} rows.`,
    ['by', 'vectors of', 'n', 'd', 'threads', 'wall s', 'CPU s', 'peak MB', 'recall', 'sha256'],
    rows,
  );
}

interface Row {
  wall: number;
  cpu: number;
  peak: number;
  sha256: string;
}

function rowOf(peer: PeerResult): Row {
  return { wall: peer.wallSeconds, cpu: peer.cpuSeconds, peak: peer.peakMegabytes, sha256: '' };
}

/** Compares some rows with all, which takes a while in plain code but shares nothing with what is judged. */
async function judge(
  vectors: Float32Array,
  n: number,
  d: number,
  k: number,
): Promise<{ recallOf: (indices: Int32Array) => number }> {
  const distance = rowDistance(vectors, n, d, 'cosine');
  const judged = Array.from({ length: judgedRows }, (_, s) => Math.floor(((s + 0.5) * n) / judgedRows));
  const furthest = judged.map((i) => {
    const distances = Float64Array.from({ length: n }, (_, j) => (j === i ? Infinity : distance(i, j)));
    return distances.sort()[k - 1];
  });
  return {
    recallOf: (indices) => {
      let found = 0;
      judged.forEach((i, s) => {
        for (let x = i * k; x < (i + 1) * k; x++) if (distance(i, indices[x]) <= furthest[s]) found++;
      });
      return found / (judgedRows * k);
    },
  };
}
