/** Which documents a layout is fitted on when it is not to be fitted on all. */

import { createRandom } from '../../pipeline/math/random.ts';
import type { UsableRows } from './usable-vectors.ts';

export interface Split {
  /** Int32Array: documents that the layout is fitted on, ascending. */
  fitted: Int32Array;
  /** Int32Array: all others, ascending. */
  placed: Int32Array;
}

/** Planes that cut the space of vectors into strata: 64 of them. */
const PLANES = 6;
/** Vectors that are in memory together while strata are told. */
const CHUNK_ROWS = 8192;

/**
 * A stratified sample of the documents: from each stratum of like vectors its share, those whose ids draw the lowest
 * numbers. A document's draw depends on its id and the seed alone, so from night to night the sample changes by
 * little more than the corpus does.
 *
 * @param rows Vectors of the documents; each is read once.
 * @param size From 1 to the number of documents.
 */
export function splitDocuments(
  rows: UsableRows,
  documentIds: readonly string[],
  size: number,
  seed: number,
): Split {
  const { n } = rows;
  const strata = strataOf(rows, seed);
  const draws = Uint32Array.from(documentIds, (id) =>
    createRandom(seed, hashOf(id), 0x73616d70).nextUint32(),
  );
  const order = Int32Array.from({ length: n }, (_, i) => i);
  order.sort((i, j) => strata[i] - strata[j] || draws[i] - draws[j] || i - j);

  const members = new Int32Array(1 << PLANES);
  for (const stratum of strata) members[stratum]++;
  const fitted = new Int32Array(size);
  const placed = new Int32Array(n - size);
  let [taken, left, start] = [0, 0, 0];
  quotas(members, n, size).forEach((quota, stratum) => {
    const end = start + members[stratum];
    fitted.set(order.subarray(start, start + quota), taken);
    placed.set(order.subarray(start + quota, end), left);
    taken += quota;
    left += members[stratum] - quota;
    start = end;
  });
  return { fitted: fitted.sort(), placed: placed.sort() };
}

/**
 * On which side of each of a few planes through the mean a vector lies, as bits; the planes are drawn by the seed.
 * Alike vectors mostly lie on the same side of all of them.
 */
function strataOf({ n, d, read }: UsableRows, seed: number): Uint8Array {
  const normals = Array.from({ length: PLANES }, (_, plane) => {
    const random = createRandom(seed, plane, 0x706c616e);
    return Float64Array.from({ length: d }, () => random.nextNormal());
  });
  const mean = new Float64Array(d);
  const heights = new Float64Array(n * PLANES);
  for (let first = 0; first < n; first += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, n - first);
    const vectors = read(Int32Array.from({ length: count }, (_, r) => first + r));
    for (let r = 0; r < count; r++) {
      const vector = vectors.subarray(r * d, (r + 1) * d);
      for (let q = 0; q < d; q++) mean[q] += vector[q] / n;
      for (let plane = 0; plane < PLANES; plane++) {
        heights[(first + r) * PLANES + plane] = dot(vector, normals[plane]);
      }
    }
  }
  const offsets = normals.map((normal) => dot(mean, normal));
  return Uint8Array.from({ length: n }, (_, i) =>
    offsets.reduce(
      (bits, offset, plane) => (heights[i * PLANES + plane] > offset ? bits | (1 << plane) : bits),
      0,
    ),
  );
}

function dot(a: Float32Array | Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let q = 0; q < a.length; q++) sum += a[q] * b[q];
  return sum;
}

/** Each stratum's share of the sample, in whole documents; those rounded down most get what is left over. */
function quotas(members: Int32Array, n: number, size: number): Int32Array {
  const shares = Int32Array.from(members, (count) => Math.floor((count * size) / n));
  const rest = (stratum: number): number => (members[stratum] * size) % n;
  const byRest = [...members.keys()].sort((a, b) => rest(b) - rest(a) || a - b);
  const missing = size - shares.reduce((sum, share) => sum + share, 0);
  for (const stratum of byRest.slice(0, missing)) shares[stratum]++;
  return shares;
}

/** FNV-1a over UTF-16 code units. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let x = 0; x < text.length; x++) hash = Math.imul(hash ^ text.charCodeAt(x), 0x01000193);
  return hash;
}
