/**
 * How good our topic terms are beside plain c-TF-IDF over words, on the same clusters of the same finished run:
 * coherence (NPMI over the corpus) and diversity, as in evaluate/coherence.ts.
 */

import { existsSync } from 'node:fs';
import { topicQuality } from '../../pipeline/evaluate/coherence.ts';
import { classTfIdf } from '../../pipeline/math/class-tf-idf.ts';
import { openForReading, type Store } from '../../pipeline/store/open.ts';
import { STOP_WORD_SET } from '../../stages/label/stop-words.ts';
import type { Bench } from './bench.ts';
import { type Cell, printTable } from './table.ts';

/** Terms per topic that are judged; topics with fewer of ours are judged by what they have. */
const listed = 10;

export const labelTitle = `Topic terms, up to ${listed} a topic. NPMI by documents that share terms, −1 to 1; diversity: share of distinct terms.`;
export const labelHeader = ['terms', 'n', 'topics', 'a topic', 'mean NPMI', 'median NPMI', 'diversity'];

export const labelsBench: Bench = {
  name: 'labels',
  about: 'coherence and diversity of topic terms, beside plain c-TF-IDF (needs --database)',
  async run({ database }, print) {
    if (database === null || !existsSync(database)) {
      print(
        `Skipped: no finished database${database === null ? '' : ` at ${database}`}. Name one with --database FILE.`,
      );
      return;
    }
    const rows = judgeLabels(database);
    if (rows.length === 0) print(`Skipped: ${database} holds no topics.`);
    printTable(print, labelTitle, labelHeader, rows);
  },
};

/** Rows of ours and of plain c-TF-IDF for one database; none when it holds no topics. */
export function judgeLabels(database: string): Cell[][] {
  const store = openForReading(database);
  try {
    const { texts, topicOf } = readCorpus(store);
    const topicIds = [...new Set(topicOf)].filter((id) => id >= 0).sort((a, b) => a - b);
    if (topicIds.length === 0) return [];
    const lists: [string, string[][]][] = [
      ['scinertopic: entities and words', ourTerms(store, topicIds)],
      ['c-TF-IDF over words', plainTerms(texts, topicOf, topicIds, new Set())],
      ['c-TF-IDF over words, no stop words', plainTerms(texts, topicOf, topicIds, STOP_WORD_SET)],
    ];
    return lists.map(([name, topics]) => {
      const { coherence, meanCoherence, diversity } = topicQuality(topics, texts);
      const perTopic = topics.reduce((total, list) => total + list.length, 0) / topics.length;
      const median = coherence.toSorted()[coherence.length >> 1];
      return [name, texts.length, topicIds.length, perTopic, meanCoherence, median, diversity];
    });
  } finally {
    store.close();
  }
}

/** Title and abstract of every document, and its topic. */
function readCorpus(store: Store): { texts: string[]; topicOf: number[] } {
  const rows = store
    .prepare(
      `SELECT d.title, d.abstract, a.topic_id FROM documents d JOIN assignments a ON a.document_id = d.id
       ORDER BY d.id`,
    )
    .raw()
    .iterate() as Iterable<[string, string, number]>;
  const texts: string[] = [];
  const topicOf: number[] = [];
  for (const [title, abstract, topic] of rows) {
    texts.push(`${title}\n${abstract}`);
    topicOf.push(topic);
  }
  return { texts, topicOf };
}

function ourTerms(store: Store, topicIds: number[]): string[][] {
  const terms = store
    .prepare('SELECT term FROM topic_terms WHERE topic_id = ? AND rank <= ? ORDER BY rank')
    .pluck();
  return topicIds.map((id) => terms.all(id, listed) as string[]);
}

/**
 * Strongest words of each topic as BERTopic finds them by default: words of two letters and more in lower case
 * (scikit-learn's CountVectorizer), counted per topic, outliers being a class like any other.
 */
function plainTerms(
  texts: readonly string[],
  topicOf: readonly number[],
  topicIds: number[],
  left: ReadonlySet<string>,
): string[][] {
  const classOf = new Map(topicIds.map((id, i) => [id, i]));
  const words: string[] = [];
  const idOf = new Map<string, number>();
  const counts = Array.from({ length: topicIds.length + 1 }, () => new Map<number, number>());
  texts.forEach((text, row) => {
    const classCounts = counts[classOf.get(topicOf[row]) ?? topicIds.length];
    for (const word of text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? []) {
      if (left.has(word)) continue;
      let id = idOf.get(word);
      if (id === undefined) {
        id = words.length;
        idOf.set(word, id);
        words.push(word);
      }
      classCounts.set(id, (classCounts.get(id) ?? 0) + 1);
    }
  });

  const offsets = new Int32Array(counts.length + 1);
  counts.forEach((map, i) => {
    offsets[i + 1] = offsets[i] + map.size;
  });
  const terms = new Int32Array(offsets[counts.length]);
  const values = new Float64Array(terms.length);
  counts.forEach((map, i) => {
    let at = offsets[i];
    for (const [term, count] of map) {
      terms[at] = term;
      values[at++] = count;
    }
  });
  const weights = classTfIdf({ offsets, terms, values }, { c: counts.length, v: words.length });

  return topicIds.map((_, i) =>
    Array.from({ length: offsets[i + 1] - offsets[i] }, (_, at) => offsets[i] + at)
      .sort((a, b) => weights[b] - weights[a] || terms[a] - terms[b])
      .slice(0, listed)
      .map((entry) => words[terms[entry]]),
  );
}
