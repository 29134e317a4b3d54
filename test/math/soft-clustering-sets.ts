/** Point sets for the tests of what places points in a clustering. */

import { fitHdbscan, type HdbscanModel, type HdbscanOptions } from '../../pipeline/math/hdbscan.ts';
import { createRandom } from '../../pipeline/math/random.ts';

export interface FittedSet {
  name: string;
  data: number[][];
  /** Points that the model does not know: near the clusters, between them, and far from all. */
  fresh: number[][];
  model: HdbscanModel;
}

function fitted(
  name: string,
  d: number,
  centers: readonly (readonly [number, number])[],
  options: Partial<HdbscanOptions>,
): FittedSet {
  const random = createRandom(centers.length, d);
  const around = (center: number, width: number): number[] =>
    Array.from({ length: d }, (_, c) => (c === 0 ? center : 0) + width * random.nextNormal());
  const data = centers.flatMap(([center, width]) => Array.from({ length: 40 }, () => around(center, width)));
  for (let i = 0; i < 20; i++) data.push(around(10, 12));
  const fresh = Array.from({ length: 60 }, (_, i) =>
    around(centers[i % centers.length][0], i % 3 === 0 ? 6 : 0.8),
  );
  fresh.push(Array(d).fill(1e4));
  const setting = { n: data.length, d, minClusterSize: 8, ...options };
  return { name, data, fresh, model: fitHdbscan(Float64Array.from(data.flat()), setting) };
}

export const fittedSets: FittedSet[] = [
  fitted(
    'three apart',
    2,
    [
      [0, 1],
      [14, 1],
      [30, 2],
    ],
    { minSamples: 5 },
  ),
  fitted(
    'near and nested',
    3,
    [
      [0, 0.4],
      [3, 0.4],
      [20, 1.5],
      [23.5, 0.3],
    ],
    { minSamples: 4 },
  ),
  fitted(
    'leaves',
    2,
    [
      [0, 0.4],
      [3, 0.4],
      [20, 1],
      [24, 0.5],
    ],
    { minSamples: 3, clusterSelectionMethod: 'leaf' },
  ),
  fitted(
    'one sample',
    5,
    [
      [0, 1],
      [9, 1],
    ],
    { minSamples: 1 },
  ),
];
