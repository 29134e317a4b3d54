/** What the bench of sampled layouts runs in processes of its own. */

import type { Job } from '../../pipeline/contract.ts';
import { hdbscanWithPauses } from '../../pipeline/math/hdbscan.ts';
import { type ReduceConfig, section } from '../../stages/reduce/config.ts';
import { stage } from '../../stages/reduce/stage.ts';
import { matrixRows } from '../matrix-rows.ts';
import { readFloats, writeNumbers } from './float-file.ts';
import { type Timing, timed } from './timing.ts';

export interface SampledJob {
  /** Raw float32 [n × d]. */
  points: string;
  n: number;
  d: number;
  /** Documents the layout is fitted on; null for all. */
  fitSample: number | null;
  seed: number;
  threads: number;
  minClusterSize: number;
  minSamples: number;
  /** Where the clusters go, int32 [n]. */
  labels: string;
}

export interface SampledResult {
  reduce: Timing;
  cluster: Timing;
  clusters: number;
  noise: number;
}

/** Reduces as the stage does, by its defaults but for the sample and a single layout, and clusters. */
export async function sampledTask(job: SampledJob): Promise<SampledResult> {
  const { n, d, seed, threads } = job;
  const values = readFloats(job.points);
  const ids = Array.from({ length: n }, (_, i) => `document-${i}`);
  const reduced = await timed(() => stage.run(matrixRows({ n, d, values }), ids, null, '', jobOf(job)));
  const found = await timed(() =>
    hdbscanWithPauses(reduced.value.reduced.values, {
      n,
      d: reduced.value.reduced.d,
      minClusterSize: job.minClusterSize,
      minSamples: job.minSamples,
    }),
  );
  const { labels } = found.value;
  writeNumbers(job.labels, labels);
  return {
    reduce: reduced.timing,
    cluster: found.timing,
    clusters: labels.reduce((most, label) => Math.max(most, label), -1) + 1,
    noise: labels.filter((label) => label < 0).length / labels.length,
  };

  function jobOf({ fitSample }: SampledJob): Job<ReduceConfig> {
    return {
      config: section.schema.parse({ tries: 1, ...(fitSample === null ? {} : { fit_sample: fitSample }) }),
      seed,
      threads,
      baseFolder: process.cwd(),
      model: () => {
        throw new Error('reduce asks for no model');
      },
      signal: new AbortController().signal,
      progress: () => {},
      notice: () => {},
    };
  }
}
