/** What a checkpoint holds once it is understood, and what its graph is to give. */

import type { Adapter } from './adapter.ts';
import type { BertConfig } from './bert-config.ts';
import type { BertWeights } from './bert-weights.ts';

export interface BertModel {
  config: BertConfig;
  weights: BertWeights;
  /** Input `task` is 1 for the first, 0 for the bare base. */
  adapters: readonly Adapter[];
}

/** Which rows of the last layer make a vector: the first, the mean of all, or the largest of each column. */
export type Pooling = 'cls' | 'mean' | 'max';

/** One vector per document, log scores per token and label, or the last layer as it is. */
export type Head =
  | { kind: 'vector'; pooling: Pooling; normalize: boolean }
  | { kind: 'logits' }
  | { kind: 'hidden' };
