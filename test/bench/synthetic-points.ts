/** Seeded point sets for the kernel benches: as document vectors, reduced vectors and textbook shapes lie. */

import { createRandom, type Random } from '../../pipeline/math/random.ts';

export interface LabelledPoints {
  n: number;
  d: number;
  /** Float32Array [n × d]. */
  points: Float32Array;
  /** Int32Array [n]: the group each point was drawn from, −1 for none. */
  truth: Int32Array;
}

/** Share of documents that stand between two topics rather than in one. */
const BETWEEN_SHARE = 0.15;

/**
 * Unit vectors in topics, as document vectors have them: topics share families, their sizes fall off as 1/√rank,
 * their widths differ, and the variance within a topic falls off along the axes, so that neighbourhoods have
 * few dimensions although vectors have many.
 */
export function documentVectors(n: number, d: number, seed: number): LabelledPoints {
  const random = createRandom(seed, 0x646f63);
  const families = 12;
  const c = Math.max(8, Math.round(Math.sqrt(n)));
  const familyCenters = normals(random, families * d);
  const centers = new Float64Array(c * d);
  const widths = new Float64Array(c);
  const shares = new Float64Array(c);
  for (let t = 0; t < c; t++) {
    for (let x = 0; x < d; x++) {
      centers[t * d + x] = 0.7 * familyCenters[(t % families) * d + x] + 0.9 * random.nextNormal();
    }
    widths[t] = 0.6 + 0.8 * random.nextFloat();
    shares[t] = (t === 0 ? 0 : shares[t - 1]) + 1 / Math.sqrt(t + 1);
  }
  // Each topic varies along the axes in an order of its own.
  const spectrum = Float64Array.from({ length: d }, (_, x) => 2.5 / Math.sqrt(1 + x / 6));

  const points = new Float32Array(n * d);
  const truth = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const topic = drawn(shares, random);
    const other = random.nextFloat() < BETWEEN_SHARE ? drawn(shares, random) : topic;
    const mix = other === topic ? 0 : 0.3 + 0.4 * random.nextFloat();
    truth[i] = other === topic ? topic : -1;
    let square = 0;
    for (let x = 0; x < d; x++) {
      const center = (1 - mix) * centers[topic * d + x] + mix * centers[other * d + x];
      const value = center + widths[topic] * spectrum[(x + 7 * topic) % d] * random.nextNormal();
      points[i * d + x] = value;
      square += value * value;
    }
    const scale = 1 / Math.sqrt(square);
    for (let x = 0; x < d; x++) points[i * d + x] *= scale;
  }
  return { n, d, points, truth };
}

/** Clusters of unequal size and density in a cube with an even fog around them, as a layout to cluster has. */
export function reducedVectors(n: number, d: number, seed: number): LabelledPoints {
  const random = createRandom(seed, 0x726564);
  const c = Math.max(8, Math.round(Math.sqrt(n) / 2));
  const centers = Float64Array.from({ length: c * d }, () => 12 * random.nextFloat());
  const widths = Float64Array.from({ length: c }, () => 0.05 + 0.3 * random.nextFloat());
  const shares = new Float64Array(c);
  for (let t = 0; t < c; t++) shares[t] = (t === 0 ? 0 : shares[t - 1]) + 1 / Math.sqrt(t + 1);
  const points = new Float32Array(n * d);
  const truth = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const topic = random.nextFloat() < BETWEEN_SHARE ? -1 : drawn(shares, random);
    truth[i] = topic;
    for (let x = 0; x < d; x++) {
      points[i * d + x] =
        topic < 0 ? 12 * random.nextFloat() : centers[topic * d + x] + widths[topic] * random.nextNormal();
    }
  }
  return { n, d, points, truth };
}

/** Five round blobs in the plane, 8 standard deviations and more apart. */
export function blobs(n: number, seed: number): LabelledPoints {
  const places = [
    [0, 0],
    [8, 0],
    [0, 8],
    [8, 9],
    [4, -8],
  ];
  return around(n, places, createRandom(seed, 0x626c6f));
}

/** Three blobs 1,000 standard deviations apart: nothing could be easier. */
export function farBlobs(n: number, seed: number): LabelledPoints {
  const places = [
    [0, 0],
    [1000, 0],
    [500, 866],
  ];
  return around(n, places, createRandom(seed, 0x666172));
}

/** Two interleaved half circles with a little noise. */
export function moons(n: number, seed: number): LabelledPoints {
  const random = createRandom(seed, 0x6d6f6f);
  const points = new Float32Array(n * 2);
  const truth = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const moon = i % 2;
    const angle = Math.PI * random.nextFloat();
    truth[i] = moon;
    points[2 * i] = (moon === 0 ? Math.cos(angle) : 1 - Math.cos(angle)) + 0.06 * random.nextNormal();
    points[2 * i + 1] = (moon === 0 ? Math.sin(angle) : 0.5 - Math.sin(angle)) + 0.06 * random.nextNormal();
  }
  return { n, d: 2, points, truth };
}

/** Round clusters of one width, a tenth of the points even fog: at many dimensions no box rules anything out. */
export function foggedClusters(n: number, d: number, seed: number): LabelledPoints {
  const random = createRandom(seed, 0x666f67);
  const c = 100;
  const centers = Float64Array.from({ length: c * d }, () => 10 * random.nextFloat());
  const points = new Float32Array(n * d);
  const truth = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    truth[i] = random.nextFloat() < 0.1 ? -1 : random.nextBelow(c);
    for (let x = 0; x < d; x++) {
      points[i * d + x] =
        truth[i] < 0 ? 10 * random.nextFloat() : centers[truth[i] * d + x] + random.nextNormal();
    }
  }
  return { n, d, points, truth };
}

/** The same points in more dimensions, lengths kept: what a layout of many dimensions looks like. */
export function turnedInto(set: LabelledPoints, d: number, seed: number): LabelledPoints {
  const random = createRandom(seed, 0x7475726e);
  // Random directions in many dimensions are nearly at right angles.
  const directions = normals(random, set.d * d).map((value) => value / Math.sqrt(d));
  const points = new Float32Array(set.n * d);
  for (let i = 0; i < set.n; i++) {
    for (let x = 0; x < d; x++) {
      let sum = 0;
      for (let y = 0; y < set.d; y++) sum += set.points[i * set.d + y] * directions[y * d + x];
      points[i * d + x] = sum;
    }
  }
  return { n: set.n, d, points, truth: set.truth };
}

/** Term counts of c classes: class i draws from all v terms by Zipf's law and often from some of its own. */
export function classCounts(
  { c, v, draws }: { c: number; v: number; draws: number },
  seed: number,
): { offsets: Int32Array; terms: Int32Array; values: Float64Array } {
  const random = createRandom(seed, 0x7a6970);
  const offsets = new Int32Array(c + 1);
  const terms: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < c; i++) {
    const counts = new Map<number, number>();
    for (let draw = 0; draw < draws; draw++) {
      // v^u is spread as 1 / rank.
      const rank = Math.min(v - 1, Math.floor(v ** random.nextFloat()) - 1);
      const term = random.nextFloat() < 0.3 ? (rank * 31 + i * 97) % v : rank;
      counts.set(term, (counts.get(term) ?? 0) + 1);
    }
    for (const [term, count] of counts) {
      terms.push(term);
      values.push(count);
    }
    offsets[i + 1] = terms.length;
  }
  return { offsets, terms: Int32Array.from(terms), values: Float64Array.from(values) };
}

function around(n: number, places: number[][], random: Random): LabelledPoints {
  const points = new Float32Array(n * 2);
  const truth = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    truth[i] = i % places.length;
    for (let x = 0; x < 2; x++) points[2 * i + x] = places[truth[i]][x] + random.nextNormal();
  }
  return { n, d: 2, points, truth };
}

function normals(random: Random, length: number): Float64Array {
  return Float64Array.from({ length }, () => random.nextNormal());
}

/** An index drawn by cumulative shares. */
function drawn(shares: Float64Array, random: Random): number {
  const at = random.nextFloat() * shares[shares.length - 1];
  let low = 0;
  let high = shares.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (shares[middle] > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
