/** Makes sure that every document has a vector that distances can be taken of. */

import type { Job, Matrix, MatrixRows } from '../../pipeline/contract.ts';
import { UserError } from '../../pipeline/errors.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import type { ReduceConfig } from './config.ts';
import { hashOf } from './fit-sample.ts';

/**
 * Checks the vectors. A document whose vector is zero (none of its words are known to the model) has no
 * direction: for cosine it is given one by chance, drawn from its id, which puts it near nothing and leaves
 * it to the outliers instead of to a topic of the unknown.
 *
 * @returns The same numbers, or a copy where vectors were drawn.
 * @throws UserError naming the first document whose vector is not finite.
 */
export function usableVectors(vectors: Matrix, documentIds: string[], job: Job<ReduceConfig>): Float32Array {
  const { n, d, values } = vectors;
  if (documentIds.length !== n || values.length !== n * d) {
    throw new Error(`reduce: ${documentIds.length} ids and ${values.length} numbers for ${n} × ${d}.`);
  }
  const { usable, zero } = mended(vectors, documentIds, job);
  tellOfZeros(new Set(zero), documentIds, job);
  return usable;
}

/** The same of some rows at a time; tell of zero vectors when all rows were read once. */
export interface UsableRows {
  n: number;
  d: number;
  /** Float32Array [rows × d]. */
  read(rows: Int32Array): Float32Array;
  tellOfZeros(): void;
}

export function usableRows(vectors: MatrixRows, documentIds: string[], job: Job<ReduceConfig>): UsableRows {
  const { n, d } = vectors;
  const zero = new Set<string>();
  return {
    n,
    d,
    read: (rows) => {
      const ids = Array.from(rows, (row) => documentIds[row]);
      const found = mended(vectors.read(rows), ids, job);
      for (const id of found.zero) zero.add(id);
      return found.usable;
    },
    tellOfZeros: () => tellOfZeros(zero, documentIds, job),
  };
}

function tellOfZeros(zero: ReadonlySet<string>, documentIds: string[], job: Job<ReduceConfig>): void {
  if (zero.size === 0) return;
  job.notice(
    `reduce: ${zero.size} of ${documentIds.length} documents have a zero vector (no word that the model knows), ` +
      `${[...zero][0]} for one. They were placed by chance, and will mostly be outliers.`,
  );
}

/** Ids of the documents that were given a direction, beside all vectors. */
function mended(
  { n, d, values }: Matrix,
  ids: readonly string[],
  job: Job<ReduceConfig>,
): { usable: Float32Array; zero: string[] } {
  const zero: number[] = [];
  for (let i = 0; i < n; i++) {
    let isZero = true;
    for (let x = i * d; x < (i + 1) * d; x++) {
      if (!Number.isFinite(values[x])) {
        throw new UserError(
          `reduce: expected finite numbers in every vector, got ${values[x]} for document ` +
            `${ids[i]} (number ${x - i * d + 1} of ${d}). Run embed again; if it comes back, the ` +
            'model in embed.model is damaged.',
        );
      }
      if (values[x] !== 0) isZero = false;
    }
    if (isZero) zero.push(i);
  }
  if (zero.length === 0 || job.config.metric !== 'cosine') return { usable: values, zero: [] };
  const usable = values.slice();
  for (const i of zero) {
    const random = createRandom(job.seed, hashOf(ids[i]));
    for (let x = i * d; x < (i + 1) * d; x++) usable[x] = random.nextNormal();
  }
  return { usable, zero: zero.map((i) => ids[i]) };
}
