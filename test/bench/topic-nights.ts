/** Nights of a growing and shrinking corpus through the reduce and cluster stages, as the store would hand them on. */

import { createHash } from 'node:crypto';
import type { History, Job, KeptLayout, Reduced, TopicEvent } from '../../pipeline/contract.ts';
import { stages } from '../../pipeline/order.ts';
import { findModel, modelPlaces } from '../../pipeline/provide-model.ts';
import { matrixRows } from '../matrix-rows.ts';

/** Papers and their vectors, by number. */
export interface Corpus {
  id: string[];
  d: number;
  vectors: Float32Array;
}

export type Layout = 'umap' | 'spectral';

export interface NightOptions {
  layout: Layout;
  seed: number;
  /** refit: nothing is kept but ids. Default: steady. */
  refresh?: 'steady' | 'refit';
}

/** What a night leaves. */
export interface Night {
  /** Place among the night's rows of each paper. */
  rowOf: Map<number, number>;
  /** Topic ids, −1 for outliers. */
  topic: Int32Array;
  probability: Float32Array;
  reduced: Reduced;
  events: TopicEvent[];
  nextTopicId: number;
  newborn: Set<number>;
  betterNights: number;
  strangeNights: number;
}

/**
 * Encodes papers by the shipped embedder, adapted to the first of them.
 *
 * @param adaptedTo Papers of the first night.
 * @param folder Scratch folder for the adapted model.
 */
export async function encode(
  papers: { id: string[]; title: string[]; abstract: string[] },
  adaptedTo: number,
  folder: string,
  seed: number,
): Promise<Corpus> {
  const columns = (from: number, to: number) => ({
    id: papers.id.slice(from, to),
    title: papers.title.slice(from, to),
    abstract: papers.abstract.slice(from, to),
    year: new Array<null>(to - from).fill(null),
  });
  const job = { ...jobOf(stages.embed.section.schema.parse({}), seed), baseFolder: folder };
  const kept = { adapted: null, modelsFolder: folder, documents: () => columns(0, adaptedTo) };
  const model = await stages.embed.prepare(job, kept);
  const work = await stages.embed.open(job.config, model, { device: 'cpu', threads: 1 });
  const n = papers.id.length;
  let corpus: Corpus | null = null;
  for (let from = 0; from < n; from += 256) {
    const { d, values } = await work(columns(from, Math.min(n, from + 256)));
    corpus ??= { id: papers.id, d, vectors: new Float32Array(n * d) };
    corpus.vectors.set(values, from * d);
  }
  if (corpus === null) throw new Error('Expected papers to encode, got none.');
  return corpus;
}

/**
 * One night.
 *
 * @param papers Numbers of the papers there are that night.
 * @param before The night before; null on the first.
 */
export async function night(
  corpus: Corpus,
  papers: readonly number[],
  before: Night | null,
  { layout, seed, refresh = 'steady' }: NightOptions,
): Promise<Night> {
  const rows = [...papers].sort((a, b) => compare(order(corpus.id[a]), order(corpus.id[b])));
  const n = rows.length;
  const { d } = corpus;
  const values = new Float32Array(n * d);
  rows.forEach((paper, i) => {
    values.set(corpus.vectors.subarray(paper * d, (paper + 1) * d), i * d);
  });
  const ids = rows.map((paper) => corpus.id[paper]);
  const kept = before === null || refresh === 'refit' ? null : keptLayout(rows, before);
  const reduceJob = jobOf(stages.reduce.section.schema.parse({ layout }), seed);
  const reduced = await stages.reduce.run(matrixRows({ n, d, values }), ids, kept, '', reduceJob);
  const history = before === null ? null : historyOf(rows, before);
  const clustered = await stages.cluster.run(
    reduced.reduced,
    ids,
    { refresh, history, late: reduced.late, rebuilt: reduced.rebuilt, resettled: '' },
    jobOf(stages.cluster.section.schema.parse({}), seed),
  );
  const { topic, probability } = clustered.assignments;
  const fresh = new Set(topic.filter((id) => id >= (before?.nextTopicId ?? 0)));
  return {
    rowOf: new Map(rows.map((paper, i) => [paper, i])),
    topic,
    probability,
    reduced,
    events: clustered.events,
    nextTopicId: Math.max(before?.nextTopicId ?? 0, ...topic.map((id) => id + 1)),
    newborn: before === null ? new Set() : fresh,
    betterNights: clustered.betterNights,
    strangeNights: clustered.strangeNights,
  };
}

function keptLayout(rows: readonly number[], { rowOf, reduced, strangeNights }: Night): KeptLayout {
  const n = rows.length;
  const { d, values } = reduced.reduced;
  const kept: KeptLayout = {
    placed: new Uint8Array(n),
    late: new Uint8Array(n),
    positions: {
      x: new Float32Array(n),
      y: new Float32Array(n),
      reduced: { n, d, values: new Float32Array(n * d) },
    },
    fitted: reduced.fitted,
    strangeNights,
  };
  rows.forEach((paper, i) => {
    const was = rowOf.get(paper);
    if (was === undefined) return;
    kept.placed[i] = 1;
    kept.late[i] = reduced.late[was];
    kept.positions.x[i] = reduced.x[was];
    kept.positions.y[i] = reduced.y[was];
    kept.positions.reduced.values.set(values.subarray(was * d, (was + 1) * d), i * d);
  });
  return kept;
}

function historyOf(rows: readonly number[], before: Night): History {
  const sizes = new Map<number, number>();
  for (const id of before.topic) if (id >= 0) sizes.set(id, (sizes.get(id) ?? 0) + 1);
  return {
    topic: Int32Array.from(rows, (paper) => {
      const was = before.rowOf.get(paper);
      return was === undefined ? -2 : before.topic[was];
    }),
    sizes,
    nextTopicId: before.nextTopicId,
    newborn: before.newborn,
    betterNights: before.betterNights,
    strangeNights: before.strangeNights,
  };
}

function jobOf<Config>(config: Config, seed: number): Job<Config> {
  return {
    config,
    seed,
    threads: 1,
    baseFolder: '.',
    model: (reference) => findModel(reference, modelPlaces('.')),
    signal: new AbortController().signal,
    progress: () => {},
    notice: () => {},
  };
}

/** Corpus order is by a hash of the id. */
function order(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
