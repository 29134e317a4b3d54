/**
 * What the threads of an approximate nearest-neighbour search do: the steps of the search, each cut into tasks by
 * the rows and cells alone. A task writes its own rows' lists only, so that any number of threads gives equal bytes.
 */

import type { RowDistance } from './distance.ts';
import type { KernelMemory } from './kernel.ts';
import {
  askByProbe,
  findNearCells,
  gatherNear,
  moveFar,
  moveNear,
  placeCentroid,
  rankNear,
  splitNode,
} from './neighbor-cells.ts';
import {
  ASKED,
  FRESH,
  type NeighborKernel,
  openNeighborKernel,
  plainNeighborKernel,
} from './neighbor-kernel.ts';
import { distancesOf, type Measured, measureRows } from './neighbor-measures.ts';
import {
  BACKWARD_WIDTH,
  type Desk,
  openWorkspace,
  ROWS_PER_TASK,
  type SearchPlan,
  type Workspace,
} from './neighbor-workspace.ts';
import type { OpenTeamWork } from './thread-team.ts';

export interface SearchData {
  plan: SearchPlan;
  memory: KernelMemory;
  /** Whether typed arrays do the kernel's work. */
  isPlain: boolean;
  /** Null where the vectors are not in shared memory. */
  measured: Measured | null;
}

export type SearchStep =
  | { step: 'split'; level: number }
  | { step: 'center' | 'near' | 'move-far' | 'move-near' | 'audit' | 'keep' | 'turn' | 'join' }
  | { step: 'measure' }
  /** Rows look into the cells first … last − 1 of those near them. */
  | { step: 'look'; first: number; last: number };

/** The tasks from … to − 1 of a step. */
export type SearchRequest = SearchStep & { from: number; to: number };

/** Audited rows of a task. */
export const AUDITED_PER_TASK = 16;
/** Parts of the rows, for each of which all lists are read through. */
export const TURN_PARTS = 8;
/** Rows compared with the audited ones at a time: their block stays near the core. */
const AUDIT_BLOCK = 512;

export const open: OpenTeamWork<SearchData, SearchRequest> = ({ plan, memory, isPlain, measured }) => {
  const { workspace, desks } = openWorkspace(plan, memory);
  const desk = desks[Atomics.add(workspace.header, 0, 1)];
  const kernel = isPlain ? plainNeighborKernel(memory) : openNeighborKernel(memory);
  // Made once, where the first distance is wanted: it goes through all vectors.
  let distance: RowDistance | undefined;
  const measure: Task = (task) => {
    if (measured === null) throw new Error('The vectors are not shared.');
    distance ??= distancesOf(measured);
    measureRows(workspace, measured, distance, task * ROWS_PER_TASK, (task + 1) * ROWS_PER_TASK);
  };
  return (request, crew) => {
    const task = request.step === 'measure' ? measure : taskOf(request, workspace, desk, kernel);
    // Stamps of a round before must not be taken for those of this one.
    if (request.step === 'join') desk.stamps.values.fill(0);
    crew.share(request.to - request.from, (number) => task(request.from + number));
  };
};

type Task = (task: number) => void;

function taskOf(
  request: Exclude<SearchRequest, { step: 'measure' }>,
  workspace: Workspace,
  desk: Desk,
  kernel: NeighborKernel,
): Task {
  switch (request.step) {
    case 'split':
      return (node) => splitNode(workspace, desk, kernel, request.level, node);
    case 'center':
      return (cell) => placeCentroid(workspace, desk, kernel, cell);
    case 'near':
      return (task) => findNearCells(workspace, desk, kernel, task);
    case 'move-far':
      return (cell) => moveFar(workspace, desk, kernel, cell);
    case 'move-near':
      return (cell) => moveNear(workspace, desk, kernel, cell);
    case 'audit':
      return (task) => auditRows(workspace, desk, kernel, task);
    case 'look':
      return (task) => lookAround(workspace, desk, kernel, task, request.first, request.last);
    case 'keep':
      return (task) => keepLists(workspace, task);
    case 'turn':
      return (part) => turnLists(workspace, part);
    case 'join':
      return (task) => joinRows(workspace, desk, kernel, task);
  }
}

/** Finds the true neighbours of some rows, and how many cells each row looks into before it comes to theirs. */
function auditRows(workspace: Workspace, desk: Desk, kernel: NeighborKernel, task: number): void {
  const { plan, rows, biases, cellOf, nearIds, auditIds, auditScores, auditRanks } = workspace;
  const { n, width, k, listWidth, nearWidth } = plan;
  const from = task * AUDITED_PER_TASK;
  const audited = workspace.auditRows.subarray(from, from + AUDITED_PER_TASK);
  for (let r = 0; r < audited.length; r++) {
    desk.asked.values.set([audited[r], from + r, audited[r]], r * ASKED);
  }
  for (let first = 0; first < n; first += AUDIT_BLOCK) {
    kernel.scan(
      ...([rows.address, 2 * width, desk.asked.address, audited.length] as const),
      ...([rows.address, biases.address, first, Math.min(AUDIT_BLOCK, n - first)] as const),
      ...([auditIds.address, auditScores.address, listWidth, 0, desk.gathered.address] as const),
    );
  }
  for (let r = 0; r < audited.length; r++) {
    const cell = cellOf[audited[r]];
    const near = gatherNear(workspace, desk, cell, nearWidth);
    rankNear(workspace, desk, kernel, audited.subarray(r, r + 1), near, nearWidth);
    for (let x = 0; x < k; x++) {
      const wanted = cellOf[auditIds.values[(from + r) * listWidth + x]];
      let rank = 0;
      while (rank < near && nearIds.values[cell * nearWidth + desk.probeIds.values[rank]] !== wanted) rank++;
      auditRanks[(from + r) * k + x] = rank < near ? rank : nearWidth;
    }
  }
}

/**
 * Compares rows with those of the cells nearest to each. Neighbouring places lie in neighbouring cells, so many of
 * the rows look into the same cells: these are fetched once for all of them.
 */
function lookAround(
  workspace: Workspace,
  desk: Desk,
  kernel: NeighborKernel,
  task: number,
  first: number,
  last: number,
): void {
  const { plan, header, rows, biases, cellOf, cellStarts, nearIds, listIds, listScores } = workspace;
  const { n, width, listWidth, nearWidth } = plan;
  const { asked, probeIds, gathered } = desk;
  const start = task * ROWS_PER_TASK;
  const end = Math.min(n, start + ROWS_PER_TASK);
  const ranked = Math.ceil(last / 4) * 4;
  for (let from = start; from < end; ) {
    const cell = cellOf[from];
    const to = Math.min(end, cellStarts[cell + 1]);
    const near = gatherNear(workspace, desk, cell, nearWidth);
    const chunk = Int32Array.from({ length: to - from }, (_, r) => from + r);
    rankNear(workspace, desk, kernel, chunk, near, ranked, from - start);
    // From numbers on the desk to numbers of cells.
    for (let x = (from - start) * ranked; x < (to - start) * ranked; x++) {
      if (probeIds.values[x] >= 0) probeIds.values[x] = nearIds.values[cell * nearWidth + probeIds.values[x]];
    }
    from = to;
  }

  // The nearest cell first: it fills the lists, and little of what comes later has to be put in.
  const passes =
    first === 0
      ? [
          [0, 1],
          [1, last],
        ]
      : [[first, last]];
  for (const [from, to] of passes) {
    const asking = { rows: end - start, listWidth: ranked, first: from, last: to, count: header[1] };
    const starts = askByProbe(desk, asking, (r) => [start + r, start + r, start + r]);
    for (let cell = 0; cell < header[1]; cell++) {
      const askers = starts[cell + 1] - starts[cell];
      if (askers === 0) continue;
      kernel.scan(
        ...([rows.address, 2 * width, asked.address + 4 * ASKED * starts[cell], askers] as const),
        ...([rows.address, biases.address] as const),
        ...([cellStarts[cell], cellStarts[cell + 1] - cellStarts[cell]] as const),
        ...([listIds.address, listScores.address, listWidth, FRESH, gathered.address] as const),
      );
    }
  }
}

/** Keeps the lists as they are for the round to come; what enters them from now on is fresh. */
function keepLists({ plan, listIds, forward }: Workspace, task: number): void {
  const from = task * ROWS_PER_TASK * plan.listWidth;
  const to = Math.min(from + ROWS_PER_TASK * plan.listWidth, listIds.values.length);
  forward.values.set(listIds.values.subarray(from, to), from);
  for (let x = from; x < to; x++) if (listIds.values[x] >= 0) listIds.values[x] &= ~FRESH;
}

/** Notes for the rows of a part who names them without being named. */
function turnLists({ plan, listIds, forward, backward, backwardCounts }: Workspace, part: number): void {
  const { n, listWidth, reach } = plan;
  const from = Math.floor((n * part) / TURN_PARTS);
  const to = Math.floor((n * (part + 1)) / TURN_PARTS);
  backwardCounts.values.fill(0, from, to);
  for (let i = 0; i < n; i++) {
    for (let x = i * listWidth; x < i * listWidth + reach; x++) {
      const named = forward.values[x] & ~FRESH;
      // An empty place has all bits, and so is beyond every row.
      if (named < from || named >= to || forward.values[x] < 0) continue;
      const count = backwardCounts.values[named];
      if (count === BACKWARD_WIDTH) continue;
      let own = named * listWidth;
      const end = own + listWidth;
      while (own < end && listIds.values[own] !== i) own++;
      if (own < end) continue;
      backward.values[named * BACKWARD_WIDTH + count] = i | (forward.values[x] & FRESH);
      backwardCounts.values[named] = count + 1;
    }
  }
}

function joinRows(workspace: Workspace, desk: Desk, kernel: NeighborKernel, task: number): void {
  const { plan, rows, biases, listIds, listScores, forward, backward, backwardCounts } = workspace;
  const from = task * ROWS_PER_TASK;
  kernel.join(
    ...([rows.address, 2 * plan.width, biases.address] as const),
    ...([from, Math.min(plan.n, from + ROWS_PER_TASK)] as const),
    ...([listIds.address, listScores.address, plan.listWidth] as const),
    ...([forward.address, plan.reach, backward.address, backwardCounts.address, BACKWARD_WIDTH] as const),
    ...([desk.stamps.address, desk.candidates.address] as const),
  );
}
