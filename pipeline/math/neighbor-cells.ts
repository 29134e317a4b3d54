/**
 * Divides rows into cells of neighbours: a tree of two-means splits down to some hundred rows, then rounds in which
 * centroids move to the middle of their cells and rows to the nearest centroid (Lloyd's k-means, each row looking at
 * the cells near its own only). All steps are tasks of a team.
 */

import { ASKED, type NeighborKernel, NO_SCORE } from './neighbor-kernel.ts';
import {
  type Desk,
  type Region,
  ROWS_PER_TASK,
  SHORT_LIST,
  SPLIT_SAMPLE,
  type Workspace,
} from './neighbor-workspace.ts';
import { createRandom, type Random } from './random.ts';

/** Nodes of more rows are split. */
export const MOST_CELL_ROWS = 256;
/** No split leaves a part with fewer rows than this, or than the share. */
export const LEAST_CELL_ROWS = 32;
const LEAST_SHARE = 0.05;
/** Rounds of two-means before a split. */
const SPLIT_ROUNDS = 4;
/** Longest direction: its products with rows stay within 2^30. */
const LONGEST = 32_700;
/** Cells that a row looks at when it moves to the nearest. */
const MOVE_NEAR = 64;
/** Rows of a cell that its centroid is the mean of, at most: their sums stay within 32 bits. */
const MOST_SUMMED = 65_536;
/** Centroids that look for their neighbours in one task. */
export const CENTROIDS_PER_TASK = 16;

/** Splits a node of `order` in two; where, goes into `nodes`. Chance is drawn for the level and the node. */
export function splitNode(
  workspace: Workspace,
  desk: Desk,
  kernel: NeighborKernel,
  level: number,
  node: number,
): void {
  const { plan, rows, order, projections, spare, nodes } = workspace;
  const start = nodes[3 * node];
  const end = nodes[3 * node + 1];
  const count = end - start;
  const members = order.values.subarray(start, end);
  const random = createRandom(plan.seed, level, node);
  const threshold = findDirection(members, random, workspace, desk, kernel);
  kernel.project(
    rows.address,
    2 * plan.width,
    order.address + 4 * start,
    count,
    desk.direction.address,
    projections.address + 4 * start,
  );

  // Those up to the cut come first, the others follow; both keep their order.
  const along = projections.values.subarray(start, end);
  const cut = boundedCut(along, threshold);
  const others = spare.subarray(start, end);
  let below = 0;
  let above = 0;
  for (let r = 0; r < count; r++) {
    if (along[r] <= cut) members[below++] = members[r];
    else others[above++] = members[r];
  }
  members.set(others.subarray(0, above), below);
  // So many may lie on the cut that it does not divide them; the middle does.
  const least = leastPart(count);
  nodes[3 * node + 2] = start + (below < least || above < least ? count >> 1 : below);
}

/**
 * The direction from one to the other of two means of a sample, for the kernel to project on.
 *
 * @returns The projection half way between the means.
 */
function findDirection(
  members: Int32Array,
  random: Random,
  { plan, rows }: Workspace,
  { sample, sampleProjections, totals, direction }: Desk,
  kernel: NeighborKernel,
): number {
  const { width } = plan;
  const count = Math.min(SPLIT_SAMPLE, members.length);
  const chosen = sample.values.subarray(0, count);
  for (let r = 0; r < count; r++) {
    chosen[r] = members[Math.floor(((r + random.nextFloat()) * members.length) / count)];
  }
  // Two of the sample to begin with, then the means of those on either side.
  const one = random.nextBelow(count);
  const other = (one + 1 + random.nextBelow(count - 1)) % count;
  const means = [one, other].map((r) =>
    Float64Array.from(rows.values.subarray(chosen[r] * width, (chosen[r] + 1) * width)),
  );
  let threshold = direct(means, direction.values);
  for (let round = 0; round < SPLIT_ROUNDS; round++) {
    const along = sampleProjections.values;
    kernel.project(
      rows.address,
      2 * width,
      sample.address,
      count,
      direction.address,
      sampleProjections.address,
    );
    const sides = [
      chosen.filter((_, r) => along[r] > threshold),
      chosen.filter((_, r) => along[r] <= threshold),
    ];
    if (sides.some((side) => side.length === 0)) break;
    chosen.set(sides[0]);
    chosen.set(sides[1], sides[0].length);
    for (const side of [0, 1]) {
      totals.values.fill(0);
      const address = sample.address + (side === 0 ? 0 : 4 * sides[0].length);
      kernel.addRows(rows.address, 2 * width, address, sides[side].length, totals.address);
      for (let x = 0; x < width; x++) means[side][x] = totals.values[x] / sides[side].length;
    }
    threshold = direct(means, direction.values);
  }
  return threshold;
}

/** Writes the direction towards the first mean; returns the projection of the point half way. */
function direct([towards, from]: readonly Float64Array[], direction: Int16Array): number {
  let squares = 0;
  for (let x = 0; x < direction.length; x++) squares += (towards[x] - from[x]) ** 2;
  const scale = squares === 0 ? 0 : LONGEST / Math.sqrt(squares);
  let middle = 0;
  for (let x = 0; x < direction.length; x++) {
    direction[x] = Math.round((towards[x] - from[x]) * scale);
    middle += ((towards[x] + from[x]) / 2) * direction[x];
  }
  return middle;
}

/** The threshold, or what comes nearest to it and leaves both parts large enough. */
function boundedCut(along: Int32Array, threshold: number): number {
  const least = leastPart(along.length);
  let below = 0;
  for (let r = 0; r < along.length; r++) if (along[r] <= threshold) below++;
  if (below >= least && along.length - below >= least) return threshold;
  const sorted = along.slice().sort();
  return sorted[below < least ? least - 1 : along.length - least - 1];
}

function leastPart(count: number): number {
  return Math.max(LEAST_CELL_ROWS, Math.floor(count * LEAST_SHARE));
}

/** Puts a cell's centroid in the middle of its rows; that of an empty cell stays. */
export function placeCentroid(workspace: Workspace, desk: Desk, kernel: NeighborKernel, cell: number): void {
  const { plan, rows, order, cellStarts, centroids, centroidBiases } = workspace;
  const { width } = plan;
  const start = cellStarts[cell];
  const count = Math.min(cellStarts[cell + 1] - start, MOST_SUMMED);
  if (count === 0) return;
  const totals = desk.totals.values.fill(0);
  kernel.addRows(rows.address, 2 * width, order.address + 4 * start, count, desk.totals.address);
  const mean = Float64Array.from(totals, (total) => total / count);
  centroidBiases.values[cell] = writeMean(mean, centroids.values.subarray(cell * width, (cell + 1) * width));
}

/** Puts each district's centroid in the middle of the rows of its cells. */
export function placeDistricts(workspace: Workspace): void {
  const { plan, header, cellStarts, centroids, districtStarts, districts, districtBiases } = workspace;
  const { width } = plan;
  for (let district = 0; district < header[2]; district++) {
    const mean = new Float64Array(width);
    const from = districtStarts[district];
    const to = districtStarts[district + 1];
    for (let cell = from; cell < to; cell++) {
      const share = (cellStarts[cell + 1] - cellStarts[cell]) / (cellStarts[to] - cellStarts[from]);
      for (let x = 0; x < width; x++) mean[x] += share * centroids.values[cell * width + x];
    }
    const place = districts.values.subarray(district * width, (district + 1) * width);
    districtBiases.values[district] = writeMean(mean, place);
  }
}

/** @returns The bias that goes with what was written. */
function writeMean(mean: Float64Array, place: Int16Array): number {
  let squares = 0;
  for (let x = 0; x < mean.length; x++) {
    place[x] = Math.round(mean[x]);
    squares += place[x] ** 2;
  }
  return -Math.ceil(squares / 2);
}

/** Finds the nearest cells of some cells. */
export function findNearCells(workspace: Workspace, desk: Desk, kernel: NeighborKernel, task: number): void {
  const { plan, header, centroids, centroidBiases, nearIds, nearScores } = workspace;
  const { width, nearWidth } = plan;
  const cells = header[1];
  const from = task * CENTROIDS_PER_TASK;
  const to = Math.min(cells, from + CENTROIDS_PER_TASK);
  nearIds.values.fill(-1, from * nearWidth, to * nearWidth);
  nearScores.values.fill(NO_SCORE, from * nearWidth, to * nearWidth);
  for (let cell = from; cell < to; cell++) desk.asked.values.set([cell, cell, -1], (cell - from) * ASKED);
  kernel.scan(
    ...([centroids.address, 2 * width, desk.asked.address, to - from] as const),
    ...([centroids.address, centroidBiases.address, 0, cells] as const),
    ...([nearIds.address, nearScores.address, nearWidth, 0, desk.gathered.address] as const),
  );
}

/**
 * Notes in `cellOf` the nearest cell of each row of a cell, sought in the districts nearest to the row: a row that
 * a split high in the tree sent the wrong way comes home from far.
 */
export function moveFar(workspace: Workspace, desk: Desk, kernel: NeighborKernel, cell: number): void {
  const { plan, header, rows, order, cellOf, cellStarts, centroids, centroidBiases } = workspace;
  const { districtStarts, districts, districtBiases } = workspace;
  const { asked, bestIds, bestScores, gathered } = desk;
  for (let start = cellStarts[cell]; start < cellStarts[cell + 1]; start += ROWS_PER_TASK) {
    const chunk = order.values.subarray(start, Math.min(start + ROWS_PER_TASK, cellStarts[cell + 1]));
    rank(workspace, desk, kernel, chunk, {
      answers: districts,
      biases: districtBiases,
      count: header[2],
      listWidth: SHORT_LIST,
      firstList: 0,
    });
    bestIds.values.fill(-1, 0, chunk.length * SHORT_LIST);
    bestScores.values.fill(NO_SCORE, 0, chunk.length * SHORT_LIST);
    const asking = {
      rows: chunk.length,
      count: header[2],
      listWidth: SHORT_LIST,
      first: 0,
      last: SHORT_LIST,
    };
    const ends = askByProbe(desk, asking, (r) => [chunk[r], r, -1]);
    for (let district = 0; district < header[2]; district++) {
      const askers = ends[district + 1] - ends[district];
      if (askers === 0) continue;
      const first = districtStarts[district];
      kernel.scan(
        ...([rows.address, 2 * plan.width, asked.address + 4 * ASKED * ends[district], askers] as const),
        ...([centroids.address, centroidBiases.address] as const),
        ...([first, districtStarts[district + 1] - first] as const),
        ...([bestIds.address, bestScores.address, SHORT_LIST, 0, gathered.address] as const),
      );
    }
    for (let r = 0; r < chunk.length; r++) cellOf[chunk[r]] = bestIds.values[r * SHORT_LIST];
  }
}

/** Notes in `cellOf` the nearest cell of each row of a cell, sought among the cells near its own. */
export function moveNear(workspace: Workspace, desk: Desk, kernel: NeighborKernel, cell: number): void {
  const { plan, order, cellOf, cellStarts, nearIds } = workspace;
  const near = gatherNear(workspace, desk, cell, MOVE_NEAR);
  for (let start = cellStarts[cell]; start < cellStarts[cell + 1]; start += ROWS_PER_TASK) {
    const chunk = order.values.subarray(start, Math.min(start + ROWS_PER_TASK, cellStarts[cell + 1]));
    rankNear(workspace, desk, kernel, chunk, near, SHORT_LIST);
    for (let r = 0; r < chunk.length; r++) {
      cellOf[chunk[r]] = nearIds.values[cell * plan.nearWidth + desk.probeIds.values[r * SHORT_LIST]];
    }
  }
}

/**
 * Lays the centroids of the cells nearest to a cell beside each other on the desk.
 *
 * @returns How many: at most `most`.
 */
export function gatherNear(
  { plan, centroids, centroidBiases, nearIds }: Workspace,
  { nearRows, nearBiases }: Desk,
  cell: number,
  most: number,
): number {
  const { width, nearWidth } = plan;
  let count = 0;
  for (const end = Math.min(most, nearWidth); count < end; count++) {
    const near = nearIds.values[cell * nearWidth + count];
    if (near < 0) break;
    nearRows.values.set(centroids.values.subarray(near * width, (near + 1) * width), count * width);
    nearBiases.values[count] = centroidBiases.values[near];
  }
  return count;
}

/**
 * For each of some rows, the list of the gathered cells nearest to it, numbered from 0.
 *
 * @param firstList List of the first of them; lists end before ROWS_PER_TASK.
 */
export function rankNear(
  workspace: Workspace,
  desk: Desk,
  kernel: NeighborKernel,
  chunk: Int32Array,
  near: number,
  listWidth: number,
  firstList = 0,
): void {
  const { nearRows, nearBiases } = desk;
  const ranked = { answers: nearRows, biases: nearBiases, count: near, listWidth, firstList };
  rank(workspace, desk, kernel, chunk, ranked);
}

interface Ranked {
  answers: Region<Int16Array>;
  biases: Region;
  count: number;
  /** Of the lists in `probeIds`. */
  listWidth: number;
  firstList: number;
}

function rank(
  { plan, rows }: Workspace,
  { asked, probeIds, probeScores, gathered }: Desk,
  kernel: NeighborKernel,
  chunk: Int32Array,
  { answers, biases, count, listWidth, firstList }: Ranked,
): void {
  for (let r = 0; r < chunk.length; r++) {
    asked.values[r * ASKED] = chunk[r];
    asked.values[r * ASKED + 1] = firstList + r;
    asked.values[r * ASKED + 2] = -1;
  }
  const [from, to] = [firstList * listWidth, (firstList + chunk.length) * listWidth];
  probeIds.values.fill(-1, from, to);
  probeScores.values.fill(NO_SCORE, from, to);
  kernel.scan(
    ...([rows.address, 2 * plan.width, asked.address, chunk.length] as const),
    ...([answers.address, biases.address, 0, count] as const),
    ...([probeIds.address, probeScores.address, listWidth, 0, gathered.address] as const),
  );
}

export interface Asking {
  /** Rows whose lists are in `probeIds`. */
  rows: number;
  listWidth: number;
  /** The places first … last − 1 of each list count. */
  first: number;
  last: number;
  /** Numbers in the lists are less. */
  count: number;
}

/**
 * Writes the table of those who ask, sorted by whom they ask: by what stands in the ranked lists.
 *
 * @param entryOf The table's entry for the r-th list.
 * @returns Int32Array [count + 1]: where the askers of each begin.
 */
export function askByProbe(
  { asked, probeIds }: Desk,
  { rows, listWidth, first, last, count }: Asking,
  entryOf: (r: number) => readonly [row: number, list: number, skipped: number],
): Int32Array {
  const starts = new Int32Array(count + 1);
  for (let r = 0; r < rows; r++) {
    for (let x = r * listWidth + first; x < r * listWidth + last; x++) {
      if (probeIds.values[x] >= 0) starts[probeIds.values[x] + 1]++;
    }
  }
  for (let number = 0; number < count; number++) starts[number + 1] += starts[number];
  const fill = starts.slice(0, count);
  for (let r = 0; r < rows; r++) {
    const [row, list, skipped] = entryOf(r);
    for (let x = r * listWidth + first; x < r * listWidth + last; x++) {
      if (probeIds.values[x] < 0) continue;
      const at = ASKED * fill[probeIds.values[x]]++;
      asked.values[at] = row;
      asked.values[at + 1] = list;
      asked.values[at + 2] = skipped;
    }
  }
  return starts;
}
