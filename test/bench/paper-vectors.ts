/** Vectors of real papers, by the shipped embedder, as points for kernels. */

import type { BenchOptions } from './bench.ts';
import { writeNumbers } from './float-file.ts';
import { runTask } from './measured-process.ts';
import { countPapers } from './papers.ts';
import { documentVectors } from './synthetic-points.ts';

const model = 'builtin:static';

/** Vectors of the first corpus that has so many papers; of none, synthetic ones. */
export async function writePaperVectors(
  { corpora, d, seed }: BenchOptions,
  n: number,
  points: string,
  print: (line: string) => void,
): Promise<{ of: string; d: number }> {
  for (const [of, corpus] of Object.entries(corpora)) {
    const papers = await countPapers(corpus);
    if (papers === null || papers < n) continue;
    const written = await runTask<{ d: number }>('vectors', { corpus, papers, n, model, points });
    return { of, d: written.result.d };
  }
  print(`No corpus of ${n} papers; synthetic vectors stand in.`);
  writeNumbers(points, documentVectors(n, d, seed).points);
  return { of: 'synthetic', d };
}
