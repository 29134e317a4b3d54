/** Papers of the corpora that benches read, line by line, so that no file is held whole. */

import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

export interface Papers {
  title: string[];
  abstract: string[];
}

/** What a bench prints in place of figures. */
export function absent(path: string): string {
  return `Skipped: no corpus at ${path}. Name one with --acl or --arxiv (JSON lines with id, title, abstract, year; .gz is read as it is).`;
}

/** Number of papers; null when there is no such file. */
export async function countPapers(path: string): Promise<number | null> {
  if (!existsSync(path)) return null;
  let n = 0;
  for await (const line of lines(path)) if (line !== '') n++;
  return n;
}

/** Lines of `wanted` papers spread evenly over a file of n; all of them when fewer stand in it. */
export async function* evenlySpread(path: string, n: number, wanted: number): AsyncGenerator<string> {
  let at = -1;
  for await (const line of lines(path)) {
    if (line === '') continue;
    at++;
    // Line i is taken where the share of lines taken so far reaches the next whole number.
    if (Math.floor(((at + 1) * wanted) / n) > Math.floor((at * wanted) / n) || wanted >= n) yield line;
  }
}

/** Writes such lines to a gzip file of their own. */
export async function writeSample(from: string, n: number, wanted: number, to: string): Promise<void> {
  async function* withEnds(): AsyncGenerator<string> {
    for await (const line of evenlySpread(from, n, wanted)) yield `${line}\n`;
  }
  await pipeline(Readable.from(withEnds()), createGzip({ level: 1 }), createWriteStream(to));
}

/** Titles and abstracts as they stand in the file, uncleaned. */
export async function readPapers(path: string, n: number, wanted: number): Promise<Papers> {
  const papers: Papers = { title: [], abstract: [] };
  for await (const line of evenlySpread(path, n, wanted)) {
    const paper = JSON.parse(line) as { title?: unknown; abstract?: unknown };
    papers.title.push(typeof paper.title === 'string' ? paper.title : '');
    papers.abstract.push(typeof paper.abstract === 'string' ? paper.abstract : '');
  }
  return papers;
}

function lines(path: string): AsyncIterable<string> {
  const bytes = createReadStream(path);
  const plain = path.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes;
  return createInterface({ input: plain, crlfDelay: Infinity });
}
