/**
 * Epochs of UMAP's layout as the work of a thread team: rounds of block pairs over one shared memory, every pair
 * moved by the WebAssembly kernel.
 */

import { cutMemory, type KernelMemory, loadKernel } from './kernel.ts';
import { createRandom } from './random.ts';
import type { OpenTeamWork } from './thread-team.ts';
import {
  CHANCE_ROWS,
  chanceOf,
  firstRowOf,
  meetingsOf,
  paddedDimensions,
  pushFactor,
  TABLE_SIZE,
  WINDOW_GROUPS,
} from './umap-moves.ts';
import { tournament } from './umap-schedule.ts';

/** Where everything lies in the memory: bytes. */
export interface LayoutPlaces {
  positions: number;
  snapshot: number;
  attraction: number;
  repulsion: number;
  offsets: number;
  heads: number;
  tails: number;
  rates: number;
  clocks: number;
  /** Bytes in all. */
  end: number;
}

/** @param m Edges, those that fill pairs up included. */
export function layoutPlaces(n: number, nComponents: number, blocks: number, m: number): LayoutPlaces {
  const { take, end } = cutMemory();
  return {
    positions: take(4 * n * paddedDimensions(nComponents)),
    snapshot: take(4 * CHANCE_ROWS * nComponents * Math.ceil(n / CHANCE_ROWS)),
    attraction: take(4 * TABLE_SIZE),
    repulsion: take(4 * TABLE_SIZE),
    offsets: take(4 * (blocks * blocks + 1)),
    heads: take(2 * m),
    tails: take(2 * m),
    rates: take(2 * m),
    clocks: take(2 * m),
    end: end(),
  };
}

export interface LayoutWork {
  memory: KernelMemory;
  places: LayoutPlaces;
  n: number;
  nComponents: number;
  blocks: number;
  epochs: number;
  seed: number;
  /** {@link GradientTables.free}. */
  free: number;
}

/** Epochs from `first` up to, not including, `end`. */
export interface EpochsRequest {
  first: number;
  end: number;
}

/** The functions of kernels/umap-layout.ts. */
interface Kernel {
  photograph(
    dims: number,
    n: number,
    positions: number,
    snapshot: number,
    firstGroup: number,
    endGroup: number,
  ): void;
  prepare(
    snapshot: number,
    groups: number,
    windowGroups: number,
    attraction: number,
    repulsion: number,
    free: number,
    pullStrength: number,
    pushStrength: number,
    meetings: number,
  ): void;
  move(
    dims: number,
    positions: number,
    firstHead: number,
    firstTail: number,
    heads: number,
    tails: number,
    rates: number,
    clocks: number,
    edges: number,
    firstGroup: number,
    randomStart: number,
  ): void;
}

/** Groups of the snapshot that one task copies. */
const SNAPSHOT_TASK = 4096;

export const open: OpenTeamWork<LayoutWork, EpochsRequest> = (work) => {
  const { memory, places, n, nComponents, blocks, epochs, seed, free } = work;
  const kernel = loadKernel<Kernel>('umap-layout', memory);
  const offsets = new Int32Array(memory.buffer, places.offsets, blocks * blocks + 1);
  const rounds = tournament(blocks);
  const groups = Math.ceil(n / CHANCE_ROWS);
  const meetings = meetingsOf(n);

  return (request, crew) => {
    for (let epoch = request.first; epoch < request.end; epoch++) {
      crew.share(Math.ceil(groups / SNAPSHOT_TASK), (task) => {
        const from = task * SNAPSHOT_TASK;
        const to = Math.min(groups, from + SNAPSHOT_TASK);
        kernel.photograph(nComponents, n, places.positions, places.snapshot, from, to);
      });
      // Falls from 1 to 0.
      const strength = 1 - epoch / epochs;
      kernel.prepare(
        places.snapshot,
        groups,
        Math.min(groups, WINDOW_GROUPS),
        places.attraction,
        places.repulsion,
        free,
        strength,
        pushFactor(meetings) * strength,
        meetings,
      );
      crew.chain(rounds, (round, task) => {
        const [p, q] = rounds[round][task];
        const pair = p * blocks + q;
        const from = offsets[pair];
        const { first, start } = chanceOf(createRandom(seed, epoch, pair), groups);
        kernel.move(
          nComponents,
          places.positions,
          firstRowOf(p, n, blocks),
          firstRowOf(q, n, blocks),
          places.heads + 2 * from,
          places.tails + 2 * from,
          places.rates + 2 * from,
          places.clocks + 2 * from,
          offsets[pair + 1] - from,
          first,
          start,
        );
      });
    }
  };
};
