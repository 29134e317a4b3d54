/** Fields that the first night had no paper of: how soon they become topics, and what a long drift towards them costs. */

import type { Cell } from './table.ts';
import { fieldAgreement } from './topic-agreement.ts';
import { type Corpus, type Night, type NightOptions, night } from './topic-nights.ts';

/** Fields held out, papers of each a night, and others a night as a share of the first. */
const FIELDS = 8;
const FIELD_PAPERS = 6;
const OTHERS = 0.01;
/** By then four times min_cluster_size papers of each field have come. */
const FIELD_NIGHTS = 10;
/** A topic is the field's from this F1 on. */
const LEAST_FIT = 0.4;

const DRIFT_NIGHTS = 24;
const DRIFT_FIELDS = 20;
/** Papers a night, as a share of the first night; of the new fields from a 24th of them on the first to all on the last. */
const DRIFT_PAPERS = 0.0125;

export interface NewFields {
  /** One row for each field: papers there were when found, F1 on the last night, and that of a fit without memory. */
  rows: Cell[][];
  /** Fields that a fit without memory finds, and those of them that were found. */
  findable: number;
  found: number;
}

/** Holds fields out of the first night and brings them in, a few papers of each a night. */
export async function measureNewFields(
  corpus: Corpus,
  field: readonly string[],
  base: number,
  options: NightOptions,
): Promise<NewFields> {
  const papersOf = byField(field);
  const needed = FIELD_PAPERS * FIELD_NIGHTS;
  const able = [...papersOf].filter(([, papers]) => papers.length >= needed && papers.length <= 3 * needed);
  able.sort(([a, p], [b, q]) => q.length - p.length || (a < b ? -1 : 1));
  const step = Math.max(1, Math.floor(able.length / FIELDS));
  const held = able.filter((_, i) => i % step === 0).slice(0, FIELDS);
  const isHeld = new Set(held.flatMap(([, papers]) => papers));
  const others = field.map((_, paper) => paper).filter((paper) => !isHeld.has(paper));

  let papers = others.slice(0, base);
  const first = await night(corpus, papers, null, options);
  let last = first;
  const foundAt = new Map<string, number>();
  for (let at = 0; at < FIELD_NIGHTS; at++) {
    const come = Math.round(base * OTHERS);
    papers = papers.concat(others.slice(base + come * at, base + come * (at + 1)));
    for (const [, own] of held) papers.push(...own.slice(FIELD_PAPERS * at, FIELD_PAPERS * (at + 1)));
    last = await night(corpus, papers, last, options);
    for (const [name] of held) {
      if (foundAt.has(name) || bestFit(last, field, name, first.nextTopicId) < LEAST_FIT) continue;
      foundAt.set(name, FIELD_PAPERS * (at + 1));
    }
  }
  const without = await night(corpus, papers, null, options);
  const isFindable = (name: string): boolean => bestFit(without, field, name, 0) >= LEAST_FIT;
  return {
    rows: held.map(([name]): Cell[] => [
      name,
      foundAt.get(name) ?? null,
      bestFit(last, field, name, first.nextTopicId),
      bestFit(without, field, name, 0),
    ]),
    findable: held.filter(([name]) => isFindable(name)).length,
    found: held.filter(([name]) => isFindable(name) && foundAt.has(name)).length,
  };
}

/** NMI with the fields after a long drift, of all papers and of those of the new fields, beside a fresh fit. */
export interface Drift {
  nights: number;
  rebuilds: number;
  newPapers: number;
  all: number;
  allFresh: number;
  fresh: number;
  freshFresh: number;
}

export async function measureDrift(
  corpus: Corpus,
  field: readonly string[],
  base: number,
  options: NightOptions,
): Promise<Drift> {
  const largest = [...byField(field)].sort(([a, p], [b, q]) => q.length - p.length || (a < b ? -1 : 1));
  const unseen = new Set(
    largest
      .filter((_, i) => i % 3 === 1)
      .slice(0, DRIFT_FIELDS)
      .map(([name]) => name),
  );
  const isNew = (paper: number): boolean => unseen.has(field[paper]);
  const news = field.map((_, paper) => paper).filter(isNew);
  const olds = field.map((_, paper) => paper).filter((paper) => !isNew(paper));
  const come = Math.round(base * DRIFT_PAPERS);
  let papers = olds.splice(0, base);
  let last = await night(corpus, papers, null, options);
  let rebuilds = 0;
  let newPapers = 0;
  for (let at = 1; at <= DRIFT_NIGHTS; at++) {
    const fresh = news.splice(0, Math.round((come * at) / DRIFT_NIGHTS));
    newPapers += fresh.length;
    papers = papers.concat(fresh, olds.splice(0, come - fresh.length));
    last = await night(corpus, papers, last, options);
    if (last.reduced.rebuilt !== '') rebuilds++;
  }
  const without = await night(corpus, papers, null, options);
  return {
    nights: DRIFT_NIGHTS,
    rebuilds,
    newPapers,
    all: fieldAgreement(last, last.topic, field),
    allFresh: fieldAgreement(without, without.topic, field),
    fresh: fieldAgreement(last, last.topic, field, isNew),
    freshFresh: fieldAgreement(without, without.topic, field, isNew),
  };
}

function byField(field: readonly string[]): Map<string, number[]> {
  const papersOf = new Map<string, number[]>();
  field.forEach((name, paper) => {
    const papers = papersOf.get(name);
    if (papers === undefined) papersOf.set(name, [paper]);
    else papers.push(paper);
  });
  return papersOf;
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
