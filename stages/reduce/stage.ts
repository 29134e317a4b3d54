/** Reduce: a few numbers per document to cluster by, and a place on the 2-d map, from one neighbour graph. */

import type { Reduced, ReduceStage } from '../../pipeline/contract.ts';
import { LEAST_ROWS } from '../../pipeline/math/umap.ts';
import { type ReduceConfig, section } from './config.ts';
import { splitDocuments } from './fit-sample.ts';
import { whyRebuild } from './keep-layout.ts';
import { fitLayouts, type Layouts, type Parts, placeOthers } from './layouts.ts';
import { LEAST_SPECTRAL, spectralNight } from './spectral-night.ts';
import { takeIn } from './take-in.ts';
import { usableRows, usableVectors } from './usable-vectors.ts';

/** Where the fit ends when the other documents are placed after it, as a share of the stage's time. */
const FIT_SHARE = 0.4;

export const stage: ReduceStage<ReduceConfig> = {
  name: 'reduce',
  version: 3,
  section,
  seeded: true,
  async run(vectors, documentIds, kept, cannotKeep, job): Promise<Reduced> {
    const { n, d } = vectors;
    const { n_neighbors, n_components, fit_sample } = job.config;
    if (n > 0 && n < LEAST_ROWS) {
      job.notice(
        `reduce: ${n} documents are too few for a neighbour graph (at least ${LEAST_ROWS}); they were placed ` +
          'by principal components.',
      );
    } else if (n > 0 && n < n_neighbors) {
      job.notice(`reduce: n_neighbors is ${n_neighbors}, but there are ${n} documents; ${n} was used.`);
    }
    // Each part counts its own things; told together as documents.
    const parts: Parts = (from, to) => (done, total) =>
      job.progress(Math.floor(n * (from + ((to - from) * done) / total)), n);

    const isSpectral = job.config.layout === 'spectral' && n >= LEAST_SPECTRAL;
    if (job.config.layout === 'spectral' && !isSpectral) {
      job.notice(`reduce: ${n} documents are too few for slow vectors (${LEAST_SPECTRAL}); UMAP was used.`);
    }
    const fits = kept === null || isSpectral || kept.positions.reduced.d === n_components;
    const changed = fits ? cannotKeep : 'too few documents are left for slow vectors';
    const why = kept === null || !fits ? changed : whyRebuild(kept, n, isSpectral);
    if (why !== '') job.notice(`reduce: all documents were placed anew: ${why}.`);
    const standing = why === '' ? kept : null;
    const all = () => ({ n, d, values: usableVectors(vectors.all(), documentIds, job) });
    if (isSpectral) return spectralNight(all(), standing, why, job);
    if (standing !== null) return takeIn(all(), standing, job);

    let layouts: Layouts;
    if (fit_sample === undefined || n <= fit_sample) {
      layouts = await fitLayouts({ n, d, vectors: all().values }, job, parts);
    } else {
      const rows = usableRows(vectors, documentIds, job);
      const split = splitDocuments(rows, documentIds, fit_sample, job.seed);
      rows.tellOfZeros();
      const sample = { n: split.fitted.length, d, vectors: rows.read(split.fitted) };
      const fitted = await fitLayouts(sample, job, (from, to) => parts(from * FIT_SHARE, to * FIT_SHARE));
      layouts = await placeOthers(rows, split, fitted, job, (from, to) =>
        parts(FIT_SHARE + from * (1 - FIT_SHARE), FIT_SHARE + to * (1 - FIT_SHARE)),
      );
    }
    job.progress(n, n);

    const { reduced, map } = layouts;
    return {
      x: Float32Array.from({ length: n }, (_, i) => map[2 * i]),
      y: Float32Array.from({ length: n }, (_, i) => map[2 * i + 1]),
      reduced: { n, d: n_components, values: reduced },
      late: new Uint8Array(n),
      fitted: n,
      rebuilt: why,
    };
  },
};
