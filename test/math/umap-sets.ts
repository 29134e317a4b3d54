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
}

/** Ten round clouds, evenly filled. */
function clouds(): PointSet {
  const [n, d, c] = [600, 20, 10];
  const random = createRandom(11);
  const centers = Float64Array.from({ length: c * d }, () => 3 * random.nextNormal());
  const vectors = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    for (let x = 0; x < d; x++) vectors[i * d + x] = centers[(i % c) * d + x] + random.nextNormal();
  }
  return { n, d, metric: 'euclidean', vectors };
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
  return { n, d, metric: 'cosine', vectors };
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

export const pointSets = { clouds, ring, topics, cube, handful };
