/** The one memory that the approximate nearest-neighbour search works in: what lies where, for all threads alike. */

import { type KernelMemory, kernelPageBytes, maxKernelPages } from './kernel.ts';
import { ASKED, GATHERED } from './neighbor-kernel.ts';

/** Sizes of a search; equal on all threads. */
export interface SearchPlan {
  /** Rows searched; all differ. */
  n: number;
  /** Numbers of a row, a multiple of 8. */
  width: number;
  /** Neighbours wanted of each row. */
  k: number;
  /** Candidates kept of each row, a multiple of 4. */
  listWidth: number;
  /** Candidates through which others are found. */
  reach: number;
  /** Most cells. */
  cellLimit: number;
  /** Cells near a cell that its rows may look into, a multiple of 4. */
  nearWidth: number;
  /** Rows that are compared with all others, to tell the recall. */
  auditCount: number;
  /** Threads. */
  members: number;
  seed: number;
}

/** Rows that name a row are remembered up to this many. */
export const BACKWARD_WIDTH = 16;
/** Rows of a task, in steps that take rows as they stand. */
export const ROWS_PER_TASK = 1024;
/** Width of a list of which the first few are wanted. */
export const SHORT_LIST = 4;
/** Rows that stand for a node of the tree when it is split. */
export const SPLIT_SAMPLE = 256;
/** Rows and biases beyond the last that the kernel may read. */
const READ_AHEAD = 3;

/** Numbers, and the address where they begin. */
export interface Region<Values extends Int32Array | Int16Array = Int32Array> {
  address: number;
  values: Values;
}

/**
 * Shared by all members. Rows stand in the order of their cells once these are made, and are named by their
 * places from then on.
 */
export interface Workspace {
  plan: SearchPlan;
  /** [0]: members that have come; [1]: cells, c; [2]: districts. */
  header: Int32Array;
  /** [n × width], as neighbor-points.ts makes them. */
  rows: Region<Int16Array>;
  /** [n]: minus half a row's squared length, which makes the scores of answers fall with their distance. */
  biases: Region;
  /** [n]: which row stands, or is to stand, at each place. */
  order: Region;
  /** [n]: cell of each row, later of each place. */
  cellOf: Int32Array;
  /** [n × listWidth]: the best candidates so far, lists as in neighbor-kernel.ts. */
  listIds: Region;
  listScores: Region;
  /** [n × listWidth]: the lists before a round. */
  forward: Region;
  /** [n × BACKWARD_WIDTH]: rows that name a row without being named by it; [n]: how many. */
  backward: Region;
  backwardCounts: Region;
  /** [n]: of the rows in `order`, along the direction in which their node is split. */
  projections: Region;
  /** [n] */
  spare: Int32Array;
  /** [cellLimit × 3]: a node's first place, the place after its last, and the first place of its second part. */
  nodes: Int32Array;
  /** [cellLimit + 1]: first place of each cell. */
  cellStarts: Int32Array;
  /** [cellLimit × width] and [cellLimit]: as rows and biases. */
  centroids: Region<Int16Array>;
  centroidBiases: Region;
  /** [nearWidth + 1]: first cell of each district, a part of the tree that many cells grew from. */
  districtStarts: Int32Array;
  /** [nearWidth × width] and [nearWidth]: as rows and biases. */
  districts: Region<Int16Array>;
  districtBiases: Region;
  /** [cellLimit × nearWidth]: lists of the nearest cells, the cell itself among them. */
  nearIds: Region;
  nearScores: Region;
  /** [auditCount]: places of rows that are compared with all others. */
  auditRows: Int32Array;
  /** [auditCount × listWidth]: lists of their true neighbours. */
  auditIds: Region;
  auditScores: Region;
  /** [auditCount × k]: the cells into which a row would look before that of each true neighbour. */
  auditRanks: Int32Array;
}

/** What a member has to itself. */
export interface Desk {
  /** [GATHERED × width] */
  gathered: Region<Int16Array>;
  /** [ROWS_PER_TASK × nearWidth × ASKED] */
  asked: Region;
  /** [ROWS_PER_TASK × nearWidth]: lists of near cells, or districts, numbered from 0. */
  probeIds: Region;
  probeScores: Region;
  /** [ROWS_PER_TASK × SHORT_LIST]: lists of cells. */
  bestIds: Region;
  bestScores: Region;
  /** [nearWidth × width] and [nearWidth]: centroids of near cells, nearest first, and their biases. */
  nearRows: Region<Int16Array>;
  nearBiases: Region;
  /** [width] */
  totals: Region;
  /** [width] */
  direction: Region<Int16Array>;
  /** [SPLIT_SAMPLE]: rows, and their projections. */
  sample: Region;
  sampleProjections: Region;
  /** [n] */
  stamps: Region;
  candidates: Region;
}

/**
 * Lays out a memory, growing it where it is too small; the same plan gives the same addresses on every thread.
 *
 * @throws RangeError when the rows need more than a memory can have.
 */
export function openWorkspace(
  plan: SearchPlan,
  memory: KernelMemory,
): { workspace: Workspace; desks: Desk[] } {
  const { n, width, k, listWidth, reach, cellLimit, nearWidth, auditCount, members } = plan;
  const { int32, int16 } = regions(memory, plan);
  const workspace: Workspace = {
    plan,
    header: int32(3).values,
    rows: int16((n + READ_AHEAD) * width),
    biases: int32(n + READ_AHEAD),
    order: int32(n),
    cellOf: int32(n).values,
    listIds: int32(n * listWidth),
    listScores: int32(n * listWidth),
    forward: int32(n * listWidth),
    backward: int32(n * BACKWARD_WIDTH),
    backwardCounts: int32(n),
    projections: int32(n),
    spare: int32(n).values,
    nodes: int32(cellLimit * 3).values,
    cellStarts: int32(cellLimit + 1).values,
    centroids: int16((cellLimit + READ_AHEAD) * width),
    centroidBiases: int32(cellLimit + READ_AHEAD),
    districtStarts: int32(nearWidth + 1).values,
    districts: int16((nearWidth + READ_AHEAD) * width),
    districtBiases: int32(nearWidth + READ_AHEAD),
    nearIds: int32(cellLimit * nearWidth),
    nearScores: int32(cellLimit * nearWidth),
    auditRows: int32(auditCount).values,
    auditIds: int32(auditCount * listWidth),
    auditScores: int32(auditCount * listWidth),
    auditRanks: int32(auditCount * k).values,
  };
  const named = reach + BACKWARD_WIDTH;
  const desks = Array.from({ length: members }, () => ({
    gathered: int16(GATHERED * width),
    asked: int32(ROWS_PER_TASK * nearWidth * ASKED),
    probeIds: int32(ROWS_PER_TASK * nearWidth),
    probeScores: int32(ROWS_PER_TASK * nearWidth),
    bestIds: int32(ROWS_PER_TASK * SHORT_LIST),
    bestScores: int32(ROWS_PER_TASK * SHORT_LIST),
    nearRows: int16((nearWidth + READ_AHEAD) * width),
    nearBiases: int32(nearWidth + READ_AHEAD),
    totals: int32(width),
    direction: int16(width),
    sample: int32(SPLIT_SAMPLE),
    sampleProjections: int32(SPLIT_SAMPLE),
    stamps: int32(n),
    candidates: int32(named * named + BACKWARD_WIDTH + READ_AHEAD),
  }));
  return { workspace, desks };
}

/** Takes one region after another; each begins where vectors of 16 bytes like to. */
function regions(memory: KernelMemory, plan: SearchPlan) {
  let used = 0;
  const take = (bytes: number): number => {
    const address = used;
    used += Math.ceil(bytes / 16) * 16;
    const missing = Math.ceil(used / kernelPageBytes) - memory.buffer.byteLength / kernelPageBytes;
    if (used > maxKernelPages * kernelPageBytes) {
      throw new RangeError(
        `Expected a search within ${maxKernelPages * kernelPageBytes} bytes of memory, got ${plan.n} rows × ` +
          `${plan.width} numbers, which need more. Search a part of the rows at a time.`,
      );
    }
    if (missing > 0) memory.grow(missing);
    return address;
  };
  return {
    int32: (length: number): Region => {
      const address = take(4 * length);
      return { address, values: new Int32Array(memory.buffer, address, length) };
    },
    int16: (length: number): Region<Int16Array> => {
      const address = take(2 * length);
      return { address, values: new Int16Array(memory.buffer, address, length) };
    },
  };
}
