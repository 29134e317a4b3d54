/**
 * UMAP's layout: rows that share an edge are drawn together, rows met by chance are pushed apart, epoch by
 * epoch with falling strength.
 *
 * Rows are cut into blocks (borders from n alone), and each epoch walks all ordered pairs of blocks: first
 * every block with itself, then rounds in which no two pairs share a block. Rows met by chance are read from a
 * snapshot taken when the epoch starts, and every (seed, epoch, pair) has random numbers of its own. So the
 * pairs of one round may run in any order, or at once on many threads, and give the same bytes.
 *
 * Source: McInnes, Healy & Melville 2018, section 3.2; umap-learn 0.5.3, optimize_layout_euclidean.
 * Differs: the order of updates; chance rows come from the snapshot, four consecutive ones at a time that push
 * as five, which takes rows in random order; gradients from a table (0.5% steps).
 */

import type { WeightedGraph } from './fuzzy-graph.ts';
import { kernelMemory } from './kernel.ts';
import { compiledModule, startTeam } from './thread-team.ts';
import type { Curve } from './umap-curve.ts';
import { type LayoutWork, layoutPlaces, open } from './umap-epochs.ts';
import { gradientTables, paddedDimensions, TABLE_SIZE } from './umap-moves.ts';
import { blockCount, edgeOffsets, scheduleEdges } from './umap-schedule.ts';

export interface LayoutOptions {
  nComponents: number;
  curve: Curve;
  epochs: number;
  seed: number;
  /** Default 1; the result is the same for any number. */
  threads?: number;
  signal?: AbortSignal;
  /** Called now and then with epochs done, of all. */
  onProgress?: (done: number, total: number) => void;
}

/** Edges looked at between two turns of the event loop: some tenths of a second. */
const EDGES_PER_TURN = 1e7;
/** Turns at least, so that progress shows. */
const LEAST_TURNS = 20;
/** Below this many rows, threads would be longer in starting than at work. */
const LEAST_THREADED_ROWS = 10_000;

/** The epochs that umap-learn takes: few rows need more. */
export function defaultEpochs(n: number): number {
  return n <= 10_000 ? 500 : 200;
}

/**
 * @param graph Its rows in random order: a draw meets four consecutive ones by chance.
 * @param start Float32Array [n × nComponents]; left as it is.
 * @returns Float32Array [n × nComponents].
 */
export async function layoutGraph(
  graph: WeightedGraph,
  start: Float32Array,
  options: LayoutOptions,
): Promise<Float32Array> {
  const { nComponents, curve, epochs, seed, threads = 1, signal, onProgress } = options;
  const { n } = graph;
  const blocks = blockCount(n);
  const offsets = edgeOffsets(graph, blocks, epochs);
  const m = offsets[blocks * blocks];

  const places = layoutPlaces(n, nComponents, blocks, m);
  const memory = kernelMemory(places.end);
  const { buffer } = memory;
  new Int32Array(buffer, places.offsets, offsets.length).set(offsets);
  const { free } = gradientTables(curve, {
    attraction: new Float32Array(buffer, places.attraction, TABLE_SIZE),
    repulsion: new Float32Array(buffer, places.repulsion, TABLE_SIZE),
  });
  const padded = paddedDimensions(nComponents);
  const positions = new Float32Array(buffer, places.positions, n * padded);
  // Its members wake up while what they will work on is laid out.
  const team = startTeam({
    module: () => compiledModule('umap-epochs'),
    open,
    data: { memory, places, n, nComponents, blocks, epochs, seed, free } satisfies LayoutWork,
    threads: n < LEAST_THREADED_ROWS ? 1 : threads,
    places: blocks,
    signal,
  });
  try {
    scheduleEdges(graph, blocks, epochs, {
      offsets,
      heads: new Uint16Array(buffer, places.heads, m),
      tails: new Uint16Array(buffer, places.tails, m),
      rates: new Uint16Array(buffer, places.rates, m),
      clocks: new Uint16Array(buffer, places.clocks, m),
    });
    for (let i = 0; i < n; i++) {
      positions.set(start.subarray(i * nComponents, (i + 1) * nComponents), i * padded);
    }

    const perTurn = Math.max(1, Math.floor(Math.min(EDGES_PER_TURN / Math.max(1, m), epochs / LEAST_TURNS)));
    // umap-learn draws nothing in its first epoch, so there is one less.
    for (let first = 0; first < epochs - 1; first += perTurn) {
      const end = Math.min(epochs - 1, first + perTurn);
      await team.run({ first, end });
      onProgress?.(end + 1, epochs);
    }
  } finally {
    await team.close();
  }

  const layout = new Float32Array(n * nComponents);
  for (let i = 0; i < n; i++) {
    layout.set(positions.subarray(i * padded, i * padded + nComponents), i * nComponents);
  }
  return layout;
}
