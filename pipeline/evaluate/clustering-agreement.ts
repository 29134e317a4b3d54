/** How far two groupings of the same rows agree, whatever their labels are called. */

/**
 * Normalised mutual information, by the arithmetic mean of the two entropies.
 *
 * @param a, b Label of each row; any values, equal labels mean one group. −1 is a group like any other.
 * @returns 0 (independent) to 1 (the same grouping); 1 when neither splits the rows at all.
 * @throws RangeError when lengths differ.
 *
 * Agrees with scikit-learn 1.9.1's normalized_mutual_info_score (test/oracle/clustering-agreement.py).
 */
export function normalizedMutualInformation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const { n, rowTotals, columnTotals, cells } = contingency(a, b);
  // One group on both sides, or nothing at all: the groupings are the same and say nothing.
  if (rowTotals.length <= 1 && columnTotals.length <= 1) return 1;
  let information = 0;
  for (const { row, column, count } of cells) {
    information +=
      (count / n) *
      (Math.log(count) + Math.log(n) - Math.log(rowTotals[row]) - Math.log(columnTotals[column]));
  }
  const meanEntropy = (entropy(rowTotals, n) + entropy(columnTotals, n)) / 2;
  return Math.min(1, Math.max(0, information) / meanEntropy);
}

/**
 * Adjusted Rand index (Hubert & Arabie 1985): agreement on pairs of rows, less what chance would give.
 *
 * @param a, b Label of each row, as above.
 * @returns 1 for the same grouping, about 0 for unrelated ones, down to −0.5.
 * @throws RangeError when lengths differ.
 *
 * Agrees with scikit-learn 1.9.1's adjusted_rand_score (test/oracle/clustering-agreement.py).
 */
export function adjustedRandIndex(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const { n, rowTotals, columnTotals, cells } = contingency(a, b);
  const together = pairs(cells.map(({ count }) => count));
  const togetherInA = pairs(rowTotals);
  const togetherInB = pairs(columnTotals);
  if (together === togetherInA && together === togetherInB) return 1;
  const expected = (togetherInA / ((n * (n - 1)) / 2)) * togetherInB;
  return (together - expected) / ((togetherInA + togetherInB) / 2 - expected);
}

interface Contingency {
  n: number;
  /** Rows in each group of a, of b. */
  rowTotals: number[];
  columnTotals: number[];
  /** Pairs of groups that share rows. */
  cells: { row: number; column: number; count: number }[];
}

function contingency(a: ArrayLike<number>, b: ArrayLike<number>): Contingency {
  if (a.length !== b.length) {
    throw new RangeError(`Expected two labels for every row, got ${a.length} and ${b.length}.`);
  }
  const rowOf = new Map<number, number>();
  const columnOf = new Map<number, number>();
  const rowTotals: number[] = [];
  const columnTotals: number[] = [];
  const cellsOfRow: Map<number, Contingency['cells'][number]>[] = [];
  const cells: Contingency['cells'] = [];
  for (let i = 0; i < a.length; i++) {
    const row = place(rowOf, a[i]);
    const column = place(columnOf, b[i]);
    if (row === rowTotals.length) {
      rowTotals.push(0);
      cellsOfRow.push(new Map());
    }
    if (column === columnTotals.length) columnTotals.push(0);
    rowTotals[row]++;
    columnTotals[column]++;
    let cell = cellsOfRow[row].get(column);
    if (cell === undefined) {
      cell = { row, column, count: 0 };
      cellsOfRow[row].set(column, cell);
      cells.push(cell);
    }
    cell.count++;
  }
  return { n: a.length, rowTotals, columnTotals, cells };
}

/** The label's place in order of first appearance. */
function place(places: Map<number, number>, label: number): number {
  let found = places.get(label);
  if (found === undefined) {
    found = places.size;
    places.set(label, found);
  }
  return found;
}

/** In nats. */
function entropy(totals: number[], n: number): number {
  let sum = 0;
  for (const total of totals) sum -= (total / n) * Math.log(total / n);
  return sum;
}

/** Pairs of rows within the same group. */
function pairs(totals: number[]): number {
  let sum = 0;
  for (const total of totals) sum += (total * (total - 1)) / 2;
  return sum;
}
