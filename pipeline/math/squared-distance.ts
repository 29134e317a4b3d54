/** Squared euclidean distance between two rows: the one definition that every exact search here shares. */

/** Terms summed between two looks at the bound. */
const BLOCK = 8;

/**
 * Squared distance between the row of `a` that starts at `aStart` and the row of `b` that starts at `bStart`.
 * Equal for (a, b) and (b, a) to the last bit, so that two points see the same tie from both sides.
 *
 * @param d Numbers in a row.
 * @param bound Values above this are of no interest: the sum may stop early at anything above it.
 * @returns The squared distance if it is at most `bound`, else some number above `bound`.
 */
export function squaredDistance(
  a: Float64Array,
  aStart: number,
  b: Float64Array,
  bStart: number,
  d: number,
  bound: number,
): number {
  let sum = 0;
  let i = 0;
  // Independent partial sums keep the processor's adders busy; the grouping is fixed by d alone.
  for (; i + BLOCK <= d; i += BLOCK) {
    const x = aStart + i;
    const y = bStart + i;
    const d0 = a[x] - b[y];
    const d1 = a[x + 1] - b[y + 1];
    const d2 = a[x + 2] - b[y + 2];
    const d3 = a[x + 3] - b[y + 3];
    const d4 = a[x + 4] - b[y + 4];
    const d5 = a[x + 5] - b[y + 5];
    const d6 = a[x + 6] - b[y + 6];
    const d7 = a[x + 7] - b[y + 7];
    sum += d0 * d0 + d1 * d1 + (d2 * d2 + d3 * d3) + (d4 * d4 + d5 * d5 + (d6 * d6 + d7 * d7));
    if (sum > bound) return sum;
  }
  for (; i < d; i++) {
    const difference = a[aStart + i] - b[bStart + i];
    sum += difference * difference;
  }
  return sum;
}
