/**
 * approximate_predict and the membership vectors of the hdbscan package written down from its formulas, slowly: all
 * distances, all ancestors. Core distances are those of the model, as in pipeline/math/reach-neighbor.ts.
 */

import type { HdbscanModel } from '../../pipeline/math/hdbscan.ts';

type Point = readonly number[];

const distance = (a: Point, b: Point): number => Math.sqrt(a.reduce((sum, x, c) => sum + (x - b[c]) ** 2, 0));
const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const shares = (values: readonly number[]): number[] => values.map((value) => value / total(values));
const softmax = (values: readonly number[]): number[] =>
  shares(values.map((value) => Math.exp(value - Math.max(...values))));

export function byDefinition(model: HdbscanModel, data: readonly Point[]) {
  const { condensedTree: tree, kdTree, squaredCore } = model.hierarchy;
  const minSamples = model.options.minSamples ?? model.options.minClusterSize;
  const core = data.map((_, row) => Math.sqrt(squaredCore[kdTree.rows.indexOf(row)]));
  const ancestors = (group: number): number[] => {
    const path = [group];
    while (path[path.length - 1] > 0) path.push(tree.parent[path[path.length - 1]]);
    return path;
  };
  const groups = [...tree.parent.keys()];
  const chosen = groups.filter((group) => model.selected[group] === 1);
  const labelOf = new Map(
    chosen.map((group) => {
      const row = data.findIndex(
        (_, i) => model.labels[i] >= 0 && ancestors(tree.rowCluster[i]).includes(group),
      );
      return [group, model.labels[row]];
    }),
  );
  chosen.sort((a, b) => (labelOf.get(a) ?? 0) - (labelOf.get(b) ?? 0));
  const exemplars = chosen.map((group) =>
    data.filter((_, row) => {
      const leaf = tree.rowCluster[row];
      const isLeaf = !groups.some((other) => tree.parent[other] === leaf);
      return isLeaf && ancestors(leaf).includes(group) && tree.rowLambda[row] === tree.death[leaf];
    }),
  );
  const distanceShares = (point: Point): number[] => {
    const nearest = exemplars.map((points) => Math.min(...points.map((other) => distance(point, other))));
    if (nearest.includes(0)) return shares(nearest.map((value) => (value === 0 ? 1 : 0)));
    return shares(nearest.map((value) => 1 / value));
  };
  const heights = (group: number, lambda: number): number[] =>
    chosen.map((other) => {
      const own = ancestors(group);
      const theirs = ancestors(other);
      if (own.includes(other) || theirs.includes(group)) return lambda;
      const meeting = own.find((ancestor) => theirs.includes(ancestor)) ?? 0;
      return tree.birth[own[own.indexOf(meeting) - 1]];
    });
  const neighbor = (point: Point): { row: number; lambda: number } => {
    const near = data
      .map((other, row) => ({ row, distance: distance(point, other) }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, 2 * minSamples);
    const own = minSamples === 1 ? 0 : near[minSamples - 2].distance;
    const reaches = near.map((other) => Math.max(own, core[other.row], other.distance));
    const least = Math.min(...reaches);
    return { row: near[reaches.indexOf(least)].row, lambda: 1 / least };
  };
  return {
    predict: (point: Point): { label: number; probability: number } => {
      const { row, lambda } = neighbor(point);
      let group = tree.rowCluster[row];
      if (tree.rowLambda[row] > lambda) {
        group = ancestors(group).find((ancestor) => ancestor === 0 || tree.birth[ancestor] < lambda) ?? 0;
      }
      const owner = ancestors(group).find((ancestor) => model.selected[ancestor] === 1);
      if (owner === undefined) return { label: -1, probability: 0 };
      const greatest = tree.death[owner];
      return { label: labelOf.get(owner) ?? -1, probability: Math.min(lambda, greatest) / greatest };
    },
    ofRow: (row: number): number[] => {
      const group = tree.rowCluster[row];
      const lambda = tree.rowLambda[row];
      const merged = heights(group, lambda);
      const density = softmax(merged.map((height) => Math.exp(-(tree.death[group] + 1e-8) / height)));
      const highest = merged.indexOf(Math.max(...merged));
      const chance = merged[highest] / Math.max(tree.death[chosen[highest]], lambda);
      return shares(distanceShares(data[row]).map((share, j) => share * density[j])).map((x) => x * chance);
    },
    ofPoint: (point: Point): number[] => {
      const { row, lambda: reached } = neighbor(point);
      const group = tree.rowCluster[row];
      const lambda = Math.min(reached, tree.rowLambda[row]);
      const greatest = tree.death[group];
      const merged = heights(group, lambda);
      const density = softmax(
        merged.map((height) => greatest / (greatest - height > 0 ? greatest - height : 1e-8)),
      );
      const highest = merged.indexOf(Math.max(...merged));
      const chance = merged[highest] / (Math.max(lambda, tree.death[chosen[highest]]) + 1e-8);
      const weights = distanceShares(point).map((share, j) => share ** 0.5 * density[j] ** 2);
      return shares(weights).map((x) => x * chance);
    },
  };
}
