/**
 * The whole job through the command line, as a user runs it, in a folder of its own: abstracts in, topics and
 * files out; then what is done every day on the finished database. Nothing is asserted; targets stand beside.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { packageRoot } from '../../pipeline/model/package-root.ts';
import { stageOrder } from '../../pipeline/order.ts';
import type { Bench } from './bench.ts';
import { jobConfig } from './job-config.ts';
import { judgeLabels, labelHeader, labelTitle } from './labels.ts';
import { attempt, type Measured, runNode, runTask, withScratchFolder } from './measured-process.ts';
import { absent, countPapers, writeSample } from './papers.ts';
import { type Cell, printTable } from './table.ts';
import { fingerprint } from './timing.ts';

const cli = join(packageRoot(), 'dist', 'pipeline', 'cli.js');

/** What the job has to stay below on two cores, by documents. */
const jobTargets = [
  { most: 10_000, seconds: 90, megabytes: 1_200 },
  { most: 51_396, seconds: 480, megabytes: 3_000 },
];
const readingSeconds = 2;
const database = 'outputs/pipeline.db';

/** Of the JSON summary that `pipeline --json` prints. */
interface Summary {
  documents_out: number;
  topics: number;
  noise_share: number;
  up_to_date: boolean;
  export: string;
  stages: Record<string, { state: string; seconds: number }>;
}

export const wholeJobBench: Bench = {
  name: 'whole-job',
  about:
    'the pipeline command on 10,000 and all ACL papers, then status, re-run and export; larger --n by mixing papers',
  async run({ sizes, threads, corpora, withArxiv, seed }, print) {
    const rows: JobRows = { jobs: [], stages: [], reading: [], terms: [] };
    for (const path of withArxiv ? [corpora.acl, corpora.arxiv] : [corpora.acl]) {
      const papers = await countPapers(path);
      if (papers === null) {
        print(absent(path));
        continue;
      }
      for (const n of new Set(sizes ?? [10_000, papers])) {
        for (const count of threads) {
          await attempt(print, `${basename(path)}, n ${n}, threads ${count}`, () =>
            withScratchFolder(async (folder) => {
              const to = join(folder, 'papers.jsonl.gz');
              if (n > papers) await runTask('mix-papers', { corpus: path, papers, wanted: n, to });
              else await writeSample(path, papers, n, to);
              writeFileSync(join(folder, 'config.yaml'), jobConfig({ database, seed, threads: count }));
              await measureFolder(folder, basename(path).replace(/\..*$/, ''), n, count, rows);
              // Topics are the same whatever the threads.
              if (count === threads[0]) rows.terms.push(...judgeLabels(join(folder, database)));
            }),
          );
        }
      }
    }
    printTable(
      print,
      'Whole job; sha256 of documents.csv is the same whatever the threads. Ratio: wall time to target, below 1 meets it.',
      [
        ...['corpus', 'n', 'kept', 'threads', 'wall s', 'target s', 'CPU s', 'peak MB', 'target MB', 'ratio'],
        ...['topics', 'noise', 'sha256'],
      ],
      rows.jobs,
    );
    printTable(print, 'Wall seconds by stage.', ['corpus', 'n', 'threads', ...stageOrder], rows.stages);
    printTable(
      print,
      'On the finished database, Node start included. Ratio: wall time to target, below 1 meets it.',
      ['command', 'corpus', 'n', 'threads', 'wall s', 'target s', 'CPU s', 'peak MB', 'ratio'],
      rows.reading,
    );
    printTable(print, labelTitle, labelHeader, rows.terms);
  },
};

interface JobRows {
  jobs: Cell[][];
  stages: Cell[][];
  reading: Cell[][];
  terms: Cell[][];
}

/** Runs the job in a prepared folder, then what reads its outcome, and adds what was measured. */
async function measureFolder(
  folder: string,
  corpus: string,
  n: number,
  threads: number,
  rows: JobRows,
): Promise<void> {
  const whole = await command(folder, 'pipeline', '--json');
  const summary = summaryOf(whole);
  const target = jobTargets.find(({ most }) => n <= most);
  rows.jobs.push([
    ...[corpus, n, summary.documents_out, threads, whole.wallSeconds, target?.seconds ?? null],
    ...[whole.cpuSeconds, whole.peakMegabytes, target?.megabytes ?? null],
    target === undefined ? null : whole.wallSeconds / target.seconds,
    ...[summary.topics, summary.noise_share],
    fingerprint(readFileSync(join(summary.export, 'documents.csv'))),
  ]);
  rows.stages.push([corpus, n, threads, ...stageOrder.map((name) => summary.stages[name].seconds)]);

  // Export runs when it is named, up to date or not.
  const daily: [string, string[]][] = [
    ['status', ['status']],
    ['pipeline, nothing new', ['pipeline', '--json']],
    ['pipeline --only export', ['pipeline', '--only', 'export', '--json']],
  ];
  for (const [name, args] of daily) {
    const ended = await command(folder, ...args);
    if (name === 'pipeline, nothing new' && !summaryOf(ended).up_to_date) {
      throw new Error('The second run found something to do.');
    }
    rows.reading.push([
      ...[name, corpus, n, threads, ended.wallSeconds, readingSeconds, ended.cpuSeconds],
      ...[ended.peakMegabytes, ended.wallSeconds / readingSeconds],
    ]);
  }
}

function command(folder: string, ...args: string[]): Promise<Measured> {
  return runNode(cli, [...args, '--config', 'config.yaml'], { cwd: folder });
}

function summaryOf({ stdout }: Measured): Summary {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Summary;
}
