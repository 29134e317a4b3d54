/** The settings of the embed stage. */

import { z } from 'zod';
import type { Section } from '../../pipeline/contract.ts';

export const embedSchema = z.strictObject({
  model: z
    .string()
    .min(1)
    .default('builtin:static')
    .describe(
      'Document embedder: builtin:NAME, hf:owner/name[@revision] from the hub, specter2 for SPECTER2, or a model ' +
        'folder (a relative one starts from this file).',
    ),
  task: z
    .enum(['proximity', 'classification', 'regression', 'adhoc_query'])
    .optional()
    .describe(
      'Adapter to use, for models that have adapters (default there: proximity); leave out for others.',
    ),
  precision: z
    .enum(['auto', 'int8', 'fp32'])
    .default('auto')
    .describe(
      'Weights of a model from the hub: int8, fp32 (exact, slower, four times the memory), or auto: int8 where ' +
        'the check against fp32 passes.',
    ),
  adapt: z
    .boolean()
    .default(true)
    .describe(
      'Shipped embedder only: adapt it to this corpus on the first run (seconds), then keep the adapted ' +
        'model, so that vectors stay comparable from run to run; true or false.',
    ),
});

export type EmbedConfig = z.infer<typeof embedSchema>;

export const section: Section<EmbedConfig> = { schema: embedSchema };
