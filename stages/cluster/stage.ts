/** Cluster: finds topics as dense groups of reduced vectors, and gives them the ids of the topics they continue. */

import type { Clustered, ClusterStage, History, Job, Matrix, Refreshing } from '../../pipeline/contract.ts';
import { UserError } from '../../pipeline/errors.ts';
import { labelRows, selectClusters } from '../../pipeline/math/cluster-selection.ts';
import type { CondensedTree } from '../../pipeline/math/condensed-tree.ts';
import { densityHierarchyWithPauses } from '../../pipeline/math/hdbscan.ts';
import { outlierScores } from '../../pipeline/math/outlier-scores.ts';
import type { Assigned } from './assigned.ts';
import { type ClusterConfig, section } from './config.ts';
import { cutByHistory } from './history-cut.ts';
import { holdLabels } from './hold-labels.ts';
import { matchTopics, type TopicIds } from './match-topics.ts';
import { measureOverlap } from './overlap.ts';
import { dropSmallBirths, keepDwindling } from './small-topics.ts';
import { areStrange } from './strangers.ts';
import { topicEvents } from './topic-events.ts';

/**
 * A cut without memory is clearly better when the held one reaches less than this share of its persistence: on four
 * streams of ACL and arXiv it fell to .97 while a fifth more papers came, and to .93 where new fields came.
 */
const CLEARLY_WORSE = 0.95;
/** Nights in a row on which that must be so before topics are cut anew. */
const NIGHTS_IN_A_ROW = 3;

export const stage: ClusterStage<ClusterConfig> = {
  name: 'cluster',
  version: 2,
  section,
  seeded: false,
  async run(reduced, documentIds, refreshing, job): Promise<Clustered> {
    const { config } = job;
    const { history } = refreshing;
    checkReduced(reduced, documentIds, history);
    const { condensedTree: tree } = await densityHierarchyWithPauses(reduced.values, {
      n: reduced.n,
      d: reduced.d,
      minClusterSize: config.min_cluster_size,
      minSamples: config.min_samples,
      signal: job.signal,
      onProgress: (done, total) => job.progress(done, total),
    });
    const { selected, memory, betterNights, reason } = chooseCut(tree, refreshing, job);
    const { labels, probabilities } = labelRows(tree, selected, selection(config));
    let ids = identify(labels, history);
    // Where documents lie anew, small topics are the first that later ones can gather about.
    if (memory !== null && refreshing.rebuilt === '') {
      const dropped = dropSmallBirths(labels, clusterSizes(labels), ids, config.min_cluster_size);
      if (dropped) ids = identify(labels, history);
    }
    if (ids.ofCluster.length === 0) job.notice(whyNoTopics(reduced.n, config));
    const assigned = assign(labels, probabilities, tree, selected, ids);
    if (memory !== null) {
      // In places made anew tonight, the last of a topic need not lie together any more.
      if (refreshing.rebuilt === '') {
        for (const id of keepDwindling(assigned, memory, reduced, config.min_cluster_size)) {
          ids.ofCluster.push(id);
          ids.continued.push(true);
        }
      }
      holdLabels(assigned, memory, reduced, config.min_samples);
    }
    const heldOverlap =
      history === null
        ? null
        : measureOverlap(clustersOf(assigned.topic, ids), ids.ofCluster.length, history);
    return {
      assignments: {
        topic: assigned.topic,
        probability: assigned.probability,
        outlierScore: outlierScores(tree),
      },
      events: topicEvents(ids, heldOverlap, history?.newborn, reason),
      betterNights,
      strangeNights: areStrange(assigned.topic, refreshing.late) ? (history?.strangeNights ?? 0) + 1 : 0,
    };
  },
};

/** Topic ids of the clusters that labels name. */
function identify(labels: Int32Array, history: History | null): TopicIds {
  const sizes = clusterSizes(labels);
  const overlap = history === null ? null : measureOverlap(labels, sizes.length, history);
  return matchTopics(sizes, overlap, history?.nextTopicId ?? 0);
}

interface ChosenCut {
  selected: Uint8Array;
  /** The run before, where topics are held to it. */
  memory: History | null;
  betterNights: number;
  /** Why topics are cut anew; '' on an ordinary night and on the first. */
  reason: string;
}

/** Cuts the tree by history where there is one and nothing speaks against it. */
function chooseCut(tree: CondensedTree, refreshing: Refreshing, job: Job<ClusterConfig>): ChosenCut {
  const { refresh, history, rebuilt, resettled } = refreshing;
  const { config } = job;
  const anew = (reason: string, memory: History | null = null): ChosenCut => {
    if (reason !== '') job.notice(`cluster: topics were found anew: ${reason}. Ids were matched by overlap.`);
    return { selected: selectClusters(tree, selection(config)), memory, betterNights: 0, reason };
  };
  if (history === null || history.sizes.size === 0) return anew('');
  if (refresh === 'refit') return anew('run.refresh is refit');
  if (resettled !== '') return anew(resettled);
  const { selected, worth } = cutByHistory(tree, history, {
    method: config.cluster_selection_method,
    epsilon: config.cluster_selection_epsilon,
  });
  const betterNights = rebuilt === '' && worth < CLEARLY_WORSE ? history.betterNights + 1 : 0;
  if (betterNights >= NIGHTS_IN_A_ROW) {
    const percent = Math.round(100 * (1 / worth - 1));
    // Documents are held to the topics that continue all the same.
    return anew(
      `a cut without memory has been clearly better for ${betterNights} nights, by ${percent}% last`,
      history,
    );
  }
  return { selected, memory: history, betterNights, reason: rebuilt };
}

function selection(config: ClusterConfig) {
  return {
    clusterSelectionMethod: config.cluster_selection_method,
    clusterSelectionEpsilon: config.cluster_selection_epsilon,
  };
}

/** Clusters under their topic ids. */
function assign(
  labels: Int32Array,
  probabilities: Float32Array,
  tree: CondensedTree,
  selected: Uint8Array,
  ids: TopicIds,
): Assigned {
  const { clusters: groups, parent, birth, death, rowCluster } = tree;
  // The chosen group at or above each group.
  const chosen = new Int32Array(groups);
  for (let v = 0; v < groups; v++) chosen[v] = selected[v] === 1 || v === 0 ? v : chosen[parent[v]];
  const topic = new Int32Array(labels.length).fill(-1);
  const clusters: Assigned['clusters'] = new Map();
  labels.forEach((label, i) => {
    if (label < 0) return;
    const group = chosen[rowCluster[i]];
    topic[i] = ids.ofCluster[label];
    clusters.set(topic[i], { birth: birth[group], death: death[group], isNew: !ids.continued[label] });
  });
  return { topic, probability: probabilities, clusters };
}

/** Int32Array [n]: cluster of each document again, −1 for outliers. */
function clustersOf(topic: Int32Array, ids: TopicIds): Int32Array {
  const clusterOf = new Map(ids.ofCluster.map((id, cluster) => [id, cluster]));
  return topic.map((id) => clusterOf.get(id) ?? -1);
}

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
