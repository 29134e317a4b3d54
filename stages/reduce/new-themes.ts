/**
 * Finds themes that a kept layout has no place for. Documents of a new theme know each other better than anything
 * that was there, yet placed one by one they are scattered among what they resemble least badly. Once there are
 * enough of them they are laid out together and set down in an empty place beside, where they can be a topic.
 */

import type { WeightedGraph } from '../../pipeline/math/fuzzy-graph.ts';
import { createRandom } from '../../pipeline/math/random.ts';

/** Share of a document's ties that must lead to other documents that came late. */
const LEAST_LATE = 0.4;
/** Share of a group's ties that must stay within it. */
const LEAST_WITHIN = 0.4;
/**
 * Share of their ties that the older documents next to a group may have to it. Where an old topic grows, old and new
 * are mixed and this is high; beside a new theme it is low.
 */
const MOST_FROM_OLD = 0.25;
/** Weaker ties do not make a group. */
const LEAST_TIE = 0.3;
/** Free room around a group that is set apart, in units of the layout, whose topics lie about as far apart. */
const ROOM = 1;
/** Directions tried at each distance. */
const DIRECTIONS = 64;

/**
 * Groups of late documents that are a theme of their own.
 *
 * @param graph Of all n documents.
 * @param isLate Uint8Array [n]; 1 for documents that came later than the layout and are in no group yet.
 * @param least Documents that a theme needs.
 * @returns Rows of each group, ascending; groups by their lowest row.
 */
export function findThemes(graph: WeightedGraph, isLate: Uint8Array, least: number): number[][] {
  const { n, offsets, targets, weights } = graph;
  const isCandidate = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    if (isLate[i] === 0) continue;
    let late = 0;
    let all = 0;
    for (let x = offsets[i]; x < offsets[i + 1]; x++) {
      all += weights[x];
      if (isLate[targets[x]] === 1) late += weights[x];
    }
    if (late >= LEAST_LATE * all) isCandidate[i] = 1;
  }
  const groupOf = new Int32Array(n).fill(-1);
  const groups: number[][] = [];
  for (let root = 0; root < n; root++) {
    if (isCandidate[root] === 0 || groupOf[root] >= 0) continue;
    const group = [root];
    groupOf[root] = groups.length;
    for (let head = 0; head < group.length; head++) {
      const i = group[head];
      for (let x = offsets[i]; x < offsets[i + 1]; x++) {
        const j = targets[x];
        if (isCandidate[j] === 0 || groupOf[j] >= 0 || weights[x] < LEAST_TIE) continue;
        groupOf[j] = groups.length;
        group.push(j);
      }
    }
    groups.push(group.sort((a, b) => a - b));
  }
  return groups.filter((group, g) => group.length >= least && standsAlone(graph, group, groupOf, g));
}

/** Whether a group keeps to itself, and the documents next to it do not count it as theirs. */
function standsAlone(
  { offsets, targets, weights }: WeightedGraph,
  group: readonly number[],
  groupOf: Int32Array,
  g: number,
): boolean {
  let within = 0;
  let all = 0;
  const beside = new Set<number>();
  for (const i of group) {
    for (let x = offsets[i]; x < offsets[i + 1]; x++) {
      all += weights[x];
      if (groupOf[targets[x]] === g) within += weights[x];
      else if (weights[x] >= LEAST_TIE) beside.add(targets[x]);
    }
  }
  if (within < LEAST_WITHIN * all) return false;
  let toGroup = 0;
  let ofBeside = 0;
  for (const j of beside) {
    for (let x = offsets[j]; x < offsets[j + 1]; x++) {
      ofBeside += weights[x];
      if (groupOf[targets[x]] === g) toGroup += weights[x];
    }
  }
  return toGroup <= MOST_FROM_OLD * ofBeside;
}

/**
 * Sets a group down where there is room, as near as may be to where its documents were.
 *
 * @param positions Float32Array [n × d]; the group's rows are written.
 * @param shape Float32Array [rows × d]: the group laid out by itself, at the layout's own scale.
 */
export function setApart(
  positions: Float32Array,
  d: number,
  rows: readonly number[],
  shape: Float32Array,
  seed: number,
): void {
  const n = positions.length / d;
  const center = new Float64Array(d);
  const middle = new Float64Array(d);
  rows.forEach((i, r) => {
    for (let q = 0; q < d; q++) {
      center[q] += positions[i * d + q] / rows.length;
      middle[q] += shape[r * d + q] / rows.length;
    }
  });
  let radius = 0;
  rows.forEach((_, r) => {
    let square = 0;
    for (let q = 0; q < d; q++) square += (shape[r * d + q] - middle[q]) ** 2;
    radius = Math.max(radius, Math.sqrt(square));
  });
  const isOwn = new Uint8Array(n);
  for (const i of rows) isOwn[i] = 1;
  const needed = (radius + ROOM) ** 2;
  const place = new Float64Array(d);
  const isFree = (): boolean => {
    for (let j = 0; j < n; j++) {
      if (isOwn[j] === 1) continue;
      let square = 0;
      for (let q = 0; q < d && square < needed; q++) square += (positions[j * d + q] - place[q]) ** 2;
      if (square < needed) return false;
    }
    return true;
  };
  const random = createRandom(seed, rows[0], rows.length);
  // The layout is finite: far enough out there is room in every direction.
  for (let distance = 0, free = false; !free; distance += ROOM / 2) {
    for (let direction = 0; direction < DIRECTIONS && !free; direction++) {
      let length = 0;
      for (let q = 0; q < d; q++) {
        place[q] = random.nextNormal();
        length += place[q] ** 2;
      }
      for (let q = 0; q < d; q++) place[q] = center[q] + (distance * place[q]) / Math.sqrt(length);
      free = isFree();
    }
  }
  rows.forEach((i, r) => {
    for (let q = 0; q < d; q++) positions[i * d + q] = place[q] + shape[r * d + q] - middle[q];
  });
}
