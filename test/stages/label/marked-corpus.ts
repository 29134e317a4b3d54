/** Small corpora for the label stage, entities marked in the text: "We try [Task:machine translation]." */

import type { CorpusTexts, DocumentColumns, EntityColumns, Job } from '../../../pipeline/contract.ts';
import { type LabelConfig, section } from '../../../stages/label/config.ts';

export interface MarkedCorpus {
  documents: DocumentColumns;
  entities: EntityColumns;
}

/** The documents as the store hands them to the label stage. */
export function textsOf({
  id,
  title,
  abstract,
}: Pick<DocumentColumns, 'id' | 'title' | 'abstract'>): CorpusTexts {
  return {
    id,
    read: () => title.map((text, row) => ({ title: text, abstract: abstract[row] })),
    abstract: (row) => abstract[row],
  };
}

/** Reads abstracts with marks; "[Task:NMT=neural machine translation]" names another canonical form. */
export function markedCorpus(
  abstracts: readonly string[],
  scores: (document: number) => number = () => 0.9,
): MarkedCorpus {
  const found: { document: number; canonical: string; type: string }[] = [];
  const plain = abstracts.map((text, document) =>
    text.replace(
      /\[(\w+):([^\]=]+)(?:=([^\]]+))?\]/gu,
      (_, type: string, surface: string, canonical?: string) => {
        found.push({ document, canonical: canonical ?? surface, type });
        return surface;
      },
    ),
  );
  const keys = [...new Set(found.map(({ canonical, type }) => `${canonical}\t${type}`))].sort();
  const parts = keys.map((key) => key.split('\t'));
  return {
    documents: {
      id: abstracts.map((_, row) => `doc-${String(row).padStart(4, '0')}`),
      title: abstracts.map(() => ''),
      abstract: plain,
      year: abstracts.map(() => 2020),
    },
    entities: {
      list: {
        canonical: parts.map(([canonical]) => canonical),
        type: parts.map(([, type]) => type),
        generic: Uint8Array.from(parts, ([, type]) => (type === 'Generic' ? 1 : 0)),
      },
      document: Int32Array.from(found, ({ document }) => document),
      entity: Int32Array.from(found, ({ canonical, type }) => keys.indexOf(`${canonical}\t${type}`)),
      score: Float32Array.from(found, ({ document }) => scores(document)),
    },
  };
}

/** The same documents in another order, mentions sorted by row as the store hands them. */
export function permuted(corpus: MarkedCorpus, order: readonly number[]): MarkedCorpus {
  const { documents, entities } = corpus;
  const placeOf = new Map(order.map((row, place) => [row, place]));
  const mentions = Array.from(entities.document.keys()).sort(
    (a, b) => (placeOf.get(entities.document[a]) ?? 0) - (placeOf.get(entities.document[b]) ?? 0) || a - b,
  );
  return {
    documents: {
      id: order.map((row) => documents.id[row]),
      title: order.map((row) => documents.title[row]),
      abstract: order.map((row) => documents.abstract[row]),
      year: order.map((row) => documents.year[row]),
    },
    entities: {
      list: entities.list,
      document: Int32Array.from(mentions, (m) => placeOf.get(entities.document[m]) ?? 0),
      entity: Int32Array.from(mentions, (m) => entities.entity[m]),
      score: Float32Array.from(mentions, (m) => entities.score[m]),
    },
  };
}

export function labelConfig(settings: Record<string, unknown> = {}): LabelConfig {
  return section.schema.parse(settings);
}

export function labelJob(settings: Record<string, unknown> = {}): Job<LabelConfig> & { notices: string[] } {
  const notices: string[] = [];
  return {
    config: labelConfig(settings),
    seed: 1,
    threads: 1,
    baseFolder: '/',
    model: () => {
      throw new Error('no model here');
    },
    signal: new AbortController().signal,
    progress: () => {},
    notice: (message) => notices.push(message),
    notices,
  };
}
