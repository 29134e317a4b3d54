/**
 * Chooses clusters in the condensed tree by their persistence and by what they keep of the last run's topics.
 * Of two cuts that the data supports about equally, the one that people know already is taken.
 */

import type { History } from '../../pipeline/contract.ts';
import type { CondensedTree } from '../../pipeline/math/condensed-tree.ts';

/** Weight of the topics kept beside the weight of persistence, each as a share of the most that it could be. */
const MEMORY = 5;

/** A group that shares less than this with a topic (Jaccard) is no continuation of it. */
const LEAST_LIKENESS = 0.2;

export interface CutOptions {
  /** 'eom' weighs groups by persistence; 'leaf' counts the documents of the finest. */
  method: 'eom' | 'leaf';
  /** Groups born below this distance are not chosen, unless they are among the first; 0 sets no limit. */
  epsilon: number;
}

export interface Cut {
  /** Uint8Array [c], 1 for a chosen group. */
  selected: Uint8Array;
  /** Persistence of the choice as a share of what a choice without memory reaches, 0–1; 1 where there is none. */
  worth: number;
}

/**
 * Maximises Σ worth(v) / W + MEMORY · Σ size(t) · J(v, t)² / H over sets of groups none of which holds another:
 * t is the topic most like v, J their overlap (Jaccard) among documents that both nights have, W what a choice
 * without memory reaches, H all topics' documents. The root is never chosen; ties keep the parent.
 */
export function cutByHistory(tree: CondensedTree, history: History, options: CutOptions): Cut {
  const { clusters, parent, birth } = tree;
  const worth = options.method === 'eom' ? persistence(tree) : leafSizes(tree);
  for (let v = 1; v < clusters; v++) {
    if (options.epsilon > 0 && parent[v] !== 0 && 1 / birth[v] < options.epsilon) worth[v] = Number.NaN;
  }
  const most = chooseBest(tree, worth).total;
  const { kept, total } = keptDocuments(tree, history);
  const value = new Float64Array(clusters);
  for (let v = 1; v < clusters; v++) {
    value[v] = (most > 0 ? worth[v] / most : 0) + (total > 0 ? (MEMORY * kept[v]) / total : 0);
  }
  const { selected } = chooseBest(tree, value);
  let reached = 0;
  for (let v = 1; v < clusters; v++) if (selected[v] === 1) reached += worth[v];
  return { selected, worth: most > 0 ? reached / most : 1 };
}

/**
 * The set of groups with the greatest total, none above another.
 *
 * @param value [c]; NaN for a group that must not be chosen.
 */
function chooseBest(tree: CondensedTree, value: Float64Array): { selected: Uint8Array; total: number } {
  const { clusters, parent } = tree;
  const below = new Float64Array(clusters);
  const keep = new Uint8Array(clusters);
  for (let v = clusters - 1; v > 0; v--) {
    keep[v] = value[v] >= below[v] ? 1 : 0;
    below[parent[v]] += keep[v] === 1 ? value[v] : below[v];
  }
  const covered = new Uint8Array(clusters);
  const selected = new Uint8Array(clusters);
  for (let v = 1; v < clusters; v++) {
    covered[v] = covered[parent[v]];
    if (covered[v] === 1 || keep[v] === 0) continue;
    selected[v] = 1;
    covered[v] = 1;
  }
  return { selected, total: below[0] };
}

/** Excess of mass of each group; where documents coincide, density is taken for twice the greatest other. */
function persistence(tree: CondensedTree): Float64Array {
  const { n, clusters, parent, birth, size, rowCluster, rowLambda } = tree;
  let greatest = 0;
  for (const lambda of rowLambda) if (lambda < Infinity && lambda > greatest) greatest = lambda;
  for (const lambda of birth) if (lambda < Infinity && lambda > greatest) greatest = lambda;
  const bound = greatest > 0 ? 2 * greatest : 1;
  const capped = (lambda: number): number => Math.min(lambda, bound);
  const mass = new Float64Array(clusters);
  for (let i = 0; i < n; i++) mass[rowCluster[i]] += capped(rowLambda[i]) - capped(birth[rowCluster[i]]);
  for (let v = 1; v < clusters; v++) {
    mass[parent[v]] += (capped(birth[v]) - capped(birth[parent[v]])) * size[v];
  }
  return mass;
}

function leafSizes({ clusters, parent, size }: CondensedTree): Float64Array {
  const sizes = Float64Array.from(size);
  for (let v = 1; v < clusters; v++) sizes[parent[v]] = 0;
  return sizes;
}

/** For each group, size(t) · J² of the topic most like it; 0 where none is like it. */
function keptDocuments(tree: CondensedTree, history: History): { kept: Float64Array; total: number } {
  const { n, clusters, parent, rowCluster } = tree;
  // Documents that both nights have: of each group, of each topic, and shared by both.
  const ofGroup = new Int32Array(clusters);
  const ofTopic = new Map<number, number>();
  const shared = Array.from({ length: clusters }, () => new Map<number, number>());
  for (let i = 0; i < n; i++) {
    const topic = history.topic[i];
    if (topic === -2) continue;
    ofGroup[rowCluster[i]]++;
    if (topic < 0) continue;
    ofTopic.set(topic, (ofTopic.get(topic) ?? 0) + 1);
    shared[rowCluster[i]].set(topic, (shared[rowCluster[i]].get(topic) ?? 0) + 1);
  }
  const kept = new Float64Array(clusters);
  for (let v = clusters - 1; v > 0; v--) {
    const above = shared[parent[v]];
    ofGroup[parent[v]] += ofGroup[v];
    let best = 0;
    for (const [topic, documents] of shared[v]) {
      const size = ofTopic.get(topic) ?? 0;
      const likeness = documents / (ofGroup[v] + size - documents);
      if (likeness > LEAST_LIKENESS) best = Math.max(best, size * likeness * likeness);
      above.set(topic, (above.get(topic) ?? 0) + documents);
    }
    kept[v] = best;
  }
  let total = 0;
  for (const size of ofTopic.values()) total += size;
  return { kept, total };
}
