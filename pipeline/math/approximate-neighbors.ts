/**
 * Nearest neighbours of many rows without comparing all pairs: rows are divided into cells of neighbours, each row
 * is compared with the rows of the cells nearest to it, and then, round by round, with its neighbours' neighbours
 * (NN-descent: Dong, Moses, Li 2011, "Efficient k-nearest neighbor graph construction"). Candidates are ranked by
 * 16-bit whole numbers, so that every thread and every machine finds the same; the distances that decide and are
 * returned are true ones. A sample of the rows is compared with all others: it sets how far the search goes, and
 * tells what it reached.
 */

import { kernelMemory, kernelPageBytes } from './kernel.ts';
import {
  checkSearch,
  distinctRows,
  expandGroups,
  type NearestGroups,
  type NeighborOptions,
  type Neighbors,
  nearestNeighbors,
} from './nearest-neighbors.ts';
import { CENTROIDS_PER_TASK, LEAST_CELL_ROWS, MOST_CELL_ROWS, placeDistricts } from './neighbor-cells.ts';
import { NO_SCORE } from './neighbor-kernel.ts';
import { distancesOf, type Measured, measureRows } from './neighbor-measures.ts';
import { arrangeRows, quantizeRows } from './neighbor-points.ts';
import {
  AUDITED_PER_TASK,
  open,
  type SearchData,
  type SearchRequest,
  type SearchStep,
  TURN_PARTS,
} from './neighbor-rounds.ts';
import { openWorkspace, ROWS_PER_TASK, type SearchPlan, type Workspace } from './neighbor-workspace.ts';
import { pause } from './pause.ts';
import { compiledModule, startTeam, type Team } from './thread-team.ts';

export interface ApproximateOptions extends NeighborOptions {
  /** A whole number; equal seeds give equal bytes. Default 42. */
  seed?: number;
  /**
   * Called when the sample has shown what the search will cost; false ends it, before most of the work. By default
   * it goes on.
   */
  onOutlook?: (outlook: Outlook) => boolean;
  /** Whether typed arrays do what WebAssembly does otherwise, some ten times slower; the bytes are the same. */
  isPlain?: boolean;
}

export interface Outlook {
  /** Whether the wanted recall is within reach. */
  isReachable: boolean;
  /** Rows that each row will be compared with before the rounds begin, on average. */
  comparedRows: number;
}

export interface ApproximateNeighbors extends Neighbors {
  /** Share of the true neighbours that were found, by the sample. */
  recall: number;
}

/** Up to this many rows, comparing all pairs in plain code is no slower. */
const MOST_PLAIN_ROWS = 512;
/** Rows of the sample: the recall they tell is right to about half a hundredth. */
const AUDITED_ROWS = 256;
/** Cells near a cell that its rows may look into. */
const NEAR_CELLS = 128;
/** Share of the neighbours that the cells are to give; the rounds find most of the others. */
const CELL_RECALL = 0.9;
/** The recall that ends the rounds, and the least that is worth a round more. */
const WANTED_RECALL = 0.98;
/** Where rounds do not help and the sample says less, rows look into more cells. */
const LEAST_RECALL = 0.975;
const LEAST_GAIN = 0.002;
const MOST_ROUNDS = 6;
/** Multiply-adds of a request, about: some tenths of a second, after which a signal is heard. */
const WORK_PER_REQUEST = 2e9;
/** Neighbours of neighbours are looked for through so many of a row's own at most. */
const MOST_REACH = 32;

// Where the parts of the search end, as shares of its time; measured at 200,000 × 256.
const CELLS_SHARE = 0.2;
const AUDIT_SHARE = 0.25;
const LOOK_SHARE = 0.6;
const ROUNDS_SHARE = 0.9;

/**
 * The k nearest other rows of each row, nearly all of them.
 *
 * Takes n · log n · d operations about, and 2 · d + 24 · k + 200 bytes a row beyond vectors and result. The rounds
 * run on all threads; so does the measuring at the end where `vectors` are in shared memory.
 *
 * @param vectors Float32Array [n × d], finite; no zero rows for cosine.
 * @returns Null where `onOutlook` ended the search. Order, ties and copies of rows as in nearest-neighbors.ts.
 * @throws RangeError when k is not in 1 … n − 1, the vectors are not what they should be, or there are more than
 * 4 GB of them at 2 bytes a number.
 */
export async function approximateNeighbors(
  vectors: Float32Array,
  options: ApproximateOptions,
): Promise<ApproximateNeighbors | null> {
  const { n, d, k, metric, threads = 1, signal, onProgress } = options;
  checkSearch(vectors, options);
  const distinct = distinctRows(vectors, n, d);
  if (distinct.count <= Math.max(MOST_PLAIN_ROWS, 4 * k)) {
    return { ...(await nearestNeighbors(vectors, options)), recall: 1 };
  }
  const plan = planSearch(distinct.count, options);
  const memory = kernelMemory(kernelPageBytes);
  const { workspace } = openWorkspace(plan, memory);
  const isShared = vectors.buffer instanceof SharedArrayBuffer;
  const measured: Measured = {
    vectors,
    d,
    metric,
    first: isShared ? sharedCopy(distinct.first) : distinct.first,
    nearest: emptyNearest(plan, isShared),
  };
  quantizeRows(
    vectors,
    { chosen: distinct.first, d, metric },
    workspace.rows.values,
    workspace.biases.values,
    plan.width,
  );
  const data: SearchData = {
    plan,
    memory,
    isPlain: options.isPlain ?? false,
    measured: isShared ? measured : null,
  };
  const team = startTeam({ module: () => compiledModule('neighbor-rounds'), open, data, threads, signal });
  const tell = (part: number): void => onProgress?.(Math.floor(n * part), n);
  const search: Search = { workspace, team, tell };
  try {
    await divideRows(search);
    tell(CELLS_SHARE);
    const outlook = await auditSample(search);
    tell(AUDIT_SHARE);
    if (options.onOutlook?.(outlook) === false) return null;
    await lookAround(search, 0, outlook.cells, LOOK_SHARE);
    await joinNeighbors(search, outlook.cells);
    tell(ROUNDS_SHARE);
    await measureAll(search, measured, isShared, signal);
    const recall = recallOfSample(workspace);
    tell(1);
    return { ...expandGroups(distinct, measured.nearest, n, k), recall };
  } finally {
    await team.close();
  }
}

interface Search {
  workspace: Workspace;
  team: Team<SearchRequest>;
  /** Tells the share of the search that is done. */
  tell: (share: number) => void;
}

function planSearch(n: number, { d, k, threads = 1, seed = 42 }: ApproximateOptions): SearchPlan {
  const wanted = Math.min(k, n - 1);
  // One more than wanted, since the last two may stand in each other's place until their distances are measured.
  const listWidth = Math.ceil((wanted + 1) / 4) * 4;
  return {
    n,
    width: Math.ceil(d / 8) * 8,
    k: wanted,
    listWidth,
    reach: Math.min(listWidth, MOST_REACH),
    cellLimit: Math.ceil(n / LEAST_CELL_ROWS),
    nearWidth: NEAR_CELLS,
    auditCount: Math.min(AUDITED_ROWS, n),
    members: threads,
    seed,
  };
}

function emptyNearest({ n, k }: SearchPlan, isShared: boolean): NearestGroups {
  const numbers = (bytes: number): ArrayBuffer | SharedArrayBuffer =>
    isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  return {
    width: k,
    groups: new Int32Array(numbers(4 * n * k)),
    distances: new Float64Array(numbers(8 * n * k)),
  };
}

function sharedCopy(values: Int32Array): Int32Array {
  const copy = new Int32Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}

/**
 * Runs all tasks of a step, in requests of a size that depends on the work alone.
 *
 * @param work Multiply-adds of a task, about.
 */
async function runStep(
  { team, tell }: Search,
  step: SearchStep,
  { count, work, shares }: { count: number; work: number; shares?: readonly [from: number, to: number] },
): Promise<void> {
  const perRequest = Math.max(1, Math.round(WORK_PER_REQUEST / work));
  for (let from = 0; from < count; from += perRequest) {
    const to = Math.min(count, from + perRequest);
    await team.run({ ...step, from, to });
    if (shares !== undefined) tell(shares[0] + ((shares[1] - shares[0]) * to) / count);
  }
}

/** Makes the cells and brings the rows into their order. */
async function divideRows(search: Search): Promise<void> {
  const { plan, rows, biases, order, cellOf, cellStarts, districtStarts, header } = search.workspace;
  const { n, width, nearWidth } = plan;
  for (let i = 0; i < n; i++) order.values[i] = i;
  const tree = await growTree(search);
  const cells = tree.cells.length;
  header[1] = cells;
  header[2] = tree.districts.length;
  cellStarts.set([...tree.cells, n]);
  districtStarts.set([...tree.districts.map((start) => tree.cells.indexOf(start)), cells]);

  const rowsPerCell = n / cells;
  const center = { count: cells, work: rowsPerCell * width };
  const near = { count: Math.ceil(cells / CENTROIDS_PER_TASK), work: CENTROIDS_PER_TASK * cells * width };
  const move = { count: cells, work: rowsPerCell * nearWidth * width };
  await runStep(search, { step: 'center' }, center);
  placeDistricts(search.workspace);
  await runStep(search, { step: 'move-far' }, move);
  sortByCell(search.workspace);
  await runStep(search, { step: 'center' }, center);
  await runStep(search, { step: 'near' }, near);
  await runStep(search, { step: 'move-near' }, move);
  sortByCell(search.workspace);
  await runStep(search, { step: 'center' }, center);
  await runStep(search, { step: 'near' }, near);
  arrangeRows(rows.values, biases.values, order.values, width);
  for (let cell = 0; cell < cells; cell++) cellOf.fill(cell, cellStarts[cell], cellStarts[cell + 1]);
}

/**
 * Splits all rows until their parts are small.
 *
 * @returns The first place of each part, and of each of the fewer parts that they were once.
 */
async function growTree(search: Search): Promise<{ cells: number[]; districts: number[] }> {
  const { plan, nodes } = search.workspace;
  // About as many districts as each has cells.
  const mostDistricts = Math.min(plan.nearWidth, Math.ceil(2 * Math.sqrt(plan.n / MOST_CELL_ROWS)));
  let parts = [[0, plan.n]];
  let districts = [0];
  for (let level = 0; ; level++) {
    const large = parts.filter(([start, end]) => end - start > MOST_CELL_ROWS);
    if (large.length === 0) return { cells: parts.map(([start]) => start), districts };
    nodes.set(large.flatMap(([start, end]) => [start, end, 0]));
    const work = (plan.n * plan.width) / large.length;
    await runStep(search, { step: 'split', level }, { count: large.length, work });
    let node = 0;
    parts = parts.flatMap(([start, end]) => {
      if (end - start <= MOST_CELL_ROWS) return [[start, end]];
      const split = nodes[3 * node++ + 2];
      return [
        [start, split],
        [split, end],
      ];
    });
    if (parts.length <= mostDistricts) districts = parts.map(([start]) => start);
  }
}

/** Brings the order to the cells that rows moved to; rows of a cell keep their order. */
function sortByCell({ plan, header, order, cellOf, cellStarts, spare }: Workspace): void {
  const cells = header[1];
  cellStarts.fill(0);
  for (let i = 0; i < plan.n; i++) cellStarts[cellOf[i] + 1]++;
  for (let cell = 0; cell < cells; cell++) cellStarts[cell + 1] += cellStarts[cell];
  const fill = cellStarts.slice(0, cells);
  spare.set(order.values);
  for (const row of spare) order.values[fill[cellOf[row]]++] = row;
}

/** Compares the sample with all rows, and finds how many cells each row has to look into. */
async function auditSample(search: Search): Promise<Outlook & { cells: number }> {
  const { plan, header, cellStarts, auditRows, auditIds, auditScores, auditRanks } = search.workspace;
  const { n, k, width, nearWidth, auditCount } = plan;
  // Evenly over the places, and so over the cells.
  for (let s = 0; s < auditCount; s++) auditRows[s] = Math.floor(((s + 0.5) * n) / auditCount);
  auditIds.values.fill(-1);
  auditScores.values.fill(NO_SCORE);
  const count = Math.ceil(auditCount / AUDITED_PER_TASK);
  await runStep(search, { step: 'audit' }, { count, work: AUDITED_PER_TASK * n * width });

  const found = new Float64Array(nearWidth + 1);
  for (const rank of auditRanks) found[rank] += 1 / (auditCount * k);
  const most = Math.min(nearWidth, header[1]);
  let cells = 1;
  let recall = found[0];
  for (; cells < most && recall < CELL_RECALL; cells++) recall += found[cells];
  // A row's place is likelier in a large cell, and so are those it looks into.
  let squares = 0;
  for (let cell = 0; cell < header[1]; cell++) squares += (cellStarts[cell + 1] - cellStarts[cell]) ** 2;
  return { isReachable: recall >= CELL_RECALL, comparedRows: Math.min(n, (cells * squares) / n), cells };
}

/** Compares all rows with those of the near cells first … last − 1. */
async function lookAround(search: Search, first: number, last: number, until?: number): Promise<void> {
  const { plan, header, listIds, listScores } = search.workspace;
  if (first === 0) {
    listIds.values.fill(-1);
    listScores.values.fill(NO_SCORE);
  }
  const count = Math.ceil(plan.n / ROWS_PER_TASK);
  const rowsPerCell = plan.n / header[1];
  const work = ROWS_PER_TASK * plan.width * (plan.nearWidth + (last - first) * rowsPerCell);
  const shares = until === undefined ? {} : { shares: [AUDIT_SHARE, until] as const };
  await runStep(search, { step: 'look', first, last }, { count, work, ...shares });
}

/** Rounds over neighbours' neighbours until the sample has what was wanted, or more is not to be had. */
async function joinNeighbors(search: Search, looked: number): Promise<void> {
  const { plan, header } = search.workspace;
  const { n, width, listWidth, reach, nearWidth } = plan;
  const count = Math.ceil(n / ROWS_PER_TASK);
  const most = Math.min(nearWidth, header[1]);
  let cells = looked;
  let before = recallOfSample(search.workspace);
  for (let round = 0; round < MOST_ROUNDS && before < WANTED_RECALL; round++) {
    await runStep(search, { step: 'keep' }, { count, work: ROWS_PER_TASK * listWidth });
    await runStep(search, { step: 'turn' }, { count: TURN_PARTS, work: n * listWidth });
    await runStep(search, { step: 'join' }, { count, work: (ROWS_PER_TASK * reach ** 2 * width) / 2 });
    const recall = recallOfSample(search.workspace);
    if (recall < WANTED_RECALL && recall - before < LEAST_GAIN) {
      if (recall >= LEAST_RECALL || cells === most) break;
      await lookAround(search, cells, Math.min(most, 2 * cells));
      cells = Math.min(most, 2 * cells);
    }
    before = recall;
  }
}

/** Share of the sample's true neighbours that are in the lists; others as near count as well. */
function recallOfSample({ plan, listScores, auditRows, auditScores }: Workspace): number {
  const { k, listWidth, auditCount } = plan;
  let found = 0;
  for (let s = 0; s < auditCount; s++) {
    const least = auditScores.values[s * listWidth + k - 1];
    const list = auditRows[s] * listWidth;
    for (let x = list; x < list + k && listScores.values[x] >= least; x++) found++;
  }
  return found / (auditCount * k);
}

async function measureAll(
  search: Search,
  measured: Measured,
  isShared: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { workspace, tell } = search;
  const { n, width, listWidth } = workspace.plan;
  const count = Math.ceil(n / ROWS_PER_TASK);
  const shares = [ROUNDS_SHARE, 1] as const;
  if (isShared) {
    await runStep(search, { step: 'measure' }, { count, work: ROWS_PER_TASK * listWidth * width, shares });
    return;
  }
  const distance = distancesOf(measured);
  for (let task = 0; task < count; task++) {
    await pause(signal);
    measureRows(workspace, measured, distance, task * ROWS_PER_TASK, (task + 1) * ROWS_PER_TASK);
    tell(shares[0] + ((shares[1] - shares[0]) * (task + 1)) / count);
  }
}
