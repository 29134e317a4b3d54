/** Papers in the order in which they come: ACL's by year, arXiv's by chance, each in several streams. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

export interface Papers {
  id: string[];
  title: string[];
  abstract: string[];
  /** Field of each paper; '' where the source names none. */
  field: string[];
}

/** Papers of one stream, in the order in which they come; the first night takes as many as it likes from the front. */
export interface PaperStream {
  /** What tells it from the others. */
  name: string;
  papers: Papers;
}

/** Last years of the first night, one for each stream in time order. */
const LAST_YEARS = [2021, 2018];

/**
 * Papers in time order, by chance within a year: the last of them up to the end of a year, then those after.
 *
 * @param base Papers of the first night.
 * @param more Papers after it.
 */
export async function streamsInTimeOrder(
  path: string,
  streams: number,
  base: number,
  more: number,
): Promise<PaperStream[]> {
  const all = await readAll(path);
  const rows = all.year.map((_, i) => i);
  rows.sort((a, b) => all.year[a] - all.year[b] || all.rank[a] - all.rank[b]);
  return LAST_YEARS.slice(0, streams).map((year) => {
    const after = rows.findIndex((i) => all.year[i] > year);
    const end = after < 0 ? rows.length : after;
    return { name: `to ${year}`, papers: pick(all, rows.slice(Math.max(0, end - base), end + more)) };
  });
}

/** Papers in an order by chance; streams share none. */
export async function streamsByChance(path: string, streams: number, papers: number): Promise<PaperStream[]> {
  const all = await readAll(path);
  const rows = all.rank.map((_, i) => i).sort((a, b) => all.rank[a] - all.rank[b]);
  return Array.from({ length: streams }, (_, s) => ({
    name: `by chance ${s + 1}`,
    papers: pick(all, rows.slice(papers * s, papers * (s + 1))),
  }));
}

interface AllPapers extends Papers {
  year: number[];
  /** Places in an order by chance. */
  rank: number[];
}

function pick(all: AllPapers, rows: readonly number[]): Papers {
  return {
    id: rows.map((i) => all.id[i]),
    title: rows.map((i) => all.title[i]),
    abstract: rows.map((i) => all.abstract[i]),
    field: rows.map((i) => all.field[i]),
  };
}

async function readAll(path: string): Promise<AllPapers> {
  const all: AllPapers = { id: [], title: [], abstract: [], field: [], year: [], rank: [] };
  const seen = new Set<string>();
  const lines = createInterface({ input: createReadStream(path).pipe(createGunzip()), crlfDelay: Infinity });
  for await (const line of lines) {
    if (line === '') continue;
    const { id, title, abstract, year, categories } = JSON.parse(line) as Record<string, unknown>;
    if (typeof title !== 'string' || typeof abstract !== 'string' || abstract.length < 100) continue;
    if (seen.has(String(id))) continue;
    seen.add(String(id));
    all.id.push(String(id));
    all.title.push(title);
    all.abstract.push(abstract);
    all.field.push(String(categories ?? '').split(/[ ;,]/)[0]);
    all.year.push(Number(year ?? 0));
    all.rank.push(createHash('sha256').update(String(id)).digest().readUInt32BE());
  }
  return all;
}
