/** Pairs rows with columns, each at most once, so that the weights of the pairs add up to the most. */

import { createUnionFind } from './union-find.ts';

export interface WeightedPair {
  row: number;
  column: number;
  /** Above 0. */
  weight: number;
}

/**
 * The matching of greatest total weight among the pairs given; nothing else may be matched.
 *
 * @param pairs At most one for each row and column. Groups of pairs that share no row or column are solved
 *   apart, each in O(s³) for s rows or columns.
 * @returns Int32Array [rows]: the column of each row, or −1. Among equal totals the choice is fixed by the
 *   order of rows and columns.
 */
export function optimalMatching(pairs: readonly WeightedPair[], rows: number, columns: number): Int32Array {
  // Rows and columns that are linked by pairs, directly or through others.
  const links = createUnionFind(rows + columns);
  for (const { row, column } of pairs) links.union(row, rows + column);
  const groups = new Map<number, WeightedPair[]>();
  for (const pair of pairs) {
    const group = groups.get(links.find(pair.row));
    if (group === undefined) groups.set(links.find(pair.row), [pair]);
    else group.push(pair);
  }

  const matched = new Int32Array(rows).fill(-1);
  for (const group of groups.values()) {
    const rowsHere = [...new Set(group.map(({ row }) => row))].sort((a, b) => a - b);
    const columnsHere = [...new Set(group.map(({ column }) => column))].sort((a, b) => a - b);
    // A square of weights; what is no pair weighs 0 and counts as unmatched.
    const s = Math.max(rowsHere.length, columnsHere.length);
    const weights = new Float64Array(s * s);
    for (const { row, column, weight } of group) {
      weights[rowsHere.indexOf(row) * s + columnsHere.indexOf(column)] = weight;
    }
    const columnOf = squareMatching(weights, s);
    for (let i = 0; i < rowsHere.length; i++) {
      if (weights[i * s + columnOf[i]] > 0) matched[rowsHere[i]] = columnsHere[columnOf[i]];
    }
  }
  return matched;
}

/**
 * The Hungarian method by shortest augmenting paths (Jonker & Volgenant 1987).
 *
 * @param weights [s × s].
 * @returns The column of each row in the perfect matching of greatest weight.
 */
function squareMatching(weights: Float64Array, s: number): Int32Array {
  // Place s stands for "no column" and "no row".
  const rowPrice = new Float64Array(s + 1);
  const columnPrice = new Float64Array(s + 1);
  const rowOf = new Int32Array(s + 1).fill(s);
  const cameFrom = new Int32Array(s + 1);
  for (let row = 0; row < s; row++) {
    const distance = new Float64Array(s + 1).fill(Infinity);
    const reached = new Uint8Array(s + 1);
    rowOf[s] = row;
    let column = s;
    // Grow the cheapest alternating path until it meets a free column.
    while (rowOf[column] !== s) {
      reached[column] = 1;
      const i = rowOf[column];
      let step = Infinity;
      let next = s;
      for (let j = 0; j < s; j++) {
        if (reached[j] === 1) continue;
        const cost = -weights[i * s + j] - rowPrice[i] - columnPrice[j];
        if (cost < distance[j]) {
          distance[j] = cost;
          cameFrom[j] = column;
        }
        if (distance[j] < step) {
          step = distance[j];
          next = j;
        }
      }
      for (let j = 0; j <= s; j++) {
        if (reached[j] === 1) {
          rowPrice[rowOf[j]] += step;
          columnPrice[j] -= step;
        } else distance[j] -= step;
      }
      column = next;
    }
    // Turn the path over.
    while (column !== s) {
      const previous = cameFrom[column];
      rowOf[column] = rowOf[previous];
      column = previous;
    }
  }
  const columnOf = new Int32Array(s);
  for (let column = 0; column < s; column++) columnOf[rowOf[column]] = column;
  return columnOf;
}
