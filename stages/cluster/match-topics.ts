/** Which topic id each cluster bears: that of the topic it continues, or one never used before. */

import { optimalMatching } from '../../pipeline/math/optimal-matching.ts';
import type { Overlap } from './overlap.ts';

/** Jaccard overlap from which a cluster continues a topic; below, sharing an id would mislead. */
const LEAST_OVERLAP = 0.3;

export interface TopicIds {
  /** [c] Topic id of each cluster. */
  ofCluster: number[];
  /** [c] Whether the id is that of a topic of the last run. */
  continued: boolean[];
}

/**
 * Clusters are matched to the last run's topics one to one, so that the Jaccard overlaps of all pairs add up
 * to the most. The others get fresh ids, the largest cluster first, ties by lowest document row.
 *
 * @param sizes [c] Documents of each cluster; clusters are numbered by their lowest row.
 * @param overlap With the last run; null on the first.
 * @param nextTopicId Ids below this have been used.
 */
export function matchTopics(sizes: Int32Array, overlap: Overlap | null, nextTopicId: number): TopicIds {
  const ofCluster: number[] = new Array(sizes.length).fill(-1);
  if (overlap !== null) {
    const topics = [...overlap.topicSizes.keys()].sort((a, b) => a - b);
    const place = new Map(topics.map((topic, i) => [topic, i]));
    const pairs = overlap.shared
      .map(({ cluster, topic, documents }) => ({
        row: cluster,
        column: place.get(topic) as number,
        weight:
          documents / (overlap.clusterSizes[cluster] + (overlap.topicSizes.get(topic) as number) - documents),
      }))
      .filter(({ weight }) => weight >= LEAST_OVERLAP);
    optimalMatching(pairs, sizes.length, topics.length).forEach((column, cluster) => {
      if (column >= 0) ofCluster[cluster] = topics[column];
    });
  }
  const continued = ofCluster.map((id) => id >= 0);
  const fresh = [...sizes.keys()].filter((cluster) => !continued[cluster]);
  fresh.sort((a, b) => sizes[b] - sizes[a] || a - b);
  fresh.forEach((cluster, i) => {
    ofCluster[cluster] = nextTopicId + i;
  });
  return { ofCluster, continued };
}
