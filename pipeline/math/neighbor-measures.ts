/** The true distances of the candidates that a search came to, which decide. */

import { type Metric, type RowDistance, rowDistance } from './distance.ts';
import { insertGroup, type NearestGroups } from './nearest-neighbors.ts';
import { FRESH } from './neighbor-kernel.ts';
import type { Workspace } from './neighbor-workspace.ts';

/** What distances are taken of, and where they go. */
export interface Measured {
  /** Float32Array [all rows × d], checked. */
  vectors: Float32Array;
  d: number;
  metric: Metric;
  /** Int32Array [n]: the vector of each row that was searched. */
  first: Int32Array;
  nearest: NearestGroups;
}

export function distancesOf({ vectors, d, metric }: Measured): RowDistance {
  return rowDistance(vectors, vectors.length / d, d, metric);
}

/**
 * Fills the entries of the rows that stand at some places. Where a search found too few, which can happen only to
 * rows far from all others, a row is compared with all.
 */
export function measureRows(
  { plan, order, listIds }: Workspace,
  { first, nearest }: Measured,
  distance: RowDistance,
  from: number,
  to: number,
): void {
  const { n, listWidth } = plan;
  for (let place = from; place < Math.min(to, n); place++) {
    const row = order.values[place];
    let filled = 0;
    for (let x = place * listWidth; x < (place + 1) * listWidth && listIds.values[x] >= 0; x++) {
      const other = order.values[listIds.values[x] & ~FRESH];
      filled = insertGroup(nearest, row, filled, other, distance(first[row], first[other]));
    }
    if (filled === nearest.width) continue;
    filled = 0;
    for (let other = 0; other < n; other++) {
      if (other !== row) {
        filled = insertGroup(nearest, row, filled, other, distance(first[row], first[other]));
      }
    }
  }
}
