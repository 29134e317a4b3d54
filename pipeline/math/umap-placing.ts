/**
 * New rows placed among those of a layout, as the work of a thread team over one shared memory: every row by
 * itself, moved by the WebAssembly kernel.
 */

import { cutMemory, type KernelMemory, loadKernel } from './kernel.ts';
import type { OpenTeamWork } from './thread-team.ts';
import { CHANCE_ROWS, paddedDimensions, pushFactor, TABLE_SIZE, WINDOW_GROUPS } from './umap-moves.ts';

/** Where everything lies in the memory: bytes. */
export interface PlacingPlaces {
  /** Of the rows that stay. */
  positions: number;
  snapshot: number;
  attraction: number;
  repulsion: number;
  /** Of the new rows. */
  rows: number;
  tails: number;
  rates: number;
  /** First chance group and random state of each. */
  chances: number;
  /** Bytes in all. */
  end: number;
}

/** @param m New rows, of k neighbours each. */
export function placingPlaces(n: number, nComponents: number, m: number, k: number): PlacingPlaces {
  const { take, end } = cutMemory();
  const padded = paddedDimensions(nComponents);
  return {
    positions: take(4 * n * padded),
    snapshot: take(4 * CHANCE_ROWS * nComponents * Math.ceil(n / CHANCE_ROWS)),
    attraction: take(4 * TABLE_SIZE),
    repulsion: take(4 * TABLE_SIZE),
    rows: take(4 * m * padded),
    tails: take(4 * m * k),
    rates: take(2 * m * k),
    chances: take(8 * m),
    end: end(),
  };
}

export interface PlacingWork {
  memory: KernelMemory;
  places: PlacingPlaces;
  n: number;
  nComponents: number;
  m: number;
  k: number;
  epochs: number;
  /** Share of each step that is taken in the first epoch. */
  strength: number;
  /** {@link GradientTables.free}. */
  free: number;
}

/** New rows from `first` up to, not including, `end`. */
export interface PlacingRequest {
  first: number;
  end: number;
}

/** Functions of kernels/umap-layout.ts. */
interface Kernel {
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
  place(
    dims: number,
    positions: number,
    row: number,
    tails: number,
    rates: number,
    k: number,
    epochs: number,
    pullStrength: number,
    pushStrength: number,
    firstGroup: number,
    randomStart: number,
  ): void;
}

/** Rows that one task places. */
const TASK_ROWS = 256;

export const open: OpenTeamWork<PlacingWork, PlacingRequest> = (work) => {
  const { memory, places, n, nComponents, m, k, epochs, strength, free } = work;
  const kernel = loadKernel<Kernel>('umap-layout', memory);
  const chances = new Int32Array(memory.buffer, places.chances, 2 * m);
  const rowBytes = 4 * paddedDimensions(nComponents);
  const { snapshot, attraction, repulsion } = places;
  const groups = Math.ceil(n / CHANCE_ROWS);
  kernel.prepare(snapshot, groups, Math.min(groups, WINDOW_GROUPS), attraction, repulsion, free, 0, 0, 1);
  return ({ first, end }, crew) => {
    crew.share(Math.ceil((end - first) / TASK_ROWS), (task) => {
      const from = first + task * TASK_ROWS;
      for (let row = from; row < Math.min(end, from + TASK_ROWS); row++) {
        kernel.place(
          nComponents,
          places.positions,
          places.rows + row * rowBytes,
          places.tails + 4 * row * k,
          places.rates + 2 * row * k,
          k,
          epochs,
          strength,
          pushFactor(1) * strength,
          chances[2 * row],
          chances[2 * row + 1],
        );
      }
    });
  };
};
