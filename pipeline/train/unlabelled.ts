/** Sentences of titles and abstracts that nobody labelled: a seeded sample of the documents of JSONL files. */

import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { UserError } from '../errors.ts';
import { createRandom } from '../math/random.ts';
import { splitSentences } from '../model/sentences.ts';
import { tokenize, tokenTexts } from '../model/words.ts';

/** Shorter sentences are headings and scraps; longer ones tables and formulas. */
const fewestTokens = 4;
const mostTokens = 100;

/**
 * Draws documents from all files alike, every document with equal chance within its file, and returns
 * `sentences` of their sentences, an equal share from each file, in file order.
 *
 * @param paths JSONL files with `title` and `abstract`, plain or gzip; read as streams.
 */
export async function sampleSentences(
  paths: readonly string[],
  sentences: number,
  seed: number,
): Promise<string[][]> {
  const chosen: string[][] = [];
  for (const [i, path] of paths.entries()) {
    const wanted =
      Math.floor((sentences * (i + 1)) / paths.length) - Math.floor((sentences * i) / paths.length);
    const found: string[][] = [];
    // Hardly a document has fewer than two sentences; those drawn in excess are left over.
    for (const text of await sampleTexts(path, Math.ceil(wanted / 2), seed)) {
      if (found.length >= wanted) break;
      found.push(...sentencesOf(text));
    }
    chosen.push(...found.slice(0, wanted));
  }
  return chosen;
}

/** Reservoir sampling (Vitter 1985, algorithm R), then the sample in random order. */
async function sampleTexts(path: string, count: number, seed: number): Promise<string[]> {
  if (!existsSync(path)) throw new UserError(`train: expected unlabelled texts at ${path}, found no file.`);
  const random = createRandom(seed, 0, 3);
  const sample: string[] = [];
  const file = createReadStream(path);
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  let seen = 0;
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (line.trim() === '') continue;
    const text = textOf(line, path, number);
    const place = seen < count ? seen : random.nextBelow(seen + 1);
    if (place < count) sample[place] = text;
    seen++;
  }
  for (let i = sample.length - 1; i > 0; i--) {
    const j = random.nextBelow(i + 1);
    [sample[i], sample[j]] = [sample[j], sample[i]];
  }
  return sample;
}

function textOf(line: string, path: string, number: number): string {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (cause) {
    throw new UserError(`train: expected one JSON object per line in ${path}, line ${number} is none.`, {
      cause,
    });
  }
  const part = (name: string): string => {
    const value = (record as Record<string, unknown> | null)?.[name];
    return typeof value === 'string' ? value : '';
  };
  // An empty line between title and abstract ends a sentence.
  return `${part('title')}\n\n${part('abstract')}`;
}

function sentencesOf(text: string): string[][] {
  const words = tokenize(text);
  const tokens = tokenTexts(text, words);
  const split = splitSentences(text, words);
  return Array.from({ length: split.n }, (_, s) => tokens.slice(split.firsts[s], split.firsts[s + 1])).filter(
    (sentence) => sentence.length >= fewestTokens && sentence.length <= mostTokens,
  );
}
