/** How two nights' topics agree with each other, with fields that papers are known to be of, and with the words of their texts. */

import {
  adjustedRandIndex,
  normalizedMutualInformation,
} from '../../pipeline/evaluate/clustering-agreement.ts';
import { npmiCoherence } from '../../pipeline/evaluate/coherence.ts';
import { classTfIdf } from '../../pipeline/math/class-tf-idf.ts';
import type { Papers } from './paper-streams.ts';
import type { Night } from './topic-nights.ts';

/** Words of a topic whose coherence is taken. */
const TOP_WORDS = 10;
/** A word of a topic occurs in this many papers at least, and in this share at most. */
const LEAST_PAPERS = 3;
const MOST_PAPERS = 0.3;

export interface Agreement {
  /** Adjusted Rand index of the papers of both nights, outliers as one class; of those in topics on both. */
  ari: number;
  both: number;
  /** Of the papers in topics on the first night, the share that is in one on the other. */
  stay: number;
  /** Share of topics whose id has Jaccard 0.5 or more. */
  id: number;
  /** Move of the outliers' share, 0–1. */
  noise: number;
}

export function agreement(from: Night, to: Night): Agreement {
  const before: number[] = [];
  const after: number[] = [];
  for (const [paper, row] of from.rowOf) {
    const now = to.rowOf.get(paper);
    if (now === undefined) continue;
    before.push(from.topic[row]);
    after.push(to.topic[now]);
  }
  const both = before.map((_, i) => i).filter((i) => before[i] >= 0 && after[i] >= 0);
  const sizeBefore = countsOf(before);
  const sizeAfter = countsOf(after);
  const shared = countsOf(before.filter((then, i) => then === after[i]));
  const topics = [...sizeBefore.keys()].filter((id) => id >= 0);
  const kept = topics.filter((id) => {
    const common = shared.get(id) ?? 0;
    return 2 * common >= (sizeBefore.get(id) ?? 0) + (sizeAfter.get(id) ?? 0) - common;
  });
  return {
    ari: adjustedRandIndex(before, after),
    both: adjustedRandIndex(
      both.map((i) => before[i]),
      both.map((i) => after[i]),
    ),
    stay: both.length / before.filter((id) => id >= 0).length,
    id: kept.length / topics.length,
    noise: Math.abs(noiseOf(to.topic) - noiseOf(from.topic)),
  };
}

/** Normalised mutual information of topics and fields, of the papers for which `counts` holds. */
export function fieldAgreement(
  { rowOf }: Night,
  topic: ArrayLike<number>,
  field: readonly string[],
  counts: (paper: number) => boolean = () => true,
): number {
  const names = new Map([...new Set(field)].map((name, i) => [name, i]));
  const found: number[] = [];
  const written: number[] = [];
  for (const [paper, row] of rowOf) {
    if (!counts(paper)) continue;
    found.push(topic[row]);
    written.push(names.get(field[paper]) ?? -1);
  }
  return normalizedMutualInformation(found, written);
}

/** Both nights' topics with as many outliers as the one that has more: the least sure papers of the other are left out. */
export function atEqualNoise(a: Night, b: Night): [Int32Array, Int32Array] {
  const most = Math.max(...[a, b].map(({ topic }) => topic.filter((id) => id < 0).length));
  const thinned = ({ topic, probability }: Night): Int32Array => {
    const cut = topic.slice();
    const members = [...topic.keys()].filter((i) => topic[i] >= 0);
    members.sort((i, j) => probability[i] - probability[j] || i - j);
    for (const i of members.slice(0, most - (topic.length - members.length))) cut[i] = -1;
    return cut;
  };
  return [thinned(a), thinned(b)];
}

/** Mean NPMI over topics of the words that mark each (class-based TF-IDF), over the night's papers. */
export function wordCoherence({ rowOf }: Night, topic: ArrayLike<number>, papers: Papers): number {
  const wordOf = new Map<string, number>();
  const words: string[] = [];
  const inPapers: number[] = [];
  const texts: string[] = [];
  const ids = [...new Set(Array.from(topic))].filter((id) => id >= 0).sort((a, b) => a - b);
  const counts = new Map(ids.map((id) => [id, new Map<number, number>()]));
  for (const [paper, row] of rowOf) {
    const text = `${papers.title[paper]}. ${papers.abstract[paper]}`;
    texts.push(text);
    const own = new Set<number>();
    for (const [word] of text.toLowerCase().matchAll(/\p{L}{3,}/gu)) {
      let w = wordOf.get(word);
      if (w === undefined) {
        w = words.push(word) - 1;
        wordOf.set(word, w);
        inPapers.push(0);
      }
      if (!own.has(w)) inPapers[w]++;
      own.add(w);
      const ofTopic = counts.get(topic[row]);
      ofTopic?.set(w, (ofTopic.get(w) ?? 0) + 1);
    }
  }
  const isFit = (w: number): boolean =>
    inPapers[w] >= LEAST_PAPERS && inPapers[w] <= MOST_PAPERS * texts.length;
  const rows = ids.map((id) => [...(counts.get(id) ?? [])].filter(([w]) => isFit(w)));
  const offsets = [0];
  for (const row of rows) offsets.push(offsets[offsets.length - 1] + row.length);
  const entries = rows.flat();
  const weights = classTfIdf(
    { offsets, terms: entries.map(([w]) => w), values: entries.map(([, count]) => count) },
    { c: ids.length, v: words.length },
  );
  const top = rows.map((row, t) =>
    row
      .map(([w], at) => ({ w, weight: weights[offsets[t] + at] }))
      .sort((a, b) => b.weight - a.weight || a.w - b.w)
      .slice(0, TOP_WORDS)
      .map(({ w }) => words[w]),
  );
  return npmiCoherence(top, texts).reduce((sum, value) => sum + value, 0) / ids.length;
}

export function noiseOf(topic: Int32Array): number {
  return topic.filter((id) => id < 0).length / topic.length;
}

function countsOf(ids: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
