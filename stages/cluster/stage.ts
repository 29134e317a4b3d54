/** Cluster: finds topics as dense groups of reduced vectors, and gives them the ids of the topics they continue. */

import type { Clustered, ClusterStage, History, Matrix } from '../../pipeline/contract.ts';
import { UserError } from '../../pipeline/errors.ts';
import { hdbscanWithPauses } from '../../pipeline/math/hdbscan.ts';
import { type ClusterConfig, section } from './config.ts';
import { matchTopics } from './match-topics.ts';
import { measureOverlap } from './overlap.ts';
import { topicEvents } from './topic-events.ts';

export const stage: ClusterStage<ClusterConfig> = {
  name: 'cluster',
  version: 1,
  section,
  seeded: false,
  async run(reduced, documentIds, history, job): Promise<Clustered> {
    const { config } = job;
    checkReduced(reduced, documentIds, history);
    const { labels, probabilities, outlierScores } = await hdbscanWithPauses(reduced.values, {
      n: reduced.n,
      d: reduced.d,
      minClusterSize: config.min_cluster_size,
      minSamples: config.min_samples,
      clusterSelectionMethod: config.cluster_selection_method,
      clusterSelectionEpsilon: config.cluster_selection_epsilon,
      signal: job.signal,
      onProgress: (done, total) => job.progress(done, total),
    });
    const sizes = clusterSizes(labels);
    if (sizes.length === 0) job.notice(whyNoTopics(reduced.n, config));

    const overlap = history === null ? null : measureOverlap(labels, sizes.length, history);
    const ids = matchTopics(sizes, overlap, history?.nextTopicId ?? 0);
    return {
      assignments: {
        topic: labels.map((label) => (label < 0 ? -1 : ids.ofCluster[label])),
        probability: probabilities,
        outlierScore: outlierScores,
      },
      events: topicEvents(ids, overlap),
    };
  },
};

/** Columns that do not fit each other are a bug; a coordinate that is no number is the user's to mend. */
function checkReduced(reduced: Matrix, documentIds: string[], history: History | null): void {
  const { n, d, values } = reduced;
  if (documentIds.length !== n || (history !== null && history.topic.length !== n)) {
    throw new Error(
      `cluster: expected ids and history of ${n} documents, got ${documentIds.length} and ${history?.topic.length}.`,
    );
  }
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new UserError(
      `cluster: expected finite coordinates, got ${values[i]} in column ${i % d} for document ${documentIds[Math.floor(i / d)]}. Run again from embed (--from embed); if this stays, check what embed.model gives for this document.`,
    );
  }
}

/** @returns Int32Array [c] of documents in each cluster. */
function clusterSizes(labels: Int32Array): Int32Array {
  let clusters = 0;
  for (const label of labels) clusters = Math.max(clusters, label + 1);
  const sizes = new Int32Array(clusters);
  for (const label of labels) if (label >= 0) sizes[label]++;
  return sizes;
}

/** What a user should change when every document is an outlier. */
function whyNoTopics(n: number, config: ClusterConfig): string {
  const { min_cluster_size: size, min_samples: samples, cluster_selection_method: method } = config;
  const documents = n === 1 ? '1 document is an outlier' : `${n} documents are outliers`;
  if (n < size) {
    return `cluster: no topics; ${documents}, fewer than cluster.min_cluster_size (${size}). Lower it, or add documents.`;
  }
  if (n < samples) {
    return `cluster: no topics; ${documents}, fewer than cluster.min_samples (${samples}). Lower it, or add documents.`;
  }
  const finer = method === 'eom' ? ', or set cluster.cluster_selection_method to leaf' : '';
  return `cluster: no topics; all ${documents}, because no two groups of ${size} or more stand apart. Lower cluster.min_cluster_size (${size}) or cluster.min_samples (${samples})${finer}.`;
}
