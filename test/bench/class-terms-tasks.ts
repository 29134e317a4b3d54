/** What the bench of c-TF-IDF runs in processes of its own. */

import { readFileSync } from 'node:fs';
import { type ClassText, classTfIdf, countClassTerms } from '../../pipeline/library/class-terms.ts';
import { classCounts } from './synthetic-points.ts';
import { fingerprint, type Timing, timed } from './timing.ts';

export interface ClassTfIdfJob {
  c: number;
  v: number;
  /** Words per class. */
  draws: number;
  seed: number;
}

export async function classTfIdfTask({
  c,
  v,
  draws,
  seed,
}: ClassTfIdfJob): Promise<Timing & { entries: number; sha256: string }> {
  const counts = classCounts({ c, v, draws }, seed);
  const { value, timing } = await timed(() => classTfIdf(counts, { c, v }));
  return { ...timing, entries: counts.terms.length, sha256: fingerprint(value) };
}

export interface ClassTermsJob {
  /** JSON lines of `text` and `class`. */
  texts: string;
  c: number;
  /** Most words of a term. */
  words: number;
}

export interface ClassTermsResult extends Timing {
  v: number;
  entries: number;
  sha256: string;
}

export async function classTermsTask({ texts, c, words }: ClassTermsJob): Promise<ClassTermsResult> {
  const given = readFileSync(texts, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ClassText);
  const { value, timing } = await timed(async () => {
    const counts = await countClassTerms(given, { c, ngrams: [1, words] });
    const v = counts.vocabulary.length;
    return { v, weights: classTfIdf(counts, { c, v }) };
  });
  const { v, weights } = value;
  return { ...timing, v, entries: weights.length, sha256: fingerprint(weights) };
}
