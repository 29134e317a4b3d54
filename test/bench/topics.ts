/**
 * From stored vectors to named topics: our reduce, cluster and label stages, each as a command of its own, beside
 * BERTopic on the same vectors and texts (its steps by umap-learn and scikit-learn where it is not installed).
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../pipeline/model/package-root.ts';
import { openForReading } from '../../pipeline/store/open.ts';
import type { Bench } from './bench.ts';
import { writeNumbers } from './float-file.ts';
import { jobConfig } from './job-config.ts';
import { attempt, findPython, runNode, runPython, withScratchFolder } from './measured-process.ts';
import { absent, countPapers, writeSample } from './papers.ts';
import { type Cell, printTable } from './table.ts';
import type { Timing } from './timing.ts';

const cli = join(packageRoot(), 'dist', 'pipeline', 'cli.js');
const database = 'pipeline.db';
const stages = ['reduce', 'cluster', 'label'] as const;
const defaultSize = 50_000;
/** Nothing of one run is kept for the next, by the peer neither. */
const alone = { backups: 0, refresh: 'refit' };
const oneLayout = { tries: 1 };

/** What topic-peers.py prints. */
interface PeerResult {
  name: string;
  cold: Timing;
  warm: Timing;
  peakMegabytes: number;
  topics: number;
  noise: number;
}

interface Summary {
  topics: number;
  noise_share: number;
}

export const topicsBench: Bench = {
  name: 'topics',
  about: 'reduce, cluster and label from stored vectors of 50,000 ACL papers, beside BERTopic',
  async run({ sizes, threads, seed, corpora, withPeers }, print) {
    const papers = await countPapers(corpora.acl);
    if (papers === null) {
      print(absent(corpora.acl));
      return;
    }
    const python = withPeers
      ? await findPython('import umap, sklearn.cluster; sklearn.cluster.HDBSCAN')
      : null;
    if (withPeers && python === null) {
      print(
        'BERTopic: no Python can import umap and scikit-learn with HDBSCAN (set BENCH_PYTHON); left out.',
      );
    }
    const rows: Cell[][] = [];
    for (const n of (sizes ?? [defaultSize]).map((size) => Math.min(size, papers))) {
      await withScratchFolder(async (folder) => {
        await writeSample(corpora.acl, papers, n, join(folder, 'papers.jsonl.gz'));
        let base: number | null = null;
        for (const count of threads) {
          writeFileSync(
            join(folder, 'config.yaml'),
            jobConfig({ database, seed, threads: count }, { run: alone, reduce: oneLayout }),
          );
          const command = (...args: string[]) =>
            runNode(cli, ['pipeline', ...args, '--config', 'config.yaml', '--json'], { cwd: folder });
          await attempt(print, `topics, n ${n}`, async () => {
            await command();
            const taken = { wallSeconds: 0, cpuSeconds: 0, peakMegabytes: 0, shares: [] as number[] };
            let stdout = '';
            for (const stage of stages) {
              const ended = await command('--only', stage);
              taken.wallSeconds += ended.wallSeconds;
              taken.cpuSeconds += ended.cpuSeconds;
              taken.peakMegabytes = Math.max(taken.peakMegabytes, ended.peakMegabytes);
              taken.shares.push(ended.cpuSeconds);
              stdout = ended.stdout;
            }
            const { topics, noise_share } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Summary;
            base ??= taken.cpuSeconds;
            rows.push([
              ...['scinertopic', n, count, taken.wallSeconds, taken.cpuSeconds, ...taken.shares],
              ...[taken.peakMegabytes, taken.cpuSeconds / base, topics, noise_share],
            ]);
          });
        }
        if (python === null) return;
        await attempt(print, `BERTopic, n ${n}`, async () => {
          const job = { ...writeInput(folder), seed, minClusterSize: 15, minSamples: 5 };
          const peer = await runPython<PeerResult>(python, 'topic-peers.py', [JSON.stringify(job)]);
          for (const start of ['warm', 'cold'] as const) {
            const { wallSeconds, cpuSeconds } = peer[start];
            rows.push([
              ...[`${peer.name}, ${start}`, job.n, 1, wallSeconds, cpuSeconds, null, null, null],
              ...[peer.peakMegabytes, base === null ? null : cpuSeconds / base, peer.topics, peer.noise],
            ]);
          }
        });
      });
    }
    printTable(
      print,
      'Topics from stored vectors. Ours: three processes, with their starts, reading and writing the database and a map ' +
        'in the plane. Cold: with importing and compiling. Ratio: CPU time to ours of one thread.',
      [
        ...['by', 'n', 'threads', 'wall s', 'CPU s', ...stages.map((stage) => `${stage} CPU s`)],
        ...['peak MB', 'ratio', 'topics', 'noise'],
      ],
      rows,
    );
  },
};

/** The vectors and texts of the finished run, in files for the peer. */
function writeInput(folder: string): { points: string; texts: string; n: number; d: number } {
  const store = openForReading(join(folder, database));
  try {
    const stored = store
      .prepare(
        'SELECT d.title, d.abstract, e.vector FROM document d JOIN embedding e USING (document_key) ORDER BY d.order_key, d.id',
      )
      .raw()
      .all() as [string, string, Buffer][];
    const d = stored[0][2].length / 4;
    const points = new Float32Array(stored.length * d);
    stored.forEach(([, , vector], i) => {
      new Uint8Array(points.buffer).set(vector, i * d * 4);
    });
    const file = { points: join(folder, 'points.f32'), texts: join(folder, 'texts.jsonl') };
    writeNumbers(file.points, points);
    const lines = stored.map(([title, abstract]) => JSON.stringify(`${title}. ${abstract}`));
    writeFileSync(file.texts, `${lines.join('\n')}\n`);
    return { ...file, n: stored.length, d };
  } finally {
    store.close();
  }
}
