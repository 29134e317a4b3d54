/**
 * More papers than a corpus has: each further one takes half its sentences from a paper and half from one of its
 * nearest neighbours. Words are real, vectors lie where vectors of such papers lie, and no two texts are equal.
 */

import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { openEncoder } from '../../pipeline/model/document-encoder.ts';
import { nearestNeighbors } from '../../pipeline/model/neighbor-search.ts';
import { resolveModel } from '../../pipeline/model/reference.ts';
import { evenlySpread } from './papers.ts';

export interface MixJob {
  /** JSON lines with id, title, abstract and year, and how many stand in it. */
  corpus: string;
  papers: number;
  /** Papers to write: those of the corpus first. */
  wanted: number;
  /** A gzip file of JSON lines. */
  to: string;
}

interface Paper {
  id: string;
  title: string;
  abstract: string;
  year: number | null;
}

const batchSize = 1_000;

export async function mixPapersTask({ corpus, papers, wanted, to }: MixJob): Promise<{ written: number }> {
  const all: Paper[] = [];
  for await (const line of evenlySpread(corpus, papers, papers)) {
    const { id, title, abstract, year } = JSON.parse(line) as Paper;
    all.push({ id, title, abstract, year });
  }
  const n = all.length;
  const k = Math.ceil(wanted / n) - 1;
  const neighbors = k < 1 ? new Int32Array(0) : await neighborsOf(all, k);
  let written = 0;
  function* lines(): Generator<string> {
    for (let copy = 0; written < wanted; copy++) {
      for (let i = 0; i < n && written < wanted; i++) {
        const paper = copy === 0 ? all[i] : mixed(all[i], all[neighbors[i * k + copy - 1]], copy);
        written++;
        yield `${JSON.stringify(paper)}\n`;
      }
    }
  }
  await pipeline(Readable.from(lines()), createGzip({ level: 1 }), createWriteStream(to));
  return { written };
}

/** The k nearest other papers of each, nearest first. */
async function neighborsOf(papers: readonly Paper[], k: number): Promise<Int32Array> {
  const encoder = await openEncoder(resolveModel('builtin:static', process.cwd()).folder, {});
  const n = papers.length;
  const d = encoder.dimensions;
  const vectors = new Float32Array(n * d);
  for (let from = 0; from < n; from += batchSize) {
    vectors.set(await encoder.encode(papers.slice(from, from + batchSize)), from * d);
  }
  await encoder.close();
  return (await nearestNeighbors(vectors, { n, d, k, metric: 'cosine' })).indices;
}

function mixed(a: Paper, b: Paper, copy: number): Paper {
  const firstWords = a.title.split(' ');
  const lastWords = b.title.split(' ');
  const half = [Math.ceil(firstWords.length / 2), Math.floor(lastWords.length / 2)];
  const others = sentencesOf(b.abstract);
  const sentences = sentencesOf(a.abstract).map((sentence, i) =>
    i % 2 === 0 ? sentence : (others[i] ?? sentence),
  );
  return {
    id: `${a.id}+${copy}`,
    title: [...firstWords.slice(0, half[0]), ...lastWords.slice(half[1])].join(' '),
    abstract: sentences.join(' '),
    year: a.year,
  };
}

function sentencesOf(text: string): string[] {
  return text.split(/(?<=[.!?])\s+(?=\p{Lu})/u);
}
