/** Makes sure that every document has a vector that distances can be taken of. */

import type { Job, Matrix } from '../../pipeline/contract.ts';
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
  const zero: number[] = [];
  for (let i = 0; i < n; i++) {
    let isZero = true;
    for (let x = i * d; x < (i + 1) * d; x++) {
      if (!Number.isFinite(values[x])) {
        throw new UserError(
          `reduce: expected finite numbers in every vector, got ${values[x]} for document ` +
            `${documentIds[i]} (number ${x - i * d + 1} of ${d}). Run embed again; if it comes back, the ` +
            'model in embed.model is damaged.',
        );
      }
      if (values[x] !== 0) isZero = false;
    }
    if (isZero) zero.push(i);
  }
  if (zero.length === 0 || job.config.metric !== 'cosine') return values;

  job.notice(
    `reduce: ${zero.length} of ${n} documents have a zero vector (no word that the model knows), ` +
      `${documentIds[zero[0]]} for one. They were placed by chance, and will mostly be outliers.`,
  );
  const usable = values.slice();
  for (const i of zero) {
    const random = createRandom(job.seed, hashOf(documentIds[i]));
    for (let x = i * d; x < (i + 1) * d; x++) usable[x] = random.nextNormal();
  }
  return usable;
}
