/** The `entities` section of config.yaml. */

import { z } from 'zod';
import type { Section } from '../../pipeline/contract.ts';

const schema = z.strictObject({
  model: z
    .string()
    .trim()
    .min(1)
    .default('builtin:science')
    .describe(
      'Tagger that finds the entities: builtin:NAME, hf:owner/name[@revision] from the hub, scinertopic, jnlpba, or ' +
        'a folder made by "train ner" or "models convert" (relative to the config file).',
    ),
  aggregation: z
    .enum(['simple', 'first', 'average', 'max'])
    .default('average')
    .describe(
      'Transformer taggers only: how the pieces of a word agree on its label: the scores of its pieces averaged, ' +
        'its first or its surest piece, or simple (each piece for itself).',
    ),
  precision: z
    .enum(['auto', 'int8', 'fp32'])
    .default('auto')
    .describe(
      'Weights of a model from the hub: int8, fp32 (exact, slower, four times the memory), or auto: int8 where ' +
        'the check against fp32 passes.',
    ),
  min_score: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Mentions the tagger is less sure of are left out; a probability from 0 (keep all) to 1.'),
});

export type EntitiesConfig = z.output<typeof schema>;

export const section: Section<EntitiesConfig> = { schema };
