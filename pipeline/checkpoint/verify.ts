/** Checks on this machine that a converted model still computes what its conversion was checked to compute. */

import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../errors.ts';
import type { ModelCard } from '../model/card.ts';
import { openSession } from '../model/session.ts';
import { probeFault } from './parity.ts';

const probedSchema = z.looseObject({
  precision: z.enum(['int8', 'fp32']),
  probes: z
    .array(
      z.object({
        ids: z.array(z.int().nonnegative()).min(1).max(100_000),
        task: z.int().nonnegative(),
        output: z.array(z.number()).min(1),
      }),
    )
    .min(1),
});

/**
 * @returns Number of sequences run; 0 for a model that was not converted and so has none.
 * @throws UserError when the outputs differ by more than rounding, or the card's probes cannot be read.
 */
export async function verifyConversion(folder: string, card: ModelCard): Promise<number> {
  if (!('probes' in card)) return 0;
  const probed = probedSchema.safeParse(card);
  if (!probed.success) throw new UserError(`${join(folder, 'card.json')}: ${z.prettifyError(probed.error)}`);
  const { precision, probes } = probed.data;
  const session = await openSession(join(folder, 'model.onnx'));
  try {
    const fault = await probeFault(session, probes, precision);
    if (fault !== null) {
      throw new UserError(
        `${folder} does not compute on this machine what it was checked to: ${fault}. Convert it here again; int8 weights that a processor cannot multiply exactly are then left as fp32.`,
      );
    }
  } finally {
    await session.close();
  }
  return probes.length;
}
