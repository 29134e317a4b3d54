/**
 * Point sets made by formula, the same in test/oracle/umap.py: what the layouts of this project and of
 * umap-learn are compared on.
 */

import type { Metric } from '../../pipeline/math/distance.ts';
import { createRandom } from '../../pipeline/math/random.ts';

export interface PointSet {
  n: number;
  d: number;
  metric: Metric;
  /** Float32Array [n × d]. */
  vectors: Float32Array;
  /** Int32Array [n]: the group that each row was drawn from, where there are groups. */
  labels?: Int32Array;
}

const inTurn = (n: number, c: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i % c);

/** Ten round clouds, evenly filled. */
function clouds(): PointSet {
  const [n, d, c] = [600, 20, 10];
  const random = createRandom(11);
  const centers = Float64Array.from({ length: c * d }, () => 3 * random.nextNormal());
  const vectors = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    for (let x = 0; x < d; x++) vectors[i * d + x] = centers[(i % c) * d + x] + random.nextNormal();
  }
  return { n, d, metric: 'euclidean', vectors, labels: inTurn(n, c) };
}

/** A closed curve that winds through ten dimensions, with a little noise. */
function ring(): PointSet {
  const [n, d] = [800, 10];
  const random = createRandom(12);
  const vectors = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    const angle = 2 * Math.PI * random.nextFloat();
    for (let x = 0; x < d; x++) {
      vectors[i * d + x] = Math.cos(angle * (1 + Math.floor(x / 2)) + (x % 2) * (Math.PI / 2)) / (1 + x / 2);
      vectors[i * d + x] += 0.02 * random.nextNormal();
    }
  }
  return { n, d, metric: 'euclidean', vectors };
}

/** Directions of twelve topics in three families, each of its own density. */
function topics(): PointSet {
  const [n, d, c] = [1200, 30, 12];
  const random = createRandom(13);
  const families = Float64Array.from({ length: 3 * d }, () => random.nextNormal());
  const centers = new Float64Array(c * d);
  for (let t = 0; t < c; t++) {
    for (let x = 0; x < d; x++) centers[t * d + x] = families[(t % 3) * d + x] + 0.7 * random.nextNormal();
  }
  const vectors = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    const t = i % c;
    const width = 0.3 + 0.06 * t;
    for (let x = 0; x < d; x++) vectors[i * d + x] = centers[t * d + x] + width * random.nextNormal();
  }
  return { n, d, metric: 'cosine', vectors, labels: inTurn(n, c) };
}

/** Eight strands that wind through twelve dimensions and come near each other. */
function strands(): PointSet {
  const [n, d, c] = [800, 12, 8];
  const random = createRandom(16);
  const centers = Float64Array.from({ length: c * d }, () => random.nextNormal());
  const phases = Float64Array.from({ length: c * d }, () => 6 * random.nextFloat());
  const vectors = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    const strand = i % c;
    const along = 2 * random.nextFloat();
    for (let x = 0; x < d; x++) {
      const wave = Math.sin(along * (1 + (x % 3)) + phases[strand * d + x]);
      vectors[i * d + x] = 0.6 * centers[strand * d + x] + wave + 0.1 * random.nextNormal();
    }
  }
  return { n, d, metric: 'euclidean', vectors, labels: inTurn(n, c) };
}

/** Directions of twenty topics of unequal sizes and widths, with some rows between two topics. */
function papers(): PointSet {
  const [n, d, c] = [1000, 40, 20];
  const random = createRandom(17);
  const centers = Float64Array.from({ length: c * d }, () => random.nextNormal());
  const vectors = new Float32Array(n * d);
  const labels = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    // The square of an even draw: low topics are large.
    const topic = Math.floor(c * random.nextFloat() ** 2);
    const other = Math.floor(c * random.nextFloat());
    const mix = random.nextFloat() < 0.15 ? 0.4 : 0;
    labels[i] = topic;
    for (let x = 0; x < d; x++) {
      const center = (1 - mix) * centers[topic * d + x] + mix * centers[other * d + x];
      vectors[i * d + x] = center + (0.5 + 0.04 * topic) * random.nextNormal();
    }
  }
  return { n, d, metric: 'cosine', vectors, labels };
}

/** A cube without any structure. */
function cube(): PointSet {
  const [n, d] = [1000, 5];
  const random = createRandom(14);
  return {
    n,
    d,
    metric: 'euclidean',
    vectors: Float32Array.from({ length: n * d }, () => random.nextFloat()),
  };
}

/** Forty rows in two dimensions: small enough to write their whole graph down. */
function handful(): PointSet {
  const [n, d] = [40, 2];
  const random = createRandom(15);
  return {
    n,
    d,
    metric: 'euclidean',
    vectors: Float32Array.from({ length: n * d }, () => random.nextFloat()),
  };
}

export const pointSets = { clouds, ring, topics, strands, papers, cube, handful };
