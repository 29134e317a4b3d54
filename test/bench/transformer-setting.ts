/** What the parts of the transformers bench share: the models made for it, and how figures are taken from repeats. */

import type { BenchOptions } from './bench.ts';
import type { Precision } from './matrix-peak.ts';
import { bertBase } from './random-bert.ts';
import { median, type Timing } from './timing.ts';
import type { PapersJob } from './transformer-tasks.ts';

export interface Models {
  encoders: { precision: Precision; folder: string }[];
  /** Of int8. */
  tagger: string | null;
}

export interface Setting {
  /** Folder of the encoder before conversion. */
  checkpoint: string;
  models: Models;
  /** A folder for files that pass between processes. */
  scratch: string;
  options: BenchOptions;
  print(line: string): void;
}

export const precisions: readonly Precision[] = ['fp32', 'int8'];
/** Times that each rate is measured. */
export const repeats = 5;
/** Tokens of a title with its abstract; what PyTorch is compared at. */
export const abstractLength = 192;

/** All models of the bench have one vocabulary. */
export function papersJob(model: string, threads: number, { seed }: BenchOptions): PapersJob {
  return { model, vocabulary: bertBase.vocabulary, seed, threads };
}

/** @returns `n`, or less where --n says so. */
export const atMost = (n: number, { sizes }: BenchOptions): number =>
  sizes === null ? n : Math.min(n, sizes[0]);

export const megabytes = (bytes: number): number => Math.round(bytes / 1e6);

export function perSecond(
  count: number,
  timings: readonly Timing[],
  clock: keyof Timing,
): { median: number; best: number } {
  const rates = timings.map((timing) => count / timing[clock]);
  return { median: median(rates), best: Math.max(...rates) };
}
