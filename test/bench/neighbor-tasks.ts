/** What the bench of nearest neighbours runs in processes of its own. */

import { openEncoder } from '../../pipeline/model/document-encoder.ts';
import { nearestNeighbors, type SearchChoice } from '../../pipeline/model/neighbor-search.ts';
import { resolveModel } from '../../pipeline/model/reference.ts';
import { readFloats, writeNumbers } from './float-file.ts';
import { readPapers } from './papers.ts';
import { fingerprint, type Timing, timed } from './timing.ts';

export interface NeighborsJob {
  /** Raw float32 [n × d]. */
  points: string;
  n: number;
  d: number;
  k: number;
  threads: number;
  search: SearchChoice;
  seed: number;
  /** Where the neighbours go, int32 [n × k]. */
  indices: string;
}

export interface NeighborsResult {
  search: Timing;
  sha256: string;
}

export async function neighborsTask(job: NeighborsJob): Promise<NeighborsResult> {
  const { n, d, k, threads, search, seed } = job;
  const vectors = readFloats(job.points);
  const options = { n, d, k, metric: 'cosine', threads, search, seed } as const;
  const { value, timing } = await timed(() => nearestNeighbors(vectors, options));
  writeNumbers(job.indices, value.indices);
  return { search: timing, sha256: fingerprint(value.indices, value.distances) };
}

export interface VectorsJob {
  /** JSON lines of papers, how many stand in it, and how many of them to take. */
  corpus: string;
  papers: number;
  n: number;
  model: string;
  /** Where the vectors go, float32 [n × d]. */
  points: string;
}

/** Encodes papers; those without a known word have no direction and are given another's. */
export async function vectorsTask({ corpus, papers, n, model, points }: VectorsJob): Promise<{ d: number }> {
  const { title, abstract } = await readPapers(corpus, papers, n);
  const { folder } = resolveModel(model, process.cwd());
  const encoder = await openEncoder(folder);
  const vectors = await encoder.encode(title.map((text, i) => ({ title: text, abstract: abstract[i] })));
  const d = encoder.dimensions;
  await encoder.close();
  for (let i = 1; i < n; i++) {
    if (vectors.subarray(i * d, (i + 1) * d).every((value) => value === 0)) {
      vectors.copyWithin(i * d, (i - 1) * d, i * d);
    }
  }
  writeNumbers(points, vectors);
  return { d };
}
