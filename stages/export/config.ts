/** The `export` section of config.yaml. */

import { z } from 'zod';
import type { Section } from '../../pipeline/contract.ts';

const schema = z.strictObject({
  directory: z
    .string()
    .trim()
    .min(1)
    .default('outputs')
    .describe(
      'Folder that receives latest/ (the newest run, replaced at once) and runs/ (every run); relative to the config file.',
    ),
  keep_runs: z
    .union([z.literal('all'), z.int().min(1)])
    .default(30)
    .describe('Runs whose files stay in runs/, the newest included, from 1; or all.'),
  keep_days: z
    .union([z.literal('all'), z.int().min(1)])
    .default('all')
    .describe(
      'Days before the newest run after which the files of a run go, from 1; or all: age does not matter.',
    ),
  min_entity_documents: z
    .union([z.literal('auto'), z.int().min(1)])
    .default('auto')
    .describe(
      'Dated documents, from 1, that must mention an entity before it gets rows in punchcard_entity_year.csv; auto is one document in 2,000 and at least 3.',
    ),
  min_topic_entity_documents: z
    .int()
    .min(1)
    .default(2)
    .describe(
      'Documents of a topic, from 1, that must mention an entity before the pair gets a row in punchcard_topic_entity.csv.',
    ),
});

export type ExportConfig = z.output<typeof schema>;

export const section: Section<ExportConfig> = { schema };

/** What `auto` stands for: rows grow as entities × years, and 51,000 papers span about sixty years. */
const DOCUMENTS_PER_REQUIRED_MENTION = 2000;
const LEAST_AUTO = 3;

/**
 * @param documents Documents in the corpus.
 * @returns The number of dated documents that an entity needs.
 */
export function minEntityDocuments(config: ExportConfig, documents: number): number {
  if (config.min_entity_documents !== 'auto') return config.min_entity_documents;
  return Math.max(LEAST_AUTO, Math.ceil(documents / DOCUMENTS_PER_REQUIRED_MENTION));
}
