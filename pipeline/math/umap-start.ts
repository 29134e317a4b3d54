/**
 * Where rows stand before UMAP's layout moves them. A connected graph starts at its slowest-varying vectors.
 * Where the graph falls apart, principal components place the parts, and each part is arranged by its own
 * vectors at the size it has among the components.
 *
 * Differs from umap-learn, which puts the parts of a disconnected graph on the corners of a cross or at a
 * spectral layout of their centres: both forget how far apart they are, and how large.
 */

import type { Metric } from './distance.ts';
import { connectedComponents, type WeightedGraph } from './fuzzy-graph.ts';
import { principalComponents } from './principal-components.ts';
import { createRandom } from './random.ts';
import { slowVectors } from './spectral.ts';

export interface StartOptions {
  n: number;
  d: number;
  metric: Metric;
  /** Coordinates wanted. */
  count: number;
  seed: number;
  /** Default 1; the result is the same for any number. */
  threads?: number;
  signal?: AbortSignal;
}

/** As umap-learn: coordinates fill 0 … 10, and a little noise parts rows that would start at one point. */
const EXTENT = 10;
const NOISE = 1e-4;

/**
 * @param vectors Float32Array [n × d]: the rows that the graph was made from.
 * @returns Float64Array [n × count], the slowest direction first; unscaled.
 */
export async function startPositions(
  graph: WeightedGraph,
  vectors: Float32Array,
  options: StartOptions,
): Promise<Float64Array> {
  const { n, d, metric, count, seed } = options;
  const components = connectedComponents(graph);
  if (components.count === 1 && n > count) return (await slowVectors(graph, options)).vectors;

  const positions = Float64Array.from(principalComponents(vectors, { n, d, count, metric, seed }));
  const rowsOf: number[][] = Array.from({ length: components.count }, () => []);
  for (let i = 0; i < n; i++) rowsOf[components.of[i]].push(i);
  for (const rows of rowsOf) {
    // Too few rows to have so many vectors of their own: they stay at their principal components.
    if (rows.length > count) await arrange(rows, graph, positions, options);
  }
  return positions;
}

/** Lays one component out by its slow vectors, keeping the centre and the spread it has in `positions`. */
async function arrange(
  rows: number[],
  graph: WeightedGraph,
  positions: Float64Array,
  options: StartOptions,
): Promise<void> {
  const { count } = options;
  const { vectors } = await slowVectors(subgraph(graph, rows), options);
  const center = new Float64Array(count);
  const vectorCenter = new Float64Array(count);
  rows.forEach((i, r) => {
    for (let q = 0; q < count; q++) {
      center[q] += positions[i * count + q] / rows.length;
      vectorCenter[q] += vectors[r * count + q] / rows.length;
    }
  });
  let spread = 0;
  let vectorSpread = 0;
  rows.forEach((i, r) => {
    for (let q = 0; q < count; q++) {
      spread += (positions[i * count + q] - center[q]) ** 2;
      vectorSpread += (vectors[r * count + q] - vectorCenter[q]) ** 2;
    }
  });
  const scale = Math.sqrt(spread / vectorSpread);
  rows.forEach((i, r) => {
    for (let q = 0; q < count; q++) {
      positions[i * count + q] = center[q] + (vectors[r * count + q] - vectorCenter[q]) * scale;
    }
  });
}

/** The graph of some rows, all of whose edges stay among them; rows are renumbered in the given order. */
function subgraph({ n, offsets, targets, weights }: WeightedGraph, rows: number[]): WeightedGraph {
  const number = new Int32Array(n);
  rows.forEach((i, r) => {
    number[i] = r;
  });
  const part: WeightedGraph = {
    n: rows.length,
    offsets: new Int32Array(rows.length + 1),
    targets: new Int32Array(rows.reduce((sum, i) => sum + offsets[i + 1] - offsets[i], 0)),
    weights: new Float32Array(0),
  };
  part.weights = new Float32Array(part.targets.length);
  let m = 0;
  rows.forEach((i, r) => {
    for (let x = offsets[i]; x < offsets[i + 1]; x++, m++) {
      part.targets[m] = number[targets[x]];
      part.weights[m] = weights[x];
    }
    part.offsets[r + 1] = m;
  });
  return part;
}

/**
 * The first coordinates of a start, scaled for the layout.
 *
 * @param positions Float64Array [n × count].
 * @param nComponents At most count.
 * @returns Float32Array [n × nComponents] in about 0 … 10; a direction without extent holds noise alone.
 */
export function scaleStart(
  positions: Float64Array,
  { n, count, nComponents, seed }: { n: number; count: number; nComponents: number; seed: number },
): Float32Array {
  const random = createRandom(seed, 0x6e6f6973);
  const low = new Float64Array(nComponents).fill(Infinity);
  const high = new Float64Array(nComponents).fill(-Infinity);
  for (let i = 0; i < n; i++) {
    for (let q = 0; q < nComponents; q++) {
      low[q] = Math.min(low[q], positions[i * count + q]);
      high[q] = Math.max(high[q], positions[i * count + q]);
    }
  }
  const start = new Float32Array(n * nComponents);
  for (let i = 0; i < n; i++) {
    for (let q = 0; q < nComponents; q++) {
      const extent = high[q] - low[q];
      const place = extent > 0 ? (EXTENT * (positions[i * count + q] - low[q])) / extent : EXTENT / 2;
      start[i * nComponents + q] = place + NOISE * random.nextNormal();
    }
  }
  return start;
}
