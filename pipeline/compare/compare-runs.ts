/** What changed between two runs: documents that came, went and moved, topics that grew and shrank, and why. */

import { adjustedRandIndex } from '../evaluate/clustering-agreement.ts';
import type { ExportedEvent, ExportedRun } from './exported-run.ts';
import { numberOf } from './exported-run.ts';

export interface Comparison {
  from: string;
  to: string;
  documents: {
    from: number;
    to: number;
    added: number;
    removed: number;
    in_both: number;
    moved: number;
    retitled: number;
  };
  /** Adjusted Rand index of the documents in both runs, those in no topic taken as one; null below two documents. */
  agreement: number | null;
  /** Share of documents in no topic. */
  noise_share: { from: number; to: number };
  /** Settings and models that differ, in words: all else follows from them and from the documents. */
  causes: string[];
  /** After the first run, up to and with the second; "continued" left out. Oldest first. */
  events: ComparedEvent[];
  /** Topics of both runs, the largest change first; a change of nothing left out. */
  grew: ComparedTopic[];
  shrank: ComparedTopic[];
  born: ComparedTopic[];
  ended: ComparedTopic[];
  renamed: { topic_id: number; from: string; to: string; size: number }[];
  /** Documents that changed topic, by where from and where to; most first. */
  moves: Move[];
}

export interface ComparedEvent {
  run_id: string;
  event: string;
  topic_id: number;
  label: string;
  from_topic_ids: number[];
  from_labels: string[];
}

export interface ComparedTopic {
  topic_id: number;
  label: string;
  from_size: number;
  to_size: number;
}

export interface Move {
  /** −1: no topic. */
  from_topic_id: number;
  from_label: string;
  to_topic_id: number;
  to_label: string;
  documents: number;
  why: string;
  /** The surest members of where they were, at most five. */
  examples: {
    id: string;
    title: string;
    from_probability: number;
    to_probability: number;
    retitled: boolean;
  }[];
}

const maxExamples = 5;

/** @param from The earlier of the two. */
export function compareRuns(from: ExportedRun, to: ExportedRun): Comparison {
  const common = [...from.documents.keys()].filter((id) => to.documents.has(id));
  const events = eventsBetween(from, to);
  const moves = movesOf(common, from, to, events);
  const topics = topicChanges(from, to);
  const labels = [from, to].map(({ documents }) =>
    Int32Array.from(common, (id) => documents.get(id)?.topic ?? -1),
  );
  return {
    from: from.runId,
    to: to.runId,
    documents: {
      from: from.documents.size,
      to: to.documents.size,
      added: to.documents.size - common.length,
      removed: from.documents.size - common.length,
      in_both: common.length,
      moved: moves.reduce((sum, { documents }) => sum + documents, 0),
      retitled: common.filter((id) => from.documents.get(id)?.title !== to.documents.get(id)?.title).length,
    },
    agreement: common.length < 2 ? null : adjustedRandIndex(labels[0], labels[1]),
    noise_share: { from: noiseShare(from), to: noiseShare(to) },
    causes: [...differences(from.config, to.config, ''), ...modelChanges(from, to)],
    events: events.map((event) => ({
      run_id: event.runId,
      event: event.event,
      topic_id: event.topicId,
      label: labelOf(event.topicId, to, from),
      from_topic_ids: event.fromTopicIds,
      from_labels: event.fromTopicIds.map((id) => labelOf(id, from, to)),
    })),
    ...topics,
    moves,
  };
}

function noiseShare({ documents }: ExportedRun): number {
  let outside = 0;
  for (const { topic } of documents.values()) if (topic < 0) outside++;
  return documents.size === 0 ? 0 : outside / documents.size;
}

/** The name of a topic, in the first of the runs that has it. */
function labelOf(topic: number, ...runs: ExportedRun[]): string {
  if (topic < 0) return '';
  return runs.find((run) => run.topics.has(topic))?.topics.get(topic)?.label ?? '';
}

function eventsBetween(from: ExportedRun, to: ExportedRun): ExportedEvent[] {
  const after = numberOf(from.runId);
  const until = numberOf(to.runId);
  return to.events.filter(({ runId, event }) => {
    const run = numberOf(runId);
    return event !== 'continued' && run > after && run <= until;
  });
}

function topicChanges(
  from: ExportedRun,
  to: ExportedRun,
): Pick<Comparison, 'grew' | 'shrank' | 'born' | 'ended' | 'renamed'> {
  const ids = [...new Set([...from.topics.keys(), ...to.topics.keys()])].sort((a, b) => a - b);
  const all = ids.map((id) => ({
    topic_id: id,
    label: labelOf(id, to, from),
    from_size: from.topics.get(id)?.size ?? 0,
    to_size: to.topics.get(id)?.size ?? 0,
  }));
  const change = (topic: ComparedTopic): number => topic.to_size - topic.from_size;
  const both = all.filter(({ topic_id }) => from.topics.has(topic_id) && to.topics.has(topic_id));
  return {
    grew: both.filter((topic) => change(topic) > 0).sort((a, b) => change(b) - change(a)),
    shrank: both.filter((topic) => change(topic) < 0).sort((a, b) => change(a) - change(b)),
    born: all.filter(({ topic_id }) => !from.topics.has(topic_id)).sort((a, b) => b.to_size - a.to_size),
    ended: all.filter(({ topic_id }) => !to.topics.has(topic_id)).sort((a, b) => b.from_size - a.from_size),
    renamed: both
      .map(({ topic_id, to_size }) => ({
        topic_id,
        from: labelOf(topic_id, from),
        to: labelOf(topic_id, to),
        size: to_size,
      }))
      .filter((topic) => topic.from !== topic.to)
      .sort((a, b) => b.size - a.size),
  };
}

function movesOf(
  common: readonly string[],
  from: ExportedRun,
  to: ExportedRun,
  events: readonly ExportedEvent[],
): Move[] {
  const moves = new Map<string, Move>();
  for (const id of common) {
    const before = from.documents.get(id);
    const after = to.documents.get(id);
    if (before === undefined || after === undefined || before.topic === after.topic) continue;
    const key = `${before.topic} ${after.topic}`;
    let move = moves.get(key);
    if (move === undefined) {
      move = {
        from_topic_id: before.topic,
        from_label: labelOf(before.topic, from),
        to_topic_id: after.topic,
        to_label: labelOf(after.topic, to),
        documents: 0,
        why: why(before.topic, after.topic, from, to, events),
        examples: [],
      };
      moves.set(key, move);
    }
    move.documents++;
    move.examples.push({
      id,
      title: after.title,
      from_probability: before.probability,
      to_probability: after.probability,
      retitled: before.title !== after.title,
    });
  }
  const sorted = [...moves.values()].sort(
    (a, b) => b.documents - a.documents || a.from_topic_id - b.from_topic_id || a.to_topic_id - b.to_topic_id,
  );
  for (const move of sorted) {
    move.examples.sort((a, b) => b.from_probability - a.from_probability || (a.id < b.id ? -1 : 1));
    move.examples.length = Math.min(move.examples.length, maxExamples);
  }
  return sorted;
}

/** As far as what is stored tells. */
function why(
  before: number,
  after: number,
  from: ExportedRun,
  to: ExportedRun,
  events: readonly ExportedEvent[],
): string {
  const tied = events.find(
    ({ topicId, fromTopicIds, event }) =>
      (event === 'split' || event === 'merged') &&
      ((topicId === after && fromTopicIds.includes(before)) ||
        (topicId === before && fromTopicIds.includes(after))),
  );
  if (tied !== undefined) return tied.event === 'split' ? 'the topic split' : 'the topics merged';
  const isNew = after >= 0 && !from.topics.has(after);
  const hasEnded = before >= 0 && !to.topics.has(before);
  if (isNew && hasEnded) return 'their topic ended and a new one took them';
  if (isNew) return 'a new topic formed';
  if (hasEnded) return 'their topic ended';
  if (after < 0) return 'no longer near enough to others of the topic';
  if (before < 0) return 'now near enough to others of the topic';
  return 'now nearer to the other topic';
}

/** "cluster.min_cluster_size 15 → 10" for each setting that differs. */
function differences(before: unknown, after: unknown, path: string): string[] {
  if (isRecord(before) && isRecord(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
      differences(before[key], after[key], path === '' ? key : `${path}.${key}`),
    );
  }
  const shown = (value: unknown): string => JSON.stringify(value) ?? 'default';
  return shown(before) === shown(after) ? [] : [`${path} ${shown(before)} → ${shown(after)}`];
}

function modelChanges(from: ExportedRun, to: ExportedRun): string[] {
  return to.models.flatMap(({ role, reference, hash }) => {
    const before = from.models.find((model) => model.role === role);
    if (before === undefined || before.hash === hash) return [];
    return [
      `model of ${role}: ${before.reference} ${before.hash.slice(0, 12)} → ${reference} ${hash.slice(0, 12)}`,
    ];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
