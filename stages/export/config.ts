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
