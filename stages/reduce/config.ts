/** The settings of the reduce stage; names and meanings are those of umap-learn. */

import { z } from 'zod';
import type { Section } from '../../pipeline/contract.ts';

const reduceSchema = z
  .strictObject({
    layout: z
      .enum(['umap', 'spectral'])
      .default('umap')
      .describe(
        'What clustering works on: umap, where documents stay from night to night until an announced rebuild, or ' +
          'spectral, slow vectors of the same neighbour graph that follow it a little each night: fewer topics, more ' +
          'outliers. The map is laid out by UMAP either way.',
      ),
    n_neighbors: z
      .int()
      .min(2)
      .max(200)
      .default(15)
      .describe(
        'Documents that make up a neighbourhood, the document itself included; a whole number from 2 to 200. ' +
          'More give a coarser picture.',
      ),
    n_components: z
      .int()
      .min(2)
      .max(100)
      .default(5)
      .describe('Numbers per document that clustering works on; a whole number from 2 to 100.'),
    min_dist: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('How close documents may come for clustering, from 0 (dense clusters) to 1 (spread evenly).'),
    map_min_dist: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe('The same for the 2-d map, from 0 to 1: larger values leave more room between its points.'),
    metric: z
      .enum(['cosine', 'euclidean'])
      .default('cosine')
      .describe('How far apart two document vectors are: cosine (by direction) or euclidean.'),
    neighbors: z
      .enum(['auto', 'exact', 'approximate'])
      .default('auto')
      .describe(
        'How the neighbours of a document are found: exact (all pairs of documents), approximate (about 98 of 100, in ' +
          'far less time when there are many), or auto: exact up to 12,000 documents, approximate beyond.',
      ),
    epochs: z
      .int()
      .min(10)
      .max(10_000)
      .optional()
      .describe(
        'Rounds of the layout, from 10 to 10000. Left out: 500 for up to 10,000 documents, 200 for more.',
      ),
    tries: z
      .int()
      .min(1)
      .max(100)
      .default(4)
      .describe(
        'Layouts that are made where documents are placed anew, of which the one with the best groups is kept for the nights ' +
          'to come; a whole number from 1 to 100. With run.refresh: refit, 1 saves time.',
      ),
    fit_sample: z
      .int()
      .min(1000)
      .optional()
      .describe(
        'Fit on this many documents, drawn by the seed from all kinds of them alike, and place all others among them; a whole number from ' +
          '1000 up. Left out: fit on all. For corpora beyond what one machine can hold or lay out.',
      ),
  })
  .refine(({ layout, fit_sample }) => layout === 'umap' || fit_sample === undefined, {
    path: ['fit_sample'],
    message:
      'nothing beside layout: spectral, whose slow vectors are those of all documents; leave it out, or set layout: umap',
  });

export type ReduceConfig = z.output<typeof reduceSchema>;

export const section: Section<ReduceConfig> = { schema: reduceSchema };
