/**
 * Places by the slow vectors of the neighbour graph, in place of UMAP's layout: they follow the graph each night, and
 * are turned onto those of the night before, which they then change only by a share.
 *
 * Source: Ng, Jordan & Weiss 2001 (rows of length 1); Schönemann 1966 (orthogonal Procrustes).
 */

import { connectedComponents, type WeightedGraph } from '../../pipeline/math/fuzzy-graph.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { slowVectors } from '../../pipeline/math/spectral.ts';
import { symmetricEigen } from '../../pipeline/math/symmetric-eigen.ts';

/** About 0.8 of the topics to be expected: 45 at 6,000 documents, 18 at 1,000. */
const VECTORS_PER_ROOT = 0.58;
const LEAST_VECTORS = 10;
const MOST_VECTORS = 60;
/** Share of last night's place in tonight's. */
const OLD_SHARE = 0.75;
/** Components are joined by ties too weak to matter, since slow vectors are those of one connected graph. */
const JOINING_WEIGHT = 1e-3;
/** Vectors are wanted as they are, not as a start: see SpectralOptions. */
const TOLERANCE = 1e-3;
const ROUNDS = 40;

/** Numbers per document for n documents; kept until the next rebuild. */
export function spectralDimensions(n: number): number {
  return Math.max(LEAST_VECTORS, Math.min(MOST_VECTORS, Math.round(VECTORS_PER_ROOT * Math.sqrt(n))));
}

/**
 * @param graph Of all n documents, n above d.
 * @param least Components with fewer documents are scattered by chance, which leaves them to the outliers.
 * @returns Float32Array [n × d]; rows of length 1.
 */
export async function spectralPlaces(
  graph: WeightedGraph,
  d: number,
  least: number,
  { seed, threads, signal }: { seed: number; threads: number; signal: AbortSignal },
): Promise<Float32Array> {
  const { n } = graph;
  const { joined, isSmall } = joinComponents(graph, least);
  const { values, vectors } = await slowVectors(joined, {
    count: d,
    seed,
    tolerance: TOLERANCE,
    rounds: ROUNDS,
    threads,
    signal,
  });
  const places = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    const random = isSmall[i] === 1 ? createRandom(seed, i, 0x61706172) : null;
    for (let q = 0; q < d; q++) {
      const along = vectors[i * d + q] * Math.max(0, 1 - values[q]);
      places[i * d + q] = random === null ? along : random.nextNormal();
    }
  }
  normalizeRows(places, n, d);
  return places;
}

/**
 * Tonight's places turned onto last night's, and mixed with them.
 *
 * @param tonight Float32Array [n × d]; left as it is.
 * @param before Float32Array [n × d]; rows without `placed` are not read.
 * @returns Float32Array [n × d]; rows of length 1.
 */
export function turnedOnto(
  tonight: Float32Array,
  before: Float32Array,
  placed: Uint8Array,
  d: number,
): Float32Array {
  const n = placed.length;
  const cross = new Float64Array(d * d);
  for (let i = 0; i < n; i++) {
    if (placed[i] === 0) continue;
    for (let q = 0; q < d; q++) {
      for (let r = 0; r < d; r++) cross[q * d + r] += tonight[i * d + q] * before[i * d + r];
    }
  }
  const turn = nearestRotation(cross, d);
  const places = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    for (let r = 0; r < d; r++) {
      let turned = 0;
      for (let q = 0; q < d; q++) turned += tonight[i * d + q] * turn[q * d + r];
      places[i * d + r] = placed[i] === 1 ? OLD_SHARE * before[i * d + r] + (1 - OLD_SHARE) * turned : turned;
    }
  }
  normalizeRows(places, n, d);
  return places;
}

/** The orthogonal matrix nearest to M, M (MᵀM)^-½; directions that M knows nothing of are left out. */
function nearestRotation(matrix: Float64Array, d: number): Float64Array {
  const square = new Float64Array(d * d);
  for (let q = 0; q < d; q++) {
    for (let r = 0; r < d; r++) {
      for (let s = 0; s < d; s++) square[r * d + s] += matrix[q * d + r] * matrix[q * d + s];
    }
  }
  const { values, vectors } = symmetricEigen(square, d);
  const inverse = new Float64Array(d * d);
  for (let e = 0; e < d; e++) {
    if (values[e] <= 1e-12 * values[0]) continue;
    const scale = 1 / Math.sqrt(values[e]);
    for (let r = 0; r < d; r++) {
      for (let s = 0; s < d; s++) inverse[r * d + s] += scale * vectors[r * d + e] * vectors[s * d + e];
    }
  }
  const turn = new Float64Array(d * d);
  for (let q = 0; q < d; q++) {
    for (let s = 0; s < d; s++) {
      for (let r = 0; r < d; r++) turn[q * d + r] += matrix[q * d + s] * inverse[s * d + r];
    }
  }
  return turn;
}

function normalizeRows(places: Float32Array, n: number, d: number): void {
  for (let i = 0; i < n; i++) {
    let square = 0;
    for (let q = 0; q < d; q++) square += places[i * d + q] ** 2;
    if (square === 0) continue;
    const scale = 1 / Math.sqrt(square);
    for (let q = 0; q < d; q++) places[i * d + q] *= scale;
  }
}

/** The graph in one piece: each component's first row is tied to that of the component before. */
function joinComponents(graph: WeightedGraph, least: number): { joined: WeightedGraph; isSmall: Uint8Array } {
  const { n, offsets, targets, weights } = graph;
  const components = connectedComponents(graph);
  const sizes = new Int32Array(components.count);
  const firstRows: number[] = [];
  for (let i = 0; i < n; i++) {
    if (sizes[components.of[i]]++ === 0) firstRows.push(i);
  }
  const isSmall = Uint8Array.from(components.of, (component) => (sizes[component] < least ? 1 : 0));
  if (components.count === 1) return { joined: graph, isSmall };

  const ties = new Map<number, number[]>();
  for (let c = 1; c < firstRows.length; c++) {
    for (const [i, j] of [
      [firstRows[c - 1], firstRows[c]],
      [firstRows[c], firstRows[c - 1]],
    ]) {
      const list = ties.get(i);
      if (list === undefined) ties.set(i, [j]);
      else list.push(j);
    }
  }
  const joined: WeightedGraph = {
    n,
    offsets: new Int32Array(n + 1),
    targets: new Int32Array(targets.length + 2 * (firstRows.length - 1)),
    weights: new Float32Array(targets.length + 2 * (firstRows.length - 1)),
  };
  let m = 0;
  for (let i = 0; i < n; i++) {
    const row: [number, number][] = (ties.get(i) ?? []).map((j) => [j, JOINING_WEIGHT]);
    for (let x = offsets[i]; x < offsets[i + 1]; x++) row.push([targets[x], weights[x]]);
    for (const [target, weight] of row.sort(([a], [b]) => a - b)) {
      joined.targets[m] = target;
      joined.weights[m++] = weight;
    }
    joined.offsets[i + 1] = m;
  }
  return { joined, isSmall };
}
