/** The `cluster` section of config.yaml. */

import { z } from 'zod';
import type { Section } from '../../pipeline/contract.ts';

const schema = z.strictObject({
  min_cluster_size: z
    .int()
    .min(2)
    .default(15)
    .describe(
      'Smallest number of documents, from 2, that makes a topic; larger gives fewer, broader topics.',
    ),
  min_samples: z
    .int()
    .min(1)
    .default(5)
    .describe(
      'Documents, from 1, that must lie close together before a place counts as dense; the document itself counts, as in scikit-learn (the hdbscan package does not count it). Larger gives more outliers.',
    ),
  cluster_selection_method: z
    .enum(['eom', 'leaf'])
    .default('eom')
    .describe('Which groups become topics: eom, the most persistent, or leaf, the finest and more of them.'),
  cluster_selection_epsilon: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'Distance in the reduced space, from 0, below which topics are not split any further; 0 sets no limit.',
    ),
});

export type ClusterConfig = z.output<typeof schema>;

export const section: Section<ClusterConfig> = { schema };
