/**
 * What the tables and the report count from, made once: documents in order of their ids, the corpus years,
 * the distinct entities of each document and of each topic.
 */

import type { EntityColumns, ExportInput } from '../../pipeline/contract.ts';
import { classTfIdf } from '../../pipeline/math/class-tf-idf.ts';

/** n documents, c topics, y years, E entities. */
export interface Counts {
  /** Document rows by id, in code-unit order [n]. */
  order: Int32Array;
  /** Row of the topic in the topic columns, −1 for an outlier [n]. */
  topicOf: Int32Array;
  outliers: number;
  years: YearCounts;
  distinct: DistinctEntities;
  /** Documents and mentions of each entity in the whole corpus; 0 for generic ones [E]. */
  entityDocuments: Int32Array;
  entityMentions: Int32Array;
}

export interface YearCounts {
  /** Every year from the first of the corpus to the last, those without documents included [y]. */
  list: number[];
  /** Column of a document's year, −1 for a document without one [n]. */
  of: Int32Array;
  /** Documents of each year, outliers included [y]. */
  documents: Int32Array;
  /** Documents of each topic in each year [c × y]. */
  topicDocuments: Int32Array;
  /** Documents without a year: left out of everything counted by year. */
  undated: number;
}

/** The distinct entities of each document, generic ones left out. */
export interface DistinctEntities {
  /** Where a document's entities start; the next entry is where they end [n + 1]. */
  start: Int32Array;
  /** Index into the entity list, in order of first mention. */
  entity: Int32Array;
  /** Mentions of it in the document. */
  mentions: Int32Array;
}

/** An entity within a topic. */
export interface TopicEntity {
  /** Index into the entity list. */
  entity: number;
  /** Documents of the topic that mention it. */
  documents: number;
  mentions: number;
  /** c-TF-IDF of its mentions. */
  weight: number;
}

export function countAll(input: ExportInput): Counts {
  const n = input.documents.id.length;
  const topicOf = topicRows(input);
  const distinct = distinctEntities(input.entities, n);
  const entityDocuments = new Int32Array(input.entities.list.canonical.length);
  const entityMentions = new Int32Array(entityDocuments.length);
  for (let slot = 0; slot < distinct.start[n]; slot++) {
    entityDocuments[distinct.entity[slot]]++;
    entityMentions[distinct.entity[slot]] += distinct.mentions[slot];
  }
  return {
    order: documentOrder(input.documents.id),
    topicOf,
    outliers: topicOf.reduce((sum, topic) => sum + (topic < 0 ? 1 : 0), 0),
    years: countYears(input, topicOf),
    distinct,
    entityDocuments,
    entityMentions,
  };
}

function documentOrder(ids: readonly string[]): Int32Array {
  const order = Array.from(ids, (_, row) => row);
  order.sort((i, j) => (ids[i] < ids[j] ? -1 : ids[i] > ids[j] ? 1 : i - j));
  return Int32Array.from(order);
}

function topicRows(input: ExportInput): Int32Array {
  const rowOf = new Map<number, number>();
  input.topics.topicId.forEach((id, row) => {
    rowOf.set(id, row);
  });
  return input.assignments.topic.map((id) => {
    if (id < 0) return -1;
    const row = rowOf.get(id);
    if (row === undefined) throw new Error(`A document is assigned to topic ${id}, which has no label.`);
    return row;
  });
}

function countYears(input: ExportInput, topicOf: Int32Array): YearCounts {
  const { year } = input.documents;
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  let undated = 0;
  for (const value of year) {
    if (value === null) undated++;
    else {
      first = Math.min(first, value);
      last = Math.max(last, value);
    }
  }
  const y = undated === year.length ? 0 : last - first + 1;
  const of = new Int32Array(year.length).fill(-1);
  const documents = new Int32Array(y);
  const topicDocuments = new Int32Array(input.topics.topicId.length * y);
  year.forEach((value, row) => {
    if (value === null) return;
    const column = value - first;
    of[row] = column;
    documents[column]++;
    if (topicOf[row] >= 0) topicDocuments[topicOf[row] * y + column]++;
  });
  return {
    list: Array.from({ length: y }, (_, column) => first + column),
    of,
    documents,
    topicDocuments,
    undated,
  };
}

function distinctEntities(entities: EntityColumns, n: number): DistinctEntities {
  const m = entities.entity.length;
  const start = new Int32Array(n + 1);
  const entity = new Int32Array(m);
  const mentions = new Int32Array(m);
  // Slot of an entity within the document at hand; only valid when it lies in that document's range.
  const slotOf = new Int32Array(entities.list.canonical.length).fill(-1);
  let slots = 0;
  let mention = 0;
  for (let row = 0; row < n; row++) {
    start[row] = slots;
    for (; mention < m && entities.document[mention] === row; mention++) {
      const found = entities.entity[mention];
      if (entities.list.generic[found] === 1) continue;
      if (slotOf[found] < start[row]) {
        slotOf[found] = slots;
        entity[slots++] = found;
      }
      mentions[slotOf[found]]++;
    }
  }
  start[n] = slots;
  return { start, entity, mentions };
}

/**
 * The entities of each topic that at least `minDocuments` of its documents mention, by documents
 * (descending), then in the order of the entity list.
 *
 * The weight is c-TF-IDF over mentions; outliers and generic entities count nowhere. Differs from the
 * weights of topic_terms, which also know words and the label section's weights by type.
 */
export function topicEntities(counts: Counts, c: number, minDocuments: number): TopicEntity[][] {
  const { distinct, topicOf } = counts;
  const v = counts.entityDocuments.length;

  // Entities of each topic with their documents and mentions, one topic after the other.
  const offsets = [0];
  const entities: number[] = [];
  const documents: number[] = [];
  const mentions: number[] = [];
  // Place of an entity in the lists; only valid when it lies in the range of the topic at hand.
  const placeOf = new Int32Array(v).fill(-1);
  for (const rows of groupRows(topicOf, c)) {
    const from = entities.length;
    for (const row of rows) {
      for (let slot = distinct.start[row]; slot < distinct.start[row + 1]; slot++) {
        const entity = distinct.entity[slot];
        if (placeOf[entity] < from) {
          placeOf[entity] = entities.push(entity) - 1;
          documents.push(0);
          mentions.push(0);
        }
        documents[placeOf[entity]]++;
        mentions[placeOf[entity]] += distinct.mentions[slot];
      }
    }
    offsets.push(entities.length);
  }
  const weights = classTfIdf({ offsets, terms: entities, values: mentions }, { c, v });

  return Array.from({ length: c }, (_, topic) => {
    const found: TopicEntity[] = [];
    for (let place = offsets[topic]; place < offsets[topic + 1]; place++) {
      if (documents[place] < minDocuments) continue;
      found.push({
        entity: entities[place],
        documents: documents[place],
        mentions: mentions[place],
        weight: weights[place],
      });
    }
    return found.sort((a, b) => b.documents - a.documents || a.entity - b.entity);
  });
}

/** Rows of each of c groups; a negative group is left out. */
function groupRows(groupOf: Int32Array, c: number): number[][] {
  const rows: number[][] = Array.from({ length: c }, () => []);
  groupOf.forEach((group, row) => {
    if (group >= 0) rows[group].push(row);
  });
  return rows;
}
