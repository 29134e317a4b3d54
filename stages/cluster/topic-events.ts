/** What became of the topics since the last run, as events. */

import type { TopicEvent } from '../../pipeline/contract.ts';
import type { TopicIds } from './match-topics.ts';
import type { Overlap } from './overlap.ts';

/** Share of a parent's documents that a part must take for the parent to count as split. */
const LEAST_PART = 0.25;

/** Share of a part's documents that must come from the parent. */
const LEAST_ORIGIN = 0.8;

/**
 * By topic id, retired topics last:
 * - continued: the topic kept its id.
 * - split: with at least one other, it took 25% or more of a former topic, and 80% or more of it comes from
 *   there. From: the former topic.
 * - merged: the mirror; each of several former topics makes up 25% or more of it and put 80% or more into it.
 *   From: the former topics.
 * - born: a new id, out of neither a split nor a merger.
 * - emerging: beside born, and once more the night after: it has yet to show that it stays. Nothing emerges on
 *   the first night, when all is new.
 * - retired: no cluster bears the id any more.
 * A continued topic may be split or merged too. Only documents that both runs had are counted.
 *
 * @param newborn Topics born in the last run.
 * @param reason Why topics were found anew tonight; '' on an ordinary night.
 */
export function topicEvents(
  ids: TopicIds,
  overlap: Overlap | null,
  newborn: ReadonlySet<number> = new Set(),
  reason = '',
): TopicEvent[] {
  const splitFrom = new Map<number, number>();
  const mergedFrom = new Map<number, number[]>();
  if (overlap !== null) {
    const { clusterSizes, topicSizes, shared } = overlap;
    const partsOf = new Map<number, number[]>();
    for (const { cluster, topic, documents } of shared) {
      const ofTopic = documents / (topicSizes.get(topic) as number);
      const ofCluster = documents / clusterSizes[cluster];
      if (ofTopic >= LEAST_PART && ofCluster >= LEAST_ORIGIN) append(partsOf, topic, cluster);
      if (ofCluster >= LEAST_PART && ofTopic >= LEAST_ORIGIN) append(mergedFrom, cluster, topic);
    }
    for (const [topic, parts] of partsOf)
      if (parts.length > 1) for (const part of parts) splitFrom.set(part, topic);
    for (const [cluster, topics] of mergedFrom) if (topics.length < 2) mergedFrom.delete(cluster);
  }

  const events: TopicEvent[] = [];
  const tell = (event: TopicEvent['event'], topicId: number, fromTopicIds: number[]): void => {
    events.push({ event, topicId, fromTopicIds, reason });
  };
  const clusters = [...ids.ofCluster.keys()].sort((a, b) => ids.ofCluster[a] - ids.ofCluster[b]);
  for (const cluster of clusters) {
    const topicId = ids.ofCluster[cluster];
    const parent = splitFrom.get(cluster);
    const parents = mergedFrom.get(cluster);
    const continues = ids.continued[cluster];
    if (continues) tell('continued', topicId, [topicId]);
    else if (parent === undefined && parents === undefined) tell('born', topicId, []);
    if (parent !== undefined) tell('split', topicId, [parent]);
    if (parents !== undefined) tell('merged', topicId, parents);
    if (overlap !== null && (!continues || newborn.has(topicId))) tell('emerging', topicId, []);
  }
  const borne = new Set(ids.ofCluster);
  for (const topicId of [...(overlap?.topicSizes.keys() ?? [])].sort((a, b) => a - b)) {
    if (!borne.has(topicId)) tell('retired', topicId, []);
  }
  return events;
}

function append(lists: Map<number, number[]>, key: number, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
