/**
 * Kernels on vectors of real papers and on synthetic points, each in a process of its own, beside the packages that do
 * the same: umap-js and hdbscan-ts always, Python's where a Python has them. All read the same file of points.
 */

import type { Bench } from './bench.ts';
import { benchClassTerms } from './class-terms.ts';
import { benchClusters } from './clusters.ts';
import { benchNeighbors } from './neighbors.ts';
import { benchUmap } from './umap.ts';

const umapSizes = [2_000, 10_000, 20_000, 50_000];

export const kernelsBench: Bench = {
  name: 'kernels',
  about: 'nearest neighbours and UMAP of papers, HDBSCAN and c-TF-IDF, beside other packages',
  async run(options, print) {
    await benchNeighbors(options, print);
    await benchUmap(options, options.sizes ?? umapSizes, print);
    await benchClusters(options, print);
    await benchClassTerms(options, print);
  },
};
