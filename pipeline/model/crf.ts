/**
 * A linear-chain conditional random field over BIO labels (Lafferty et al. 2001): the best label sequence,
 * marginal probabilities, and the exact probability of a span. Labels that cannot follow each other (an I- that
 * continues nothing, or another type) have no path, in training and in use alike.
 */

/** Scores of one tagger's label transitions, ready for use. */
export interface Crf {
  readonly labels: readonly string[];
  /** Log scores [L × L] from row to column, then L of starting and L of ending; −Infinity where illegal. */
  readonly scores: Float64Array;
  /** Their exponentials, same layout. */
  readonly factors: Float64Array;
}

/** Number of transition weights for L labels. */
export const transitionCount = (labels: number): number => labels * labels + 2 * labels;

/**
 * Which transitions BIO allows, in the layout of Crf.scores: 1 allowed, 0 not.
 * An I-x follows only B-x or I-x, and so starts no sentence.
 */
export function legalTransitions(labels: readonly string[]): Uint8Array {
  const count = labels.length;
  const legal = new Uint8Array(transitionCount(count)).fill(1);
  labels.forEach((to, j) => {
    if (!to.startsWith('I-')) return;
    const type = to.slice(2);
    labels.forEach((from, i) => {
      if (from !== `B-${type}` && from !== `I-${type}`) legal[i * count + j] = 0;
    });
    legal[count * count + j] = 0;
  });
  return legal;
}

/**
 * @param labels BIO labels.
 * @param weights [L × L + 2 L] in the layout of Crf.scores; entries of illegal transitions are not read.
 */
export function createCrf(labels: readonly string[], weights: ArrayLike<number>): Crf {
  const legal = legalTransitions(labels);
  if (weights.length !== legal.length) {
    throw new RangeError(`crf: ${labels.length} labels need ${legal.length} weights, got ${weights.length}.`);
  }
  const scores = Float64Array.from(legal, (allowed, k) => (allowed === 1 ? weights[k] : -Infinity));
  return { labels, scores, factors: scores.map(Math.exp) };
}

/** Forward and backward quantities of one sentence, all scaled so that rows stay near 1. */
export interface Lattice {
  /** Room for this many tokens; grows when needed. */
  capacity: number;
  n: number;
  /** exp(emission − largest of the row) [n × L]. */
  emitted: Float64Array;
  /** Probability of the label given the tokens up to here [n × L]. */
  forward: Float64Array;
  /** forward ⊙ backward is the marginal probability of each label [n × L]. */
  backward: Float64Array;
  /** What each forward row was divided by [n]. */
  scale: Float64Array;
  /** Sum over endings, by which the last backward row is divided. */
  ending: number;
  /** Logarithm of the sum over all label sequences. */
  logPartition: number;
}

export const createLattice = (): Lattice => ({
  capacity: 0,
  n: 0,
  emitted: new Float64Array(0),
  forward: new Float64Array(0),
  backward: new Float64Array(0),
  scale: new Float64Array(0),
  ending: 0,
  logPartition: 0,
});

/**
 * Labels that score this far below the best of their token count as this far: otherwise a token whose only
 * likely labels are illegal there would leave no path with a number above zero.
 */
const lowestLogit = -60;

/**
 * Fills a lattice for the n tokens whose emissions start at row `first`.
 *
 * @param emissions Log scores [rows × L].
 */
export function fillLattice(
  lattice: Lattice,
  crf: Crf,
  emissions: ArrayLike<number>,
  first: number,
  n: number,
): void {
  const count = crf.labels.length;
  const { factors } = crf;
  const starts = count * count;
  const ends = starts + count;
  if (lattice.capacity < n) {
    lattice.capacity = Math.max(n, 2 * lattice.capacity);
    lattice.emitted = new Float64Array(lattice.capacity * count);
    lattice.forward = new Float64Array(lattice.capacity * count);
    lattice.backward = new Float64Array(lattice.capacity * count);
    lattice.scale = new Float64Array(lattice.capacity);
  }
  lattice.n = n;
  lattice.logPartition = 0;
  if (n === 0) return;
  const { emitted, forward, backward, scale } = lattice;

  for (let t = 0; t < n; t++) {
    const row = t * count;
    const from = (first + t) * count;
    let best = emissions[from];
    for (let j = 1; j < count; j++) if (emissions[from + j] > best) best = emissions[from + j];
    for (let j = 0; j < count; j++) {
      const logit = emissions[from + j] - best;
      emitted[row + j] = Math.exp(Math.max(logit, lowestLogit));
    }
    // Left to right, each row divided by its own sum.
    let sum = 0;
    for (let j = 0; j < count; j++) {
      let reached = 0;
      if (t === 0) reached = factors[starts + j];
      else for (let i = 0; i < count; i++) reached += forward[row - count + i] * factors[i * count + j];
      forward[row + j] = reached * emitted[row + j];
      sum += forward[row + j];
    }
    scale[t] = sum;
    for (let j = 0; j < count; j++) forward[row + j] /= sum;
    lattice.logPartition += best + Math.log(sum);
  }

  const last = (n - 1) * count;
  let ending = 0;
  for (let j = 0; j < count; j++) ending += forward[last + j] * factors[ends + j];
  lattice.ending = ending;
  lattice.logPartition += Math.log(ending);

  for (let j = 0; j < count; j++) backward[last + j] = factors[ends + j] / ending;
  for (let t = n - 2; t >= 0; t--) {
    const row = t * count;
    const next = row + count;
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let j = 0; j < count; j++) sum += factors[i * count + j] * emitted[next + j] * backward[next + j];
      backward[row + i] = sum / scale[t + 1];
    }
  }
}

/**
 * Probability that exactly tokens start … end − 1 are one entity of a type, summed over everything else.
 *
 * @param beginning Index of the type's B- label.
 * @param inside Index of its I- label, −1 when the label set has none.
 */
export function spanProbability(
  lattice: Lattice,
  crf: Crf,
  start: number,
  end: number,
  beginning: number,
  inside: number,
): number {
  const count = crf.labels.length;
  const { factors } = crf;
  const { n, emitted, forward, backward, scale } = lattice;
  let mass = forward[start * count + beginning];
  let label = beginning;
  for (let t = start + 1; t < end; t++) {
    mass *= (factors[label * count + inside] * emitted[t * count + inside]) / scale[t];
    label = inside;
  }
  // What follows may be anything but the entity going on.
  if (end === n) return Math.min(1, (mass * factors[count * count + count + label]) / lattice.ending);
  let leaving = 0;
  for (let j = 0; j < count; j++) {
    if (j !== inside)
      leaving += factors[label * count + j] * emitted[end * count + j] * backward[end * count + j];
  }
  return Math.min(1, (mass * leaving) / scale[end]);
}

/** The best legal label sequence; of equal ones, that with the lower label index where they first differ from the end. */
export function bestLabels(
  crf: Crf,
  emissions: ArrayLike<number>,
  first: number,
  n: number,
): Uint8Array | Uint16Array {
  const count = crf.labels.length;
  const { scores } = crf;
  const starts = count * count;
  const ends = starts + count;
  const make = (size: number) => (count < 256 ? new Uint8Array(size) : new Uint16Array(size));
  const best = make(n);
  if (n === 0) return best;
  const cameFrom = make(n * count);
  let previous = new Float64Array(count);
  let current = new Float64Array(count);
  for (let j = 0; j < count; j++) previous[j] = scores[starts + j] + emissions[first * count + j];
  for (let t = 1; t < n; t++) {
    const from = (first + t) * count;
    for (let j = 0; j < count; j++) {
      let most = -Infinity;
      let source = 0;
      for (let i = 0; i < count; i++) {
        const score = previous[i] + scores[i * count + j];
        if (score > most) {
          most = score;
          source = i;
        }
      }
      current[j] = most + emissions[from + j];
      cameFrom[t * count + j] = source;
    }
    [previous, current] = [current, previous];
  }
  let label = 0;
  let most = -Infinity;
  for (let j = 0; j < count; j++) {
    if (previous[j] + scores[ends + j] > most) {
      most = previous[j] + scores[ends + j];
      label = j;
    }
  }
  for (let t = n - 1; t >= 0; t--) {
    best[t] = label;
    label = cameFrom[t * count + label];
  }
  return best;
}
