/**
 * Keeps documents near a topic's border from going in and out night by night: one that was in stays until it is
 * clearly out, one that was out stays until it is clearly in.
 */

import type { History, Matrix } from '../../pipeline/contract.ts';
import type { Assigned } from './assigned.ts';

/*
 * The bounds are wide for nights on which places are made anew. On two streams (6,000 papers of the ACL and of arXiv,
 * the night after a fifth more had come) 0.4, 1.3 and 1.25 kept a Rand index of .62 to .69 there, these .82 to .87, and
 * agreement with arXiv's fields (NMI) went from .464 to .467. On other nights hardly a document comes near them.
 */

/** In the topic yesterday, an outlier now: stays down to this share of the density at which the topic begins. */
const STAYS_FROM = 0.1;
/** An outlier yesterday, in a topic now: comes in from this many times that density up. */
const ENTERS_FROM = 3;
/** In one topic yesterday, in another now: moves if it is this many times better placed in the other. */
const MOVES_FROM = 1.5;
/**
 * New tonight and an outlier of the cut: joins the topic it is best placed in, down to this share. Then outliers are
 * about as many among late documents as among the others (25% and 21% on arXiv, 12% and 14% on the ACL).
 */
const JOINS_FROM = 0.65;
/** Members, from this number up, that must lie within a distance for a place to count as dense as that. */
const LEAST_COMPANY = 8;

/**
 * Changes `assigned` in place: labels and probabilities.
 *
 * A document's density in a topic is 1 / the distance within which it has eight members of that topic, as
 * tonight's cut found them (or min_samples of them, where that is more: then no mutual reachability is shorter);
 * it is measured against the density at which the topic appears in tonight's tree. Topics that begin tonight take
 * whatever the cut gives them.
 */
export function holdLabels(assigned: Assigned, history: History, reduced: Matrix, minSamples: number): void {
  const { topic, probability, clusters } = assigned;
  const membersOf = new Map<number, number[]>();
  topic.forEach((id, i) => {
    if (id < 0) return;
    const members = membersOf.get(id);
    if (members === undefined) membersOf.set(id, [i]);
    else members.push(i);
  });
  const density = (i: number, id: number): number => {
    const members = membersOf.get(id) as number[];
    return 1 / companyDistance(i, members, reduced, Math.max(LEAST_COMPANY, minSamples));
  };
  const changed: [number, number, number][] = [];
  const boxes = [...membersOf].map(([id, members]) => ({ id, members, box: boxOf(members, reduced) }));
  for (let i = 0; i < topic.length; i++) {
    const then = history.topic[i];
    const now = topic[i];
    if (then === now) continue;
    if (then === -2) {
      const best = now < 0 ? bestTopic(i, boxes, assigned, reduced, minSamples) : null;
      if (best !== null) changed.push([i, best.id, best.density]);
      continue;
    }
    const former = then >= 0 ? clusters.get(then) : undefined;
    const present = now >= 0 ? clusters.get(now) : undefined;
    const inFormer = former === undefined ? 0 : density(i, then);
    if (present === undefined) {
      if (former !== undefined && inFormer >= STAYS_FROM * former.birth) changed.push([i, then, inFormer]);
      continue;
    }
    if (present.isNew) continue;
    const inPresent = density(i, now) / present.birth;
    if (then < 0) {
      if (inPresent < ENTERS_FROM) changed.push([i, -1, 0]);
    } else if (former !== undefined && inPresent <= MOVES_FROM * (inFormer / former.birth)) {
      changed.push([i, then, inFormer]);
    }
  }
  for (const [i, id, reached] of changed) {
    const death = clusters.get(id)?.death ?? 0;
    topic[i] = id;
    probability[i] = id < 0 ? 0 : Math.min(1, death > 0 && death < Infinity ? reached / death : 1);
  }
}

interface BoxedTopic {
  id: number;
  members: readonly number[];
  /** Least and greatest coordinate, by turns. */
  box: Float64Array;
}

function boxOf(members: readonly number[], { d, values }: Matrix): Float64Array {
  const box = new Float64Array(2 * d);
  for (let q = 0; q < d; q++) {
    box[2 * q] = Infinity;
    box[2 * q + 1] = -Infinity;
    for (const j of members) {
      box[2 * q] = Math.min(box[2 * q], values[j * d + q]);
      box[2 * q + 1] = Math.max(box[2 * q + 1], values[j * d + q]);
    }
  }
  return box;
}

/** The topic in which row i is best placed, where it is well enough placed in any. */
function bestTopic(
  i: number,
  topics: readonly BoxedTopic[],
  { clusters }: Assigned,
  reduced: Matrix,
  minSamples: number,
): { id: number; density: number } | null {
  const { d, values } = reduced;
  let best: { id: number; density: number } | null = null;
  let share = JOINS_FROM;
  for (const { id, members, box } of topics) {
    const birth = clusters.get(id)?.birth;
    if (birth === undefined) continue;
    // No member lies nearer than the box.
    const furthest = 1 / (share * birth);
    let square = 0;
    for (let q = 0; q < d; q++) {
      square += Math.max(0, box[2 * q] - values[i * d + q], values[i * d + q] - box[2 * q + 1]) ** 2;
    }
    if (square > furthest * furthest) continue;
    const density = 1 / companyDistance(i, members, reduced, Math.max(LEAST_COMPANY, minSamples));
    if (density / birth < share || (best !== null && density / birth === share)) continue;
    share = density / birth;
    best = { id, density };
  }
  return best;
}

/** Distance within which row i has so many of the members beside itself, or all of them. */
export function companyDistance(
  i: number,
  members: readonly number[],
  { d, values }: Matrix,
  company: number,
): number {
  if (members.length === 0) return Infinity;
  const nearest: number[] = [];
  for (const j of members) {
    if (j === i) continue;
    let square = 0;
    for (let q = 0; q < d; q++) square += (values[i * d + q] - values[j * d + q]) ** 2;
    if (nearest.length === company && square >= nearest[company - 1]) continue;
    if (nearest.length === company) nearest.pop();
    let at = nearest.length;
    while (at > 0 && nearest[at - 1] > square) at--;
    nearest.splice(at, 0, square);
  }
  return Math.sqrt(nearest.at(-1) ?? Infinity);
}
