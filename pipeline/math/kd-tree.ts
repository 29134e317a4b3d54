/**
 * A balanced tree of boxes over points in few dimensions. Owns the tree's shape and the copy of the points
 * in leaf order; what is searched for (neighbours, the nearest foreign component) is its users' business.
 */

import { type ArrayMaker, ownArrays } from './array-maker.ts';

/**
 * Points in a leaf: as many as a kernel compares at once, small enough to scan, large enough to keep the tree
 * out of the way.
 */
export const LEAF_SIZE = 8;

/**
 * m nodes in preorder: the left child of an inner node is the next node, and every child has a higher number
 * than its parent. A place is a position in leaf order; each node covers consecutive places. Leaf i covers the
 * eight places from 8i on; only the last may cover fewer.
 */
export interface KdTree {
  n: number;
  d: number;
  /** [n] Row at each place. */
  rows: Int32Array;
  /** [leaves × d × 8] Points leaf by leaf, each coordinate of all eight together; places from n on are Infinity. */
  points: Float64Array;
  /** m, at least 1. */
  nodes: number;
  /** [m] First place that the node covers. */
  start: Int32Array;
  /** [m] Place after the last. */
  end: Int32Array;
  /** [m] Right child, or 0 for a leaf. */
  right: Int32Array;
  /**
   * [inner nodes × d × 4] Tightest boxes around each inner node's children, coordinate by coordinate: least of
   * the left child, of the right, greatest of the left, of the right. Where a node's begin, `childBoxes` says.
   */
  boxes: Float64Array;
}

/** Where the boxes of an inner node's children begin: nodes before it that are leaves hold the places before it. */
export function childBoxes(tree: KdTree, node: number): number {
  return (node - tree.start[node] / LEAF_SIZE) * tree.d * 4;
}

/** Where the coordinates of the point at a place begin; the next is LEAF_SIZE further on. */
export function pointStart(tree: KdTree, place: number): number {
  return (place - (place % LEAF_SIZE)) * tree.d + (place % LEAF_SIZE);
}

/**
 * Splits near the median of the widest side, so that leaves are full, until a leaf holds at most eight points.
 *
 * @param points [n × d], row-major, finite.
 * @returns A tree of 2⌈n / 8⌉ − 1 nodes (one for n = 0); memory about 12·n·d + 7·n bytes.
 */
export function buildKdTree(
  points: Float32Array | Float64Array,
  n: number,
  d: number,
  arrays: ArrayMaker = ownArrays,
): KdTree {
  const leaves = Math.max(1, Math.ceil(n / LEAF_SIZE));
  const start = arrays.int32(2 * leaves - 1);
  const end = arrays.int32(2 * leaves - 1);
  const right = arrays.int32(2 * leaves - 1);
  const boxes = arrays.float64((leaves - 1) * d * 4);
  const rows = arrays.int32(n);
  for (let i = 0; i < n; i++) rows[i] = i;
  const keys = new Float64Array(n);
  const low = new Float64Array(d);
  const high = new Float64Array(d);

  // Ranges still to become nodes; with each, the node whose right child it is (−1 for a left child) and where
  // its box goes among those of its parent's children (−1 for the root).
  const stack = [0, n, -1, -1];
  let nodes = 0;
  while (stack.length > 0) {
    const boxStart = stack.pop() as number;
    const parent = stack.pop() as number;
    const to = stack.pop() as number;
    const from = stack.pop() as number;
    const node = nodes++;
    if (parent >= 0) right[parent] = node;
    start[node] = from;
    end[node] = to;
    fitBox(points, d, rows, from, to, low, high);
    if (boxStart >= 0) {
      for (let c = 0; c < d; c++) {
        boxes[boxStart + 4 * c] = low[c];
        boxes[boxStart + 4 * c + 2] = high[c];
      }
    }
    if (to - from <= LEAF_SIZE) continue;
    const side = widestSide(low, high);
    const middle = from + LEAF_SIZE * Math.ceil((to - from) / (2 * LEAF_SIZE));
    for (let p = from; p < to; p++) keys[p] = points[rows[p] * d + side];
    selectSmallest(keys, rows, from, to - 1, middle);
    const children = (node - from / LEAF_SIZE) * d * 4;
    stack.push(middle, to, node, children + 1, from, middle, -1, children);
  }

  const ordered = arrays.float64(leaves * LEAF_SIZE * d).fill(Infinity, (leaves - 1) * LEAF_SIZE * d);
  for (let place = 0; place < n; place++) {
    const source = rows[place] * d;
    const target = (place - (place % LEAF_SIZE)) * d + (place % LEAF_SIZE);
    for (let c = 0; c < d; c++) ordered[target + c * LEAF_SIZE] = points[source + c];
  }
  return { n, d, rows, points: ordered, nodes, start, end, right, boxes };
}

/**
 * Squared distance from a point to the box around an inner node's child, 0 inside. Summed as the distance to a
 * point is, so that it never exceeds the distance to a point of the child, not even by rounding.
 *
 * @param query [d].
 * @param side 0 for the left child, 1 for the right.
 */
export function squaredDistanceToChild(tree: KdTree, node: number, side: 0 | 1, query: Float64Array): number {
  const { d, boxes } = tree;
  const boxStart = childBoxes(tree, node) + side;
  let sum = 0;
  for (let c = 0; c < d; c++) {
    const x = query[c];
    const outside = Math.max(0, boxes[boxStart + 4 * c] - x, x - boxes[boxStart + 4 * c + 2]);
    sum += outside * outside;
  }
  return sum;
}

/** The tightest box around the points of rows[from, to). */
function fitBox(
  points: Float32Array | Float64Array,
  d: number,
  rows: Int32Array,
  from: number,
  to: number,
  low: Float64Array,
  high: Float64Array,
): void {
  low.fill(Infinity);
  high.fill(-Infinity);
  for (let p = from; p < to; p++) {
    const source = rows[p] * d;
    for (let c = 0; c < d; c++) {
      const x = points[source + c];
      if (x < low[c]) low[c] = x;
      if (x > high[c]) high[c] = x;
    }
  }
}

/** The lower one on a tie. */
function widestSide(low: Float64Array, high: Float64Array): number {
  let widest = 0;
  for (let c = 1; c < low.length; c++) {
    if (high[c] - low[c] > high[widest] - low[widest]) widest = c;
  }
  return widest;
}

/**
 * Rearranges keys[left, right] and the rows beside them until everything before `middle` is at most
 * keys[middle] and everything after is at least that. Hoare's selection, pivot by the median of three;
 * equal keys are exchanged too, which keeps runs of duplicates balanced.
 */
function selectSmallest(
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
