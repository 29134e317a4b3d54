/** How tonight's clusters and the last run's topics share documents. */

import type { History } from '../../pipeline/contract.ts';

/** Only documents that both runs had are counted. */
export interface Overlap {
  /** [c] Documents of each cluster that the last run had. */
  clusterSizes: Int32Array;
  /** Documents of each topic of the last run that are still there; 0 for a topic whose documents all left. */
  topicSizes: Map<number, number>;
  /** Pairs that share documents, by cluster, then topic. */
  shared: { cluster: number; topic: number; documents: number }[];
}

/**
 * @param labels [n] Cluster of each document, −1 for outliers.
 * @param clusters c.
 */
export function measureOverlap(labels: Int32Array, clusters: number, history: History): Overlap {
  const clusterSizes = new Int32Array(clusters);
  const topicSizes = new Map<number, number>();
  for (const topic of history.sizes.keys()) if (topic >= 0) topicSizes.set(topic, 0);
  const counts = Array.from({ length: clusters }, () => new Map<number, number>());
  for (let i = 0; i < labels.length; i++) {
    const cluster = labels[i];
    const topic = history.topic[i];
    // −2: the last run did not have this document, so it says nothing about who continues whom.
    if (topic === -2) continue;
    if (cluster >= 0) clusterSizes[cluster]++;
    if (topic < 0) continue;
    topicSizes.set(topic, (topicSizes.get(topic) ?? 0) + 1);
    if (cluster >= 0) counts[cluster].set(topic, (counts[cluster].get(topic) ?? 0) + 1);
  }
  const shared = counts.flatMap((topics, cluster) =>
    [...topics].sort(([a], [b]) => a - b).map(([topic, documents]) => ({ cluster, topic, documents })),
  );
  return { clusterSizes, topicSizes, shared };
}
