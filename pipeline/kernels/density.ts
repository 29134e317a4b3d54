/**
 * The searches of pipeline/math/density-search.ts, eight points at a time: those of core-distances.ts,
 * foreign-search.ts and prim.ts there, with the same distances to the last bit. Addresses are bytes; arrays are
 * laid out as in those files and in kd-tree.ts.
 */

/** Points in a leaf, as in pipeline/math/kd-tree.ts. */
const LEAF_SIZE: i32 = 8;
/** Coordinates summed between two looks at the bound. */
const BLOCK: i32 = 8;
/** Queries that pay for a look at all of them together. */
const LEAST_TOGETHER: i32 = 3;
/** Points that a look at all of them together has a chance with. */
const MOST_TOGETHER: i32 = 128;

/** The tree, as openTree was told. */
let d: i32 = 0;
let points: usize = 0;
let boxes: usize = 0;
let start: usize = 0;
let end: usize = 0;
let right: usize = 0;

/** Room to work in: up to eight queries (of a box, its two corners), one leaf's distances, a stack. */
let query: usize = 0;
let corner: usize = 0;
let found: usize = 0;
let stackNode: usize = 0;
let stackDistance: usize = 0;

/** Bytes of room that openTree wants, for a stack of `depth` nodes. */
export function roomBytes(dimensions: i32, depth: i32): i32 {
  return 16 * LEAF_SIZE * dimensions + 8 * LEAF_SIZE + 16 * depth;
}

export function openTree(
  dimensions: i32,
  pointsAt: usize,
  boxesAt: usize,
  startAt: usize,
  endAt: usize,
  rightAt: usize,
  room: usize,
  depth: i32,
): void {
  d = dimensions;
  points = pointsAt;
  boxes = boxesAt;
  start = startAt;
  end = endAt;
  right = rightAt;
  query = room;
  corner = query + 16 * <usize>d;
  found = query + 16 * LEAF_SIZE * <usize>d;
  stackDistance = found + 8 * LEAF_SIZE;
  stackNode = stackDistance + 8 * <usize>depth;
}

function int(array: usize, i: i32): i32 {
  return load<i32>(array + ((<usize>i) << 2));
}

function setInt(array: usize, i: i32, value: i32): void {
  store<i32>(array + ((<usize>i) << 2), value);
}

function float(array: usize, i: i32): f64 {
  return load<f64>(array + ((<usize>i) << 3));
}

function setFloat(array: usize, i: i32, value: f64): void {
  store<f64>(array + ((<usize>i) << 3), value);
}

/** Where the leaf's coordinates begin. */
function leafAddress(leaf: i32): usize {
  return points + <usize>leaf * <usize>d * (8 * LEAF_SIZE);
}

/** Where the boxes of an inner node's children begin: leaves before it are those of the places before it. */
function childBoxes(node: i32): usize {
  return boxes + <usize>(node - int(start, node) / LEAF_SIZE) * <usize>d * 32;
}

/** Makes the point at a place a query: each coordinate twice. */
function askFor(place: i32, asked: usize): void {
  let from = leafAddress(place / LEAF_SIZE) + 8 * <usize>(place % LEAF_SIZE);
  for (let c = 0; c < d; c++) {
    v128.store(asked + 16 * <usize>c, v128.load64_splat(from));
    from += 8 * LEAF_SIZE;
  }
}

/**
 * Squared distances from a query, laid out as askFor does, to the points of a leaf, into `found`.
 *
 * @param limit0 Bounds of the leaf's points, and the following, two each.
 * @returns One bit for each point below its bound; distances that are not below may be wrong.
 */
function compare(asked: usize, leaf: i32, limit0: v128, limit1: v128, limit2: v128, limit3: v128): i32 {
  let from = leafAddress(leaf);
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  let c = 0;
  while (true) {
    const stop = min(d, c + BLOCK);
    for (; c < stop; c++) {
      const x = v128.load(asked + 16 * <usize>c);
      const d0 = f64x2.sub(v128.load(from), x);
      const d1 = f64x2.sub(v128.load(from, 16), x);
      const d2 = f64x2.sub(v128.load(from, 32), x);
      const d3 = f64x2.sub(v128.load(from, 48), x);
      sum0 = f64x2.add(sum0, f64x2.mul(d0, d0));
      sum1 = f64x2.add(sum1, f64x2.mul(d1, d1));
      sum2 = f64x2.add(sum2, f64x2.mul(d2, d2));
      sum3 = f64x2.add(sum3, f64x2.mul(d3, d3));
      from += 8 * LEAF_SIZE;
    }
    const below =
      i64x2.bitmask(f64x2.lt(sum0, limit0)) |
      (i64x2.bitmask(f64x2.lt(sum1, limit1)) << 2) |
      (i64x2.bitmask(f64x2.lt(sum2, limit2)) << 4) |
      (i64x2.bitmask(f64x2.lt(sum3, limit3)) << 6);
    if (below === 0) return 0;
    if (c === d) {
      v128.store(found, sum0);
      v128.store(found, sum1, 16);
      v128.store(found, sum2, 32);
      v128.store(found, sum3, 48);
      return below;
    }
  }
}

/** The same with one bound for all of the leaf's points. */
function searchLeaf(leaf: i32, bound: f64): i32 {
  const limit = f64x2.splat(bound);
  return compare(query, leaf, limit, limit, limit, limit);
}

/** Squared distances from the query to the boxes of an inner node's children: left, right. */
function toChildren(node: i32): v128 {
  const none = f64x2.splat(0);
  let box = childBoxes(node);
  let sum = none;
  for (let c = 0; c < d; c++) {
    const x = v128.load(query + 16 * <usize>c);
    const outside = f64x2.pmax(
      none,
      f64x2.pmax(f64x2.sub(v128.load(box), x), f64x2.sub(x, v128.load(box, 16))),
    );
    sum = f64x2.add(sum, f64x2.mul(outside, outside));
    box += 32;
  }
  return sum;
}

/**
 * Core distances of the points at places `from` to `to`, and the neighbours met on the way; see coreDistances.
 *
 * @param heapDistance Room for k numbers, and heapPlace for k whole ones.
 */
export function coreDistances(
  from: i32,
  to: i32,
  k: i32,
  kept: i32,
  heapDistance: usize,
  heapPlace: usize,
  squared: usize,
  neighbours: usize,
): void {
  for (let p = from; p < to; p++) {
    askFor(p, query);
    for (let i = 0; i < k; i++) {
      setFloat(heapDistance, i, Infinity);
      setInt(heapPlace, i, -1);
    }
    let bound: f64 = Infinity;
    let depth = 0;
    let node = 0;
    let distanceToNode: f64 = 0;
    while (true) {
      if (distanceToNode < bound) {
        const rightChild = int(right, node);
        if (rightChild === 0) {
          // Leaf: every point nearer than the k-th so far takes its place.
          const first = int(start, node);
          let below = searchLeaf(first / LEAF_SIZE, bound);
          while (below !== 0) {
            const lane = ctz(below);
            below &= below - 1;
            const distance = float(found, lane);
            if (distance >= bound) continue;
            replaceRoot(heapDistance, heapPlace, k, distance, first + lane);
            bound = float(heapDistance, 0);
          }
        } else {
          // Inner node: the nearer child is looked at next, the other later if it is near enough.
          const both = toChildren(node);
          const toLeft = f64x2.extract_lane(both, 0);
          const toRight = f64x2.extract_lane(both, 1);
          const leftFirst = toLeft < toRight || (toLeft === toRight && p < int(start, rightChild));
          const far = leftFirst ? toRight : toLeft;
          if (far < bound) {
            setInt(stackNode, depth, leftFirst ? rightChild : node + 1);
            setFloat(stackDistance, depth++, far);
          }
          node = leftFirst ? node + 1 : rightChild;
          distanceToNode = leftFirst ? toLeft : toRight;
          continue;
        }
      }
      if (depth === 0) break;
      node = int(stackNode, --depth);
      distanceToNode = float(stackDistance, depth);
    }
    setFloat(squared, p, bound);
    for (let i = 0; i < kept; i++) setInt(neighbours, p * kept + i, int(heapPlace, i));
  }
}

/**
 * Core distances by looking at every pair: compares a leaf's points with each other and with all before them;
 * see denseCoreDistances.
 *
 * @param heapDistance [n × k] Heaps of all points, Infinity at first; heapPlace, −1.
 * @param farthest [leaves × 8] Squared distance that each point must undercut: Infinity at first, −Infinity
 *   past the last point.
 */
export function compareLeaf(leaf: i32, k: i32, heapDistance: usize, heapPlace: usize, farthest: usize): void {
  let lanes = 0;
  const first = leaf * LEAF_SIZE;
  while (lanes < LEAF_SIZE && float(farthest, first + lanes) >= 0) {
    askFor(first + lanes, query + 16 * <usize>(lanes * d));
    offer(heapDistance, heapPlace, farthest, k, first + lanes, 0, first + lanes);
    lanes++;
  }
  // Outwards: leaves that are near in order are near in space, and soon rule out the rest.
  for (let other = leaf; other >= 0; other--) {
    const limits = farthest + <usize>other * (8 * LEAF_SIZE);
    for (let lane = 0; lane < lanes; lane++) {
      const p = first + lane;
      const own = f64x2.splat(float(farthest, p));
      let below = compare(
        query + 16 * <usize>(lane * d),
        other,
        f64x2.pmax(own, v128.load(limits)),
        f64x2.pmax(own, v128.load(limits, 16)),
        f64x2.pmax(own, v128.load(limits, 32)),
        f64x2.pmax(own, v128.load(limits, 48)),
      );
      // In its own leaf a point is compared with those before it.
      if (other === leaf) below &= (1 << lane) - 1;
      while (below !== 0) {
        const otherLane = ctz(below);
        below &= below - 1;
        const q = other * LEAF_SIZE + otherLane;
        const distance = float(found, otherLane);
        offer(heapDistance, heapPlace, farthest, k, p, distance, q);
        offer(heapDistance, heapPlace, farthest, k, q, distance, p);
      }
    }
  }
}

/** Puts a point into another's heap if it is near enough. */
function offer(
  heapDistance: usize,
  heapPlace: usize,
  farthest: usize,
  k: i32,
  p: i32,
  distance: f64,
  place: i32,
): void {
  if (distance >= float(farthest, p)) return;
  const heap = <usize>p * <usize>k;
  replaceRoot(heapDistance + 8 * heap, heapPlace + 4 * heap, k, distance, place);
  setFloat(farthest, p, float(heapDistance + 8 * heap, 0));
}

/** Puts a nearer point in place of the farthest, and restores the heap. */
function replaceRoot(heapDistance: usize, heapPlace: usize, k: i32, distance: f64, place: i32): void {
  let hole = 0;
  while (true) {
    let child = 2 * hole + 1;
    if (child >= k) break;
    if (child + 1 < k && float(heapDistance, child + 1) > float(heapDistance, child)) child++;
    const distanceOfChild = float(heapDistance, child);
    if (distanceOfChild <= distance) break;
    setFloat(heapDistance, hole, distanceOfChild);
    setInt(heapPlace, hole, int(heapPlace, child));
    hole = child;
  }
  setFloat(heapDistance, hole, distance);
  setInt(heapPlace, hole, place);
}

/** What a round of Borůvka's algorithm knows, as openRounds was told; see pipeline/math/boruvka.ts. */
let squared: usize = 0;
let kept: i32 = 0;
let neighbours: usize = 0;
let component: usize = 0;
let candidate: usize = 0;
let lowerBound: usize = 0;
let bestFrom: usize = 0;
let bestTo: usize = 0;
let bestSquared: usize = 0;
let nodeComponent: usize = 0;
let leastCore: usize = 0;
let leastForeign: usize = 0;

export function openRounds(
  squaredAt: usize,
  keptEach: i32,
  neighboursAt: usize,
  componentAt: usize,
  candidateAt: usize,
  lowerBoundAt: usize,
  bestFromAt: usize,
  bestToAt: usize,
  bestSquaredAt: usize,
  nodeComponentAt: usize,
  leastCoreAt: usize,
  leastForeignAt: usize,
): void {
  squared = squaredAt;
  kept = keptEach;
  neighbours = neighboursAt;
  component = componentAt;
  candidate = candidateAt;
  lowerBound = lowerBoundAt;
  bestFrom = bestFromAt;
  bestTo = bestToAt;
  bestSquared = bestSquaredAt;
  nodeComponent = nodeComponentAt;
  leastCore = leastCoreAt;
  leastForeign = leastForeignAt;
}

/** Least squared core distance in a node of a point that is not of the component. */
function leastCoreOutside(node: i32, own: i32): f64 {
  return int(nodeComponent, node) === own ? float(leastForeign, node) : float(leastCore, node);
}

/**
 * Searches for the cheapest edges out of the components of the points below a node: each point that might still
 * beat its component's best asks for itself, unless a look at several together already rules them out.
 *
 * @param pending Room for a stack of nodes.
 */
export function searchBelow(top: i32, pending: usize): void {
  let waiting = 0;
  setInt(pending, waiting++, top);
  while (waiting > 0) {
    const node = int(pending, --waiting);
    const first = int(start, node);
    const last = int(end, node);
    let asking = 0;
    for (let p = first; p < last; p++) if (asks(p)) asking++;
    if (asking === 0) continue;
    const together = asking >= LEAST_TOGETHER && last - first <= MOST_TOGETHER;
    if (together && float(leastForeign, node) === Infinity && rulesOut(node)) continue;
    const rightChild = int(right, node);
    if (rightChild > 0) {
      setInt(pending, waiting++, rightChild);
      setInt(pending, waiting++, node + 1);
      continue;
    }
    for (let p = first; p < last; p++) if (asks(p)) searchFrom(p);
  }
}

/** Whether the point has no edge yet and one could beat its component's best. */
function asks(p: i32): bool {
  return int(candidate, p) < 0 && float(lowerBound, p) < float(bestSquared, int(component, p));
}

/**
 * Whether no point of a node, all of one component, has an edge that beats the component's best. Then no lower
 * bound in it stays below what the cheapest edge could be.
 */
function rulesOut(asker: i32): bool {
  const first = int(start, asker);
  const last = int(end, asker);
  const own = int(component, first);
  const best = float(bestSquared, own);
  const ownCore = float(leastCore, asker);
  if (best === Infinity) return false;
  if (ownCore >= best) return true;
  fitBox(first, last);
  let least: f64 = Infinity;
  let depth = 0;
  setInt(stackNode, depth++, 0);
  while (depth > 0) {
    const node = int(stackNode, --depth);
    const rightChild = int(right, node);
    if (rightChild === 0) {
      const place = int(start, node);
      const lanes = min(LEAF_SIZE, int(end, node) - place);
      boxToLeaf(place / LEAF_SIZE);
      for (let lane = 0; lane < lanes; lane++) {
        if (int(component, place + lane) === own) continue;
        const reach = max(max(float(squared, place + lane), ownCore), float(found, lane));
        if (reach < best) return false;
        least = min(least, reach);
      }
      continue;
    }
    const both = boxToChildren(node);
    const toLeft = max(f64x2.extract_lane(both, 0), leastCoreOutside(node + 1, own));
    const toRight = max(f64x2.extract_lane(both, 1), leastCoreOutside(rightChild, own));
    // The nearer goes on top: what refutes is near.
    if (toLeft >= best) least = min(least, toLeft);
    else if (toLeft >= toRight) setInt(stackNode, depth++, node + 1);
    if (toRight >= best) least = min(least, toRight);
    else setInt(stackNode, depth++, rightChild);
    if (toLeft < best && toLeft < toRight) setInt(stackNode, depth++, node + 1);
  }
  for (let p = first; p < last; p++) {
    if (int(candidate, p) < 0 && float(lowerBound, p) < least) setFloat(lowerBound, p, least);
  }
  return true;
}

/** Makes the tightest box around places `first` to `last` the query: low corner in `query`, high in `corner`. */
function fitBox(first: i32, last: i32): void {
  for (let c = 0; c < d; c++) {
    let low: f64 = Infinity;
    let high: f64 = -Infinity;
    for (let p = first; p < last; p++) {
      const x = load<f64>(leafAddress(p / LEAF_SIZE) + 8 * <usize>(c * LEAF_SIZE + (p % LEAF_SIZE)));
      low = min(low, x);
      high = max(high, x);
    }
    v128.store(query + 16 * <usize>c, f64x2.splat(low));
    v128.store(corner + 16 * <usize>c, f64x2.splat(high));
  }
}

/** Squared distances from the queried box to a leaf's points, into `found`. */
function boxToLeaf(leaf: i32): void {
  const none = f64x2.splat(0);
  for (let lane = 0; lane < LEAF_SIZE; lane += 2) {
    let from = leafAddress(leaf) + 8 * <usize>lane;
    let sum = none;
    for (let c = 0; c < d; c++) {
      const x = v128.load(from);
      const low = v128.load(query + 16 * <usize>c);
      const high = v128.load(corner + 16 * <usize>c);
      const outside = f64x2.pmax(none, f64x2.pmax(f64x2.sub(low, x), f64x2.sub(x, high)));
      sum = f64x2.add(sum, f64x2.mul(outside, outside));
      from += 8 * LEAF_SIZE;
    }
    v128.store(found + 8 * <usize>lane, sum);
  }
}

/** Squared distances from the queried box to those of an inner node's children: left, right. */
function boxToChildren(node: i32): v128 {
  const none = f64x2.splat(0);
  let box = childBoxes(node);
  let sum = none;
  for (let c = 0; c < d; c++) {
    const low = v128.load(query + 16 * <usize>c);
    const high = v128.load(corner + 16 * <usize>c);
    const outside = f64x2.pmax(
      none,
      f64x2.pmax(f64x2.sub(v128.load(box), high), f64x2.sub(low, v128.load(box, 16))),
    );
    sum = f64x2.add(sum, f64x2.mul(outside, outside));
    box += 32;
  }
  return sum;
}

/** Finds the point's cheapest edge out of its component, or that none beats the component's best. */
function searchFrom(p: i32): void {
  const own = int(component, p);
  const ownCore = float(squared, p);
  let nearest = float(bestSquared, own);
  let foundPlace = -1;
  // Neighbours with larger core distances give a first bound.
  for (let i = p * kept; i < (p + 1) * kept; i++) {
    const q = int(neighbours, i);
    if (q < 0 || int(component, q) === own) continue;
    const reach = max(ownCore, float(squared, q));
    if (reach >= nearest) continue;
    nearest = reach;
    foundPlace = q;
  }
  if (nearest > ownCore) {
    askFor(p, query);
    let depth = 0;
    let node = 0;
    let reachOfNode: f64 = 0;
    while (true) {
      if (reachOfNode < nearest) {
        const rightChild = int(right, node);
        if (rightChild === 0) {
          const first = int(start, node);
          let below = searchLeaf(first / LEAF_SIZE, nearest);
          while (below !== 0) {
            const lane = ctz(below);
            below &= below - 1;
            const q = first + lane;
            if (int(component, q) === own) continue;
            const reach = max(max(float(found, lane), ownCore), float(squared, q));
            if (reach >= nearest) continue;
            nearest = reach;
            foundPlace = q;
          }
          if (nearest <= ownCore) break;
        } else {
          const both = toChildren(node);
          const toLeft = max(f64x2.extract_lane(both, 0), leastCoreOutside(node + 1, own));
          const toRight = max(f64x2.extract_lane(both, 1), leastCoreOutside(rightChild, own));
          const leftFirst = toLeft < toRight || (toLeft === toRight && p < int(start, rightChild));
          const far = leftFirst ? toRight : toLeft;
          if (far < nearest) {
            setInt(stackNode, depth, leftFirst ? rightChild : node + 1);
            setFloat(stackDistance, depth++, far);
          }
          node = leftFirst ? node + 1 : rightChild;
          reachOfNode = leftFirst ? toLeft : toRight;
          continue;
        }
      }
      if (depth === 0) break;
      node = int(stackNode, --depth);
      reachOfNode = float(stackDistance, depth);
    }
  }
  // Found or not, nothing outside is nearer than this.
  setFloat(lowerBound, p, nearest);
  if (foundPlace < 0) return;
  setInt(candidate, p, foundPlace);
  setFloat(bestSquared, own, nearest);
  setInt(bestFrom, own, p);
  setInt(bestTo, own, foundPlace);
}

/** What Prim's algorithm knows, as openPrim was told; see pipeline/math/prim.ts. */
let core: usize = 0;
let reach: usize = 0;
let source: usize = 0;
let leastReach: usize = 0;
let openLeaves: usize = 0;
let openCount: i32 = 0;
let current: i32 = 0;

export function openPrim(
  coreAt: usize,
  reachAt: usize,
  sourceAt: usize,
  leastReachAt: usize,
  openLeavesAt: usize,
  leaves: i32,
): void {
  core = coreAt;
  reach = reachAt;
  source = sourceAt;
  leastReach = leastReachAt;
  openLeaves = openLeavesAt;
  openCount = leaves;
  current = 0;
  takeIn(0, 0);
}

/** Adds so many edges to the tree, and writes them from the addresses on. */
export function primEdges(count: i32, edgeFrom: usize, edgeTo: usize, edgeSquared: usize): void {
  for (let e = 0; e < count; e++) {
    askFor(current, query);
    const ownCore = float(core, current);
    let nearest: f64 = Infinity;
    let nearestAt = 0;
    for (let i = 0; i < openCount; i++) {
      const leaf = int(openLeaves, i);
      reachFrom(leaf, ownCore);
      const least = float(leastReach, leaf);
      if (least < nearest) {
        nearest = least;
        nearestAt = i;
      }
    }
    const leaf = int(openLeaves, nearestAt);
    let place = leaf * LEAF_SIZE;
    while (float(reach, place) !== float(leastReach, leaf)) place++;
    setInt(edgeFrom, e, int(source, place));
    setInt(edgeTo, e, place);
    setFloat(edgeSquared, e, float(reach, place));
    takeIn(place, nearestAt);
    current = place;
  }
}

/** Lowers the reach of a leaf's points where the queried point, which has just come in, is nearer. */
function reachFrom(leaf: i32, ownCore: f64): void {
  const limits = reach + <usize>leaf * (8 * LEAF_SIZE);
  const limit0 = v128.load(limits);
  const limit1 = v128.load(limits, 16);
  const limit2 = v128.load(limits, 32);
  const limit3 = v128.load(limits, 48);
  const farthest = f64x2.pmax(f64x2.pmax(limit0, limit1), f64x2.pmax(limit2, limit3));
  if (!v128.any_true(f64x2.lt(f64x2.splat(ownCore), farthest))) return;
  let below = compare(query, leaf, limit0, limit1, limit2, limit3);
  if (below === 0) return;
  let least = float(leastReach, leaf);
  while (below !== 0) {
    const lane = ctz(below);
    below &= below - 1;
    const place = leaf * LEAF_SIZE + lane;
    const pair = max(max(float(found, lane), ownCore), float(core, place));
    if (pair >= float(reach, place)) continue;
    setFloat(reach, place, pair);
    setInt(source, place, current);
    least = min(least, pair);
  }
  setFloat(leastReach, leaf, least);
}

/** Marks the point as one of the tree's, and its leaf, at a place among the open ones, as done when it was the last. */
function takeIn(place: i32, at: i32): void {
  setFloat(reach, place, -Infinity);
  const leaf = place / LEAF_SIZE;
  let least: f64 = Infinity;
  let outside = false;
  for (let q = leaf * LEAF_SIZE; q < (leaf + 1) * LEAF_SIZE; q++) {
    const reachOfPoint = float(reach, q);
    if (reachOfPoint < 0) continue;
    outside = true;
    least = min(least, reachOfPoint);
  }
  setFloat(leastReach, leaf, least);
  if (!outside) setInt(openLeaves, at, int(openLeaves, --openCount));
}
