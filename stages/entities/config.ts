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
      'Tagger that finds the entities: builtin:NAME, or a folder made by "train ner" (relative to the config file).',
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
