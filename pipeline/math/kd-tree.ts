/**
 * A balanced tree of boxes over points in few dimensions. Owns the tree's shape and the copy of the points
 * in leaf order; what is searched for (neighbours, the nearest foreign component) is its users' business.
 */

/** Points in a leaf at most: small enough to scan, large enough to keep the tree out of the way. */
const LEAF_SIZE = 8;

/**
 * m nodes in preorder: the left child of an inner node is the next node, and every child has a higher
 * number than its parent. A position is a place in leaf order; each node covers consecutive positions.
 */
export interface KdTree {
  n: number;
  d: number;
  /** [n] Row at each position. */
  rows: Int32Array;
  /** [n × d] Points by position. */
  points: Float64Array;
  nodes: number;
  /** [m] First position that the node covers. */
  start: Int32Array;
  /** [m] Position after the last. */
  end: Int32Array;
  /** [m] Right child, or 0 for a leaf. */
  right: Int32Array;
  /** [m × d] Least and greatest coordinates of the node's points. */
  low: Float64Array;
  high: Float64Array;
}

/**
 * Splits at the median of the widest side until a leaf holds at most eight points.
 *
 * @param points [n × d], row-major, finite.
 * @returns A tree of at most n nodes (one for n = 0); memory about 8·n·d + 4·n·d bytes.
 */
export function buildKdTree(points: Float32Array | Float64Array, n: number, d: number): KdTree {
  // A split leaves more than LEAF_SIZE / 2 points on each side, which bounds the leaves and with them the nodes.
  const most = Math.max(1, 2 * Math.ceil(n / (LEAF_SIZE / 2)));
  const start = new Int32Array(most);
  const end = new Int32Array(most);
  const right = new Int32Array(most);
  const low = new Float64Array(most * d);
  const high = new Float64Array(most * d);
  const rows = new Int32Array(n);
  for (let i = 0; i < n; i++) rows[i] = i;
  const keys = new Float64Array(n);

  // Ranges still to become nodes, with the node whose right child they are (−1 for a left child).
  const stack = [0, n, -1];
  let nodes = 0;
  while (stack.length > 0) {
    const parent = stack.pop() as number;
    const to = stack.pop() as number;
    const from = stack.pop() as number;
    const node = nodes++;
    if (parent >= 0) right[parent] = node;
    start[node] = from;
    end[node] = to;
    const widest = fitBox(points, d, rows, from, to, low, high, node * d);
    if (to - from <= LEAF_SIZE) continue;
    const middle = (from + to) >> 1;
    for (let p = from; p < to; p++) keys[p] = points[rows[p] * d + widest];
    selectMedian(keys, rows, from, to - 1, middle);
    stack.push(middle, to, node, from, middle, -1);
  }

  const ordered = new Float64Array(n * d);
  for (let p = 0; p < n; p++) {
    const source = rows[p] * d;
    for (let c = 0; c < d; c++) ordered[p * d + c] = points[source + c];
  }
  return {
    n,
    d,
    rows,
    points: ordered,
    nodes,
    start: start.slice(0, nodes),
    end: end.slice(0, nodes),
    right: right.slice(0, nodes),
    low: low.slice(0, nodes * d),
    high: high.slice(0, nodes * d),
  };
}

/**
 * Squared distance from a point to a node's box, 0 inside.
 *
 * @param points [? × d]; the point starts at `pointStart`.
 * @param bound The sum may stop early at anything above it.
 */
export function squaredDistanceToBox(
  tree: KdTree,
  node: number,
  points: Float64Array,
  pointStart: number,
  bound: number,
): number {
  const { d, low, high } = tree;
  const boxStart = node * d;
  let sum = 0;
  for (let c = 0; c < d; c++) {
    const x = points[pointStart + c];
    const below = low[boxStart + c] - x;
    const above = x - high[boxStart + c];
    if (below > 0) sum += below * below;
    else if (above > 0) sum += above * above;
    if (sum > bound) return sum;
  }
  return sum;
}

/** Writes the tight box of rows[from, to) and returns its widest side, the lower one on a tie. */
function fitBox(
  points: Float32Array | Float64Array,
  d: number,
  rows: Int32Array,
  from: number,
  to: number,
  low: Float64Array,
  high: Float64Array,
  boxStart: number,
): number {
  low.fill(Infinity, boxStart, boxStart + d);
  high.fill(-Infinity, boxStart, boxStart + d);
  for (let p = from; p < to; p++) {
    const source = rows[p] * d;
    for (let c = 0; c < d; c++) {
      const x = points[source + c];
      if (x < low[boxStart + c]) low[boxStart + c] = x;
      if (x > high[boxStart + c]) high[boxStart + c] = x;
    }
  }
  let widest = 0;
  let width = -1;
  for (let c = 0; c < d; c++) {
    const side = high[boxStart + c] - low[boxStart + c];
    if (side > width) {
      width = side;
      widest = c;
    }
  }
  return widest;
}

/**
 * Rearranges keys[left, right] and the rows beside them until everything before `middle` is at most
 * keys[middle] and everything after is at least that. Hoare's selection, pivot by the median of three;
 * equal keys are exchanged too, which keeps runs of duplicates balanced.
 */
function selectMedian(
  keys: Float64Array,
  rows: Int32Array,
  left: number,
  right: number,
  middle: number,
): void {
  let from = left;
  let to = right;
  while (from < to) {
    const a = keys[from];
    const b = keys[(from + to) >> 1];
    const c = keys[to];
    const pivot = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    let i = from;
    let j = to;
    while (i <= j) {
      while (keys[i] < pivot) i++;
      while (keys[j] > pivot) j--;
      if (i > j) break;
      const key = keys[i];
      keys[i] = keys[j];
      keys[j] = key;
      const row = rows[i];
      rows[i++] = rows[j];
      rows[j--] = row;
    }
    if (middle <= j) to = j;
    else if (middle >= i) from = i;
    else return;
  }
}
