/** The settings of the label stage. */

import { z } from 'zod';
import type { Section } from '../../pipeline/contract.ts';

/**
 * How much a term of each type counts. 'word' stands for plain words that the tagger found no entity in.
 * Types of other taggers count 1 unless config.yaml says otherwise.
 */
export const DEFAULT_WEIGHTS: Readonly<Record<string, number>> = {
  Task: 1,
  Method: 1,
  Material: 0.8,
  OtherScientificTerm: 0.7,
  Metric: 0.4,
  Generic: 0,
  word: 0.3,
};

const weight = z.number().min(0).max(1000);

const labelSchema = z.strictObject({
  top_n: z
    .int()
    .min(1)
    .max(100)
    .default(10)
    .describe('Terms listed for each topic; a whole number from 1 to 100.'),
  weights: z
    .record(z.string(), weight)
    .default({})
    .transform((given): Record<string, number> => ({ ...DEFAULT_WEIGHTS, ...given }))
    .describe(
      'How much an entity of each type counts in topic terms and labels, from 0 (never used) up; "word" ' +
        'stands for plain words. Types not named keep their default; types without a default count 1.',
    ),
  min_document_count: z
    .int()
    .min(1)
    .default(3)
    .describe('A term must occur in at least this many documents of the corpus; a whole number from 1 up.'),
  max_document_share: z
    .number()
    .gt(0)
    .max(1)
    .default(0.3)
    .describe(
      'A term may occur in at most this share of the documents, above 0 up to 1; commoner ones say nothing ' +
        'of a topic. Give 0.3 for 30%, not a number of documents.',
    ),
  diversity: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe(
      'How hard terms that resemble one already listed are held back (maximal marginal relevance): 0 not at ' +
        'all, 1 with no regard to their weight.',
    ),
});

export type LabelConfig = z.output<typeof labelSchema>;

export const section: Section<LabelConfig> = { schema: labelSchema };

/** Weight of a type of term; a type that neither the user nor the defaults name counts 1. */
export function weightOf(weights: Readonly<Record<string, number>>, type: string): number {
  return Object.hasOwn(weights, type) ? weights[type] : 1;
}
