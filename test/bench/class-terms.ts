/**
 * c-TF-IDF: weighing alone on drawn counts, and from texts, words cut, counted and weighed, beside scikit-learn's
 * CountVectorizer with BERTopic's formula, on the same file of texts.
 */

import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BenchOptions } from './bench.ts';
import type { ClassTermsJob, ClassTermsResult, ClassTfIdfJob } from './class-terms-tasks.ts';
import {
  attempt,
  findPython,
  type PeerResult,
  runPeer,
  runTask,
  withScratchFolder,
} from './measured-process.ts';
import { absent, countPapers, readPapers } from './papers.ts';
import { type Cell, printTable } from './table.ts';
import type { Timing } from './timing.ts';

type Print = (line: string) => void;

const papers = 20_000;
const classes = 200;
/** Neighbouring papers go to different classes, and every class gets as many. */
const classStep = 7_919;

export async function benchClassTerms(options: BenchOptions, print: Print): Promise<void> {
  await weighingAlone(options, print);
  await fromTexts(options, print);
}

async function weighingAlone(options: BenchOptions, print: Print): Promise<void> {
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

async function fromTexts({ corpora, withPeers }: BenchOptions, print: Print): Promise<void> {
  const total = await countPapers(corpora.acl);
  if (total === null) {
    print(`c-TF-IDF from texts. ${absent(corpora.acl)}`);
    return;
  }
  const python = withPeers ? await findPython('import sklearn') : null;
  if (withPeers && python === null) {
    print('scikit-learn: no Python can import it (set BENCH_PYTHON); left out.');
  }
  const rows: Cell[][] = [];
  await withScratchFolder(async (folder) => {
    const texts = join(folder, 'texts.jsonl');
    await writeTexts(corpora.acl, total, texts);
    for (const words of [1, 2]) {
      const job: ClassTermsJob = { texts, c: classes, words };
      const name = words === 1 ? 'words' : `1–${words}-grams`;
      await attempt(print, `c-TF-IDF of ${name}`, async () => {
        const ended = await runTask<ClassTermsResult>('class-terms', job);
        const { v, entries, wallSeconds, cpuSeconds, sha256 } = ended.result;
        rows.push([name, 'scinertopic', v, entries, wallSeconds, cpuSeconds, ended.peakMegabytes, sha256]);
      });
      if (python === null) continue;
      await attempt(print, `scikit-learn, ${name}`, async () => {
        const peer = await runPeer<PeerResult & { v: number; entries: number }>(python, 'class-terms', job);
        const { version, v, entries, wallSeconds, cpuSeconds, peakMegabytes } = peer;
        rows.push([name, `scikit-learn ${version}`, v, entries, wallSeconds, cpuSeconds, peakMegabytes, '']);
      });
    }
  });
  printTable(
    print,
    `c-TF-IDF from ${Math.min(papers, total)} titles and abstracts in ${classes} classes, one thread, texts in memory. ` +
      'Python joins the texts of a class to one, so that its pairs of words run over from text to text.',
    ['terms', 'by', 'v', 'm', 'wall s', 'CPU s', 'peak MB', 'sha256'],
    rows,
  );
}

async function writeTexts(corpus: string, total: number, to: string): Promise<void> {
  const { title, abstract } = await readPapers(corpus, total, papers);
  const lines = title.map((text, i) => {
    const given = { text: `${text}. ${abstract[i]}`, class: (i * classStep) % classes };
    return `${JSON.stringify(given)}\n`;
  });
  await pipeline(Readable.from(lines), createWriteStream(to));
}
