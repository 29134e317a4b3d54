/**
 * Topics about as small as min_cluster_size would come and go with each document: here a birth needs a few more
 * than that, and a topic that was there stays with a few less.
 */

import type { History, Matrix } from '../../pipeline/contract.ts';
import type { Assigned } from './assigned.ts';
import { companyDistance } from './hold-labels.ts';
import type { TopicIds } from './match-topics.ts';

/** Documents that a birth needs, as a multiple of min_cluster_size. */
const BIRTH_FROM = 4 / 3;
/** Documents that a topic must keep, as a share of min_cluster_size. */
const STAYS_FROM = 0.6;
/** And the share of them that tonight's cut leaves outside all other topics. */
const LEAST_LEFT = 0.5;
/** Members that a document's place among the last of a topic is measured by. */
const COMPANY = 3;

/**
 * Makes outliers of the clusters that continue no topic and are too small to be born.
 *
 * @param labels Int32Array [n]; changed in place, the remaining clusters are numbered by lowest row again.
 * @returns Whether there were any.
 */
export function dropSmallBirths(
  labels: Int32Array,
  sizes: Int32Array,
  ids: TopicIds,
  minClusterSize: number,
): boolean {
  const isDropped = Array.from(
    sizes,
    (size, cluster) => !ids.continued[cluster] && size < Math.ceil(BIRTH_FROM * minClusterSize),
  );
  if (!isDropped.includes(true)) return false;
  let used = 0;
  const numbers = isDropped.map((dropped) => (dropped ? -1 : used++));
  for (let i = 0; i < labels.length; i++) if (labels[i] >= 0) labels[i] = numbers[labels[i]];
  return true;
}

/**
 * Gives topics that no cluster continues back those of their documents that are outliers now, if these are many
 * enough. Changes `assigned` in place.
 *
 * @returns Ids of the topics that stay, ascending.
 */
export function keepDwindling(
  assigned: Assigned,
  history: History,
  reduced: Matrix,
  minClusterSize: number,
): number[] {
  const { topic, probability, clusters } = assigned;
  const left = new Map<number, number[]>();
  const present = new Map<number, number>();
  for (let i = 0; i < topic.length; i++) {
    const then = history.topic[i];
    if (then < 0 || clusters.has(then)) continue;
    present.set(then, (present.get(then) ?? 0) + 1);
    if (topic[i] >= 0) continue;
    const rows = left.get(then);
    if (rows === undefined) left.set(then, [i]);
    else rows.push(i);
  }
  const kept: number[] = [];
  for (const [id, rows] of [...left].sort(([a], [b]) => a - b)) {
    const enough = Math.ceil(STAYS_FROM * minClusterSize);
    if (rows.length < Math.max(2, enough) || rows.length < LEAST_LEFT * (present.get(id) ?? 0)) continue;
    const distances = rows.map((i) => companyDistance(i, rows, reduced, COMPANY));
    const least = Math.min(...distances);
    rows.forEach((i, r) => {
      topic[i] = id;
      probability[i] = distances[r] > 0 ? least / distances[r] : 1;
    });
    kept.push(id);
  }
  return kept;
}
