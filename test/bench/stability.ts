/**
 * How far topics hold still when the corpus grows and shrinks a little, beside a fit that remembers nothing but ids;
 * and how many papers a new theme needs to become a topic. ACL papers come in time order, arXiv's in random order.
 */

import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import {
  adjustedRandIndex,
  normalizedMutualInformation,
} from '../../pipeline/evaluate/clustering-agreement.ts';
import type { Bench } from './bench.ts';
import { withScratchFolder } from './measured-process.ts';
import { absent } from './papers.ts';
import { type Cell, printTable } from './table.ts';
import { type Corpus, encode, type Night, night } from './topic-nights.ts';

interface Papers {
  id: string[];
  title: string[];
  abstract: string[];
  /** Field of each paper; '' where the source names none. */
  field: string[];
}

const header = ['papers', 'change', 'way', 'ari', 'both', 'id', 'noise', 'topics', 'born', 'retired'];

/** Papers of each held-out field a night, and others a night as a share of the first. */
const THEME_PAPERS = 6;
const THEME_OTHERS = 0.01;
const THEME_NIGHTS = 11;
const THEMES = 8;

export const stabilityBench: Bench = {
  name: 'stability',
  about: 'how far topics hold still from night to night, and how soon new themes are found (--n first night)',
  async run({ corpora, sizes, seed }, print) {
    const rows: Cell[][] = [];
    const themes: Cell[][] = [];
    for (const [name, path, size] of [
      ['acl', corpora.acl, 6000],
      ['arxiv', corpora.arxiv, 12_000],
    ] as const) {
      if (!existsSync(path)) {
        print(absent(path));
        continue;
      }
      const base = sizes?.[0] ?? size;
      await withScratchFolder(async (folder) => {
        const papers = name === 'acl' ? await inTimeOrder(path, base) : await inRandomOrder(path, base);
        const corpus = await encode(papers, base, folder, seed);
        rows.push(...(await measureChanges(name, corpus, base, seed)));
        if (name === 'arxiv') themes.push(...(await measureThemes(corpus, papers.field, base / 2, seed)));
      });
    }
    printTable(
      print,
      "Change of one night (or of several in a row) against the first. ari: adjusted Rand index of common papers, outliers as one class; both: of those in topics on both nights; id: share of topics whose id has Jaccard 0.5 or more; noise: move of the outliers' share.",
      header,
      rows,
    );
    printTable(
      print,
      `Held-out fields, ${THEME_PAPERS} papers of each a night: papers of the field there were when a new id first fitted it with F1 0.4 or more, and best F1 on the last night (a fit without memory beside it).`,
      ['field', 'found at', 'F1', 'F1 without memory', 'NMI of all', 'NMI without memory'],
      themes,
    );
  },
};

async function measureChanges(name: string, corpus: Corpus, base: number, seed: number): Promise<Cell[][]> {
  const first = await night(corpus, upTo(base), null, 'steady', seed);
  const rows: Cell[][] = [];
  const tell = (change: string, way: string, from: Night, to: Night): void => {
    const count = (event: string): number => to.events.filter((e) => e.event === event).length;
    const { ari, both, id, noise, topics } = agreement(from, to);
    rows.push([name, change, way, ari, both, id, noise, topics, count('born'), count('retired')]);
  };
  for (const share of [0.01, 0.05, 0.2, -0.01, -0.05]) {
    const papers =
      share > 0
        ? upTo(Math.round(base * (1 + share)))
        : upTo(base).filter((paper) => (paper * 7919) % 1000 >= -1000 * share);
    const change = `${share > 0 ? '+' : '−'}${Math.abs(100 * share)}%`;
    tell(change, 'steady', first, await night(corpus, papers, first, 'steady', seed));
    tell(change, 'no memory', first, await night(corpus, papers, first, 'refit', seed));
  }
  for (const [share, nights] of [
    [0.01, 8],
    [0.05, 3],
  ]) {
    for (const way of ['steady', 'refit'] as const) {
      let last = first;
      let n = base;
      for (let at = 1; at <= nights; at++) {
        n = Math.round(n * (1 + share));
        const next = await night(corpus, upTo(n), last, way, seed);
        if (share === 0.05 && way === 'steady') tell(`+5%, night ${at}`, 'steady', last, next);
        last = next;
      }
      tell(`${nights} × +${100 * share}%`, way === 'steady' ? 'steady' : 'no memory', first, last);
    }
  }
  return rows;
}

async function measureThemes(
  corpus: Corpus,
  field: readonly string[],
  base: number,
  seed: number,
): Promise<Cell[][]> {
  const counts = new Map<string, number[]>();
  field.forEach((name, paper) => {
    const papers = counts.get(name);
    if (papers === undefined) counts.set(name, [paper]);
    else papers.push(paper);
  });
  const needed = THEME_PAPERS * THEME_NIGHTS;
  const able = [...counts].filter(([, papers]) => papers.length >= needed && papers.length <= 4 * needed);
  able.sort(([a, p], [b, q]) => q.length - p.length || (a < b ? -1 : 1));
  const held = able
    .filter((_, i) => i % Math.max(1, Math.floor(able.length / THEMES)) === 0)
    .slice(0, THEMES);
  const isHeld = new Set(held.flatMap(([, papers]) => papers));
  const others = field.map((_, paper) => paper).filter((paper) => !isHeld.has(paper));

  let papers = others.slice(0, base);
  const first = await night(corpus, papers, null, 'steady', seed);
  let last = first;
  const found = new Map<string, number>();
  for (let at = 0; at < THEME_NIGHTS; at++) {
    const come = Math.round(base * THEME_OTHERS);
    papers = papers.concat(others.slice(base + come * at, base + come * (at + 1)));
    for (const [, own] of held) papers.push(...own.slice(THEME_PAPERS * at, THEME_PAPERS * (at + 1)));
    last = await night(corpus, papers, last, 'steady', seed);
    for (const [name] of held) {
      if (found.has(name) || bestFit(last, field, name, first.nextTopicId) < 0.4) continue;
      found.set(name, THEME_PAPERS * (at + 1));
    }
  }
  const without = await night(corpus, papers, null, 'steady', seed);
  const agree = (of: Night): number => {
    const names = [...counts.keys()];
    const written = new Int32Array(of.topic.length);
    for (const [paper, row] of of.rowOf) written[row] = names.indexOf(field[paper]);
    return normalizedMutualInformation(of.topic, written);
  };
  return held.map(([name], i): Cell[] => [
    name,
    found.get(name) ?? null,
    bestFit(last, field, name, first.nextTopicId),
    bestFit(without, field, name, 0),
    i === 0 ? agree(last) : null,
    i === 0 ? agree(without) : null,
  ]);
}

/** Best F1 of a field and a topic with an id from `from` up. */
function bestFit({ rowOf, topic }: Night, field: readonly string[], name: string, from: number): number {
  const sizes = new Map<number, number>();
  const shared = new Map<number, number>();
  let all = 0;
  for (const [paper, row] of rowOf) {
    const id = topic[row];
    sizes.set(id, (sizes.get(id) ?? 0) + 1);
    if (field[paper] !== name) continue;
    all++;
    if (id >= from) shared.set(id, (shared.get(id) ?? 0) + 1);
  }
  return Math.max(0, ...[...shared].map(([id, both]) => (2 * both) / (all + (sizes.get(id) as number))));
}

function agreement(from: Night, to: Night) {
  const before: number[] = [];
  const after: number[] = [];
  for (const [paper, row] of from.rowOf) {
    const now = to.rowOf.get(paper);
    if (now === undefined) continue;
    before.push(from.topic[row]);
    after.push(to.topic[now]);
  }
  const both = before.map((_, i) => i).filter((i) => before[i] >= 0 && after[i] >= 0);
  const topics = new Set(before.filter((id) => id >= 0));
  let kept = 0;
  for (const id of topics) {
    let shared = 0;
    let either = 0;
    before.forEach((then, i) => {
      if (then === id && after[i] === id) shared++;
      if (then === id || after[i] === id) either++;
    });
    if (shared >= 0.5 * either) kept++;
  }
  const noise = ({ topic }: Night): number => topic.filter((id) => id < 0).length / topic.length;
  return {
    ari: adjustedRandIndex(Int32Array.from(before), Int32Array.from(after)),
    both: adjustedRandIndex(
      Int32Array.from(both, (i) => before[i]),
      Int32Array.from(both, (i) => after[i]),
    ),
    id: kept / topics.size,
    noise: Math.abs(noise(to) - noise(from)),
    topics: topics.size,
  };
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The last papers up to 2021, then those after, by year. */
async function inTimeOrder(path: string, base: number): Promise<Papers> {
  const all = await readAll(path);
  const rows = all.year
    .map((_, i) => i)
    .sort((a, b) => all.year[a] - all.year[b] || all.rank[a] - all.rank[b]);
  const end = rows.findIndex((i) => all.year[i] > 2021);
  return pick(all, rows.slice(Math.max(0, end - base), end + Math.ceil(0.4 * base)));
}

async function inRandomOrder(path: string, base: number): Promise<Papers> {
  const all = await readAll(path);
  const rows = all.rank.map((_, i) => i).sort((a, b) => all.rank[a] - all.rank[b]);
  return pick(all, rows.slice(0, Math.ceil(1.4 * base)));
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
