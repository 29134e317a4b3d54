/**
 * How far topics hold still when the corpus grows and shrinks a little, beside a fit that remembers nothing but ids;
 * what that costs in quality; and how many papers a new theme needs to become a topic.
 */

import { existsSync } from 'node:fs';
import type { Bench } from './bench.ts';
import { withScratchFolder } from './measured-process.ts';
import { measureDrift, measureNewFields } from './new-fields.ts';
import { type PaperStream, streamsByChance, streamsInTimeOrder } from './paper-streams.ts';
import { absent } from './papers.ts';
import { printFloors, type StreamMeasures } from './stability-floors.ts';
import { type Cell, printTable } from './table.ts';
import { agreement, atEqualNoise, fieldAgreement, noiseOf, wordCoherence } from './topic-agreement.ts';
import { type Corpus, encode, type Layout, type Night, night } from './topic-nights.ts';

/** Papers of the first night, and those that come later as a share of them. */
const BASE = 6000;
const MORE = 0.35;
/** Papers of a stream by chance, as a multiple of those of the first night: fields need some of their own. */
const BY_CHANCE = 2.5;
/** New fields and drift begin with this share of it, since fields are held out of what there is. */
const FIELDS_BASE = 2 / 3;

const changeHeader = ['change', 'way', 'ari', 'both', 'stay', 'id', 'noise', 'topics', 'born', 'retired'];
const qualityHeader = ['change', 'outliers', 'NMI', 'NMI of a fresh fit', 'NPMI', 'NPMI of a fresh fit'];

export const stabilityBench: Bench = {
  name: 'stability',
  about: 'how far topics hold still from night to night, and how soon new themes are found (--n first night)',
  async run({ corpora, sizes, seed, quick, layouts }, print) {
    const base = sizes?.[0] ?? BASE;
    const measured = new Map<Layout, StreamMeasures[]>(layouts.map((layout) => [layout, []]));
    const papers = Math.ceil(base * (1 + MORE));
    for (const [name, path] of [
      ['arXiv', corpora.arxiv],
      ['ACL', corpora.acl],
    ] as const) {
      if (!existsSync(path)) {
        print(absent(path));
        continue;
      }
      const count = quick ? 1 : 2;
      const streams =
        name === 'ACL'
          ? await streamsInTimeOrder(path, count, base, papers - base)
          : await streamsByChance(path, count, Math.round(base * BY_CHANCE));
      for (const [s, stream] of streams.entries()) {
        await withScratchFolder(async (folder) => {
          const corpus = await encode(stream.papers, base, folder, seed + s);
          for (const layout of layouts) {
            const title = `${name}, ${stream.name}, ${layout}, ${base} papers on the first night`;
            const values = await measureStream(title, stream, corpus, layout, base, seed + s, print);
            measured.get(layout)?.push({ stream: `${name}, ${stream.name}`, values });
          }
        });
      }
    }
    for (const [layout, streams] of measured) {
      if (streams.length > 0) printFloors(print, `What is required of ${layout}.`, streams);
    }
  },
};

async function measureStream(
  title: string,
  { papers }: PaperStream,
  corpus: Corpus,
  layout: Layout,
  base: number,
  seed: number,
  print: (line: string) => void,
): Promise<Map<string, number>> {
  const options = { layout, seed };
  const labelled = papers.field.some((field) => field !== '');
  const { changes, quality, values } = await measureChanges(papers, corpus, layout, base, seed);
  printTable(
    print,
    `${title}. Change of one night, or of several in a row, against the night before the first of them. ari: adjusted Rand index of common papers, outliers as one class; both: of those in topics on both nights; stay: of those in topics before, the share in any after; id: share of topics whose id has Jaccard 0.5 or more; noise: move of the outliers' share.`,
    changeHeader,
    changes,
  );
  printTable(
    print,
    `${title}. Agreement with fields and coherence of words, beside a fresh fit by UMAP, at as many outliers as the one that has more.`,
    qualityHeader,
    quality,
  );
  if (!labelled) return values;
  const held = await measureNewFields(corpus, papers.field, Math.round(base * FIELDS_BASE), options);
  printTable(
    print,
    `${title.replace(/, \d.*/, '')}. Fields held out, six papers of each a night: papers of the field there were when a new id first fitted it with F1 0.4 or more; F1 on the tenth night. Of ${held.findable} that a fresh fit finds then, ${held.found} were found.`,
    ['field', 'found at', 'F1', 'F1 of a fresh fit'],
    held.rows,
  );
  if (held.findable > 0) {
    values.set('new fields found, of those that a fresh fit finds', held.found / held.findable);
  }
  const drift = await measureDrift(corpus, papers.field, Math.round(base * FIELDS_BASE), options);
  printTable(
    print,
    `${title.replace(/, \d.*/, '')}. ${drift.nights} nights of drift towards twenty new fields, ${drift.rebuilds} of them with a rebuild: NMI with the fields on the last night.`,
    ['papers', 'steady', 'fresh fit'],
    [
      ['all', drift.all, drift.allFresh],
      [`${drift.newPapers} of new fields`, drift.fresh, drift.freshFresh],
    ],
  );
  values.set('NMI after drift, less that of a fresh fit', drift.all - drift.allFresh);
  values.set('the same, papers of new fields', drift.fresh - drift.freshFresh);
  return values;
}

async function measureChanges(
  papers: PaperStream['papers'],
  corpus: Corpus,
  layout: Layout,
  base: number,
  seed: number,
): Promise<{ changes: Cell[][]; quality: Cell[][]; values: Map<string, number> }> {
  const steady = { layout, seed };
  const first = await night(corpus, upTo(base), null, steady);
  const changes: Cell[][] = [];
  const quality: Cell[][] = [];
  const values = new Map<string, number>();
  const tell = (change: string, way: string, from: Night, to: Night): void => {
    const count = (event: string): number => to.events.filter((e) => e.event === event).length;
    const { ari, both, stay, id, noise } = agreement(from, to);
    if (way === 'steady') {
      for (const [measure, value] of Object.entries({ ari, both, id, noise })) {
        values.set(`${change} ${measure}`, value);
      }
    }
    const topics = new Set(to.topic.filter((topic) => topic >= 0)).size;
    changes.push([change, way, ari, both, stay, id, noise, topics, count('born'), count('retired')]);
  };
  const judge = (change: string, held: Night, fresh: Night): void => {
    const [ours, theirs] = atEqualNoise(held, fresh);
    const labelled = papers.field.some((field) => field !== '');
    const fields = [held, fresh].map((of, i) =>
      labelled ? fieldAgreement(of, i === 0 ? ours : theirs, papers.field) : Number.NaN,
    );
    const words = [wordCoherence(held, ours, papers), wordCoherence(fresh, theirs, papers)];
    quality.push([change, noiseOf(ours), ...fields, ...words]);
    values.set(`NMI at ${change}, less that of a fresh UMAP`, fields[0] - fields[1]);
    values.set(`NPMI at ${change}, less that of a fresh UMAP`, words[0] - words[1]);
  };

  for (const share of [0.01, 0.05, 0.2, -0.01, -0.05]) {
    const there =
      share > 0
        ? upTo(Math.round(base * (1 + share)))
        : upTo(base).filter((paper) => (paper * 7919) % 1000 >= -1000 * share);
    const change = `${share > 0 ? '+' : '−'}${Math.abs(100 * share)}%`;
    const held = await night(corpus, there, first, steady);
    tell(change, 'steady', first, held);
    if (share < 0) continue;
    const fresh = await night(corpus, there, first, { layout, seed, refresh: 'refit' });
    tell(change, 'no memory', first, fresh);
    if (share < 0.2) continue;
    judge(
      change,
      held,
      layout === 'umap' ? fresh : await night(corpus, there, null, { layout: 'umap', seed }),
    );
  }

  let last = first;
  let born = 0;
  for (let at = 1; at <= 8; at++) {
    last = await night(corpus, upTo(Math.round(base * (1 + 0.01 * at))), last, steady);
    born += last.events.filter(({ event }) => event === 'born').length;
  }
  tell('8 × +1%', 'steady', first, last);
  values.set('births a night with no new theme', born / 8);
  changes.push(['8 × +1%, all births', 'steady', null, null, null, null, null, null, born, null]);

  last = first;
  for (let at = 1; at <= 6; at++) {
    const next = await night(corpus, upTo(Math.round(base * (1 + 0.05 * at))), last, steady);
    const isCutAnew = next.events.some(({ reason }) => reason !== '');
    const way = next.reduced.rebuilt !== '' ? 'rebuild' : isCutAnew ? 'cut anew' : 'steady';
    tell(`+5%, night ${at}`, way, last, next);
    if (at === 3) tell('3 × +5%', 'steady', first, next);
    last = next;
  }
  const end = upTo(Math.round(base * 1.3));
  judge('6 × +5%', last, await night(corpus, end, null, { layout: 'umap', seed }));
  return { changes, quality, values };
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
