/**
 * Word vectors by skip-gram with negative sampling (Mikolov et al. 2013), one thread, seeded: the same corpus
 * and seed give the same bytes on every machine. Handed token streams; reads and writes no file.
 */

import { pause } from '../math/pause.ts';
import { createRandom } from '../math/random.ts';
import { foldDigits, type WordVectors, wordKey } from '../model/word-vectors.ts';
import { createSkipGramKernel, MAX_ROWS } from './word-vectors-kernel.ts';

/** A corpus as numbers. */
export interface EncodedCorpus {
  /** v words, commonest first, equal counts in code-unit order. */
  words: string[];
  /** Float64Array [v], how often each occurs. */
  counts: Float64Array;
  /** Word rows, stream after stream, −1 between streams; words outside the vocabulary are left out. */
  ids: Int32Array;
}

export interface VocabularyOptions {
  /** Words seen less often are left out; rare words with digits are first counted together with the digits folded. */
  minCount: number;
  /** At most this many words are kept. */
  maxWords: number;
}

/** Collects token streams, one call per title or abstract, then numbers their words. */
export interface CorpusEncoder {
  add(tokens: readonly string[]): void;
  finish(options: VocabularyOptions): EncodedCorpus;
}

/** Four bytes per token are held until the end, beside one string per distinct word. */
export function createCorpusEncoder(): CorpusEncoder {
  const numbers = new Map<string, number>();
  let counts = new Float64Array(1 << 16);
  const blocks: Int32Array[] = [];
  let block = new Int32Array(BLOCK_SIZE);
  let used = 0;
  const push = (number: number): void => {
    if (used === BLOCK_SIZE) {
      blocks.push(block);
      block = new Int32Array(BLOCK_SIZE);
      used = 0;
    }
    block[used++] = number;
  };
  return {
    add(tokens) {
      for (const token of tokens) {
        const key = wordKey(token);
        let number = numbers.get(key);
        if (number === undefined) {
          number = numbers.size;
          numbers.set(key, number);
          if (number === counts.length) {
            const larger = new Float64Array(2 * counts.length);
            larger.set(counts);
            counts = larger;
          }
        }
        counts[number]++;
        push(number);
      }
      push(-1);
    },
    finish(options) {
      const { words, wordCounts, rowOf } = chooseVocabulary(numbers, counts, options);
      blocks.push(block.subarray(0, used));
      return { words, counts: wordCounts, ids: renumber(blocks, rowOf) };
    },
  };
}

const BLOCK_SIZE = 1 << 20;

function chooseVocabulary(
  numbers: ReadonlyMap<string, number>,
  counts: Float64Array,
  options: VocabularyOptions,
): { words: string[]; wordCounts: Float64Array; rowOf: Int32Array } {
  // A word too rare for a row of its own lends its count to the form with digits folded.
  const total = new Map<string, number>();
  for (const [key, number] of numbers) {
    const word = counts[number] >= options.minCount ? key : foldDigits(key);
    total.set(word, (total.get(word) ?? 0) + counts[number]);
  }
  const kept = [...total].filter(([, count]) => count >= options.minCount);
  kept.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  if (kept.length > options.maxWords) kept.length = options.maxWords;

  const rows = new Map(kept.map(([word], row) => [word, row]));
  const rowOf = new Int32Array(numbers.size);
  const wordCounts = new Float64Array(kept.length);
  for (const [key, number] of numbers) {
    const row = rows.get(key) ?? rows.get(foldDigits(key)) ?? -1;
    rowOf[number] = row;
    if (row >= 0) wordCounts[row] += counts[number];
  }
  return { words: kept.map(([word]) => word), wordCounts, rowOf };
}

/** Provisional numbers to rows; words without a row drop out, the −1 between streams stay. */
function renumber(blocks: readonly Int32Array[], rowOf: Int32Array): Int32Array {
  let size = 0;
  for (const block of blocks) for (const number of block) if (number < 0 || rowOf[number] >= 0) size++;
  const ids = new Int32Array(size);
  let at = 0;
  for (const block of blocks) {
    for (const number of block) {
      if (number < 0) ids[at++] = -1;
      else if (rowOf[number] >= 0) ids[at++] = rowOf[number];
    }
  }
  return ids;
}

// ---------------------------------------------------------------------------------------------

export interface SkipGramOptions {
  /** d, a multiple of 16. */
  dimensions: number;
  /** Passes over the corpus. */
  passes: number;
  seed: number;
  /** Words on either side at most; each position draws its own reach from 1 up to this. */
  window?: number;
  /** Wrong words per right one; shared by the contexts of one position. */
  negatives?: number;
  /** Words with a larger share of the corpus are thinned out; smaller is faster and favours rare words. */
  subsampling?: number;
  /** First step size, falling to a thousandth of it in a straight line. */
  learningRate?: number;
  /** Called about every 100,000 words. */
  onProgress?: (wordsDone: number, wordsTotal: number) => void;
  signal?: AbortSignal;
}

/** Longer streams are trained on piece by piece. */
const MAX_STREAM = 4096;
const NEGATIVE_TABLE_BITS = 22;
const PROGRESS_WORDS = 100_000;

/**
 * Trains vectors for every word of an encoded corpus.
 *
 * Differs from the paper: the negatives are drawn once per position and shared by its contexts, as in
 * Ji et al. 2016 (arXiv:1604.04661), which saves most of the memory traffic and costs no quality.
 *
 * @throws RangeError when dimensions is no multiple of 16 or window or negatives are beyond the kernel's lists;
 *   Interrupted when the signal is raised.
 */
export async function trainWordVectors(
  corpus: EncodedCorpus,
  options: SkipGramOptions,
): Promise<WordVectors> {
  const { words, counts, ids } = corpus;
  const { dimensions: d, passes, seed } = options;
  const window = options.window ?? 5;
  const negatives = options.negatives ?? 5;
  const learningRate = options.learningRate ?? 0.025;
  if (2 * window > MAX_ROWS || negatives + 1 > MAX_ROWS) {
    throw new RangeError(`Expected window up to ${MAX_ROWS / 2} and negatives up to ${MAX_ROWS - 1}.`);
  }
  const kernel = createSkipGramKernel(words.length, d);
  const { contexts, targets } = kernel;
  const initial = createRandom(seed);
  for (let i = 0; i < kernel.input.length; i++) kernel.input[i] = (initial.nextFloat() - 0.5) / d;

  const keep = keepThresholds(counts, options.subsampling ?? 1e-4);
  const negativeTable = buildNegativeTable(counts);
  const negativeShift = 32 - NEGATIVE_TABLE_BITS;
  const wordsTotal = passes * countWords(ids);
  const stream = new Int32Array(MAX_STREAM);
  let wordsDone = 0;
  let nextReport = PROGRESS_WORDS;

  for (let pass = 0; pass < passes; pass++) {
    const random = createRandom(seed, pass + 1);
    let at = 0;
    while (at < ids.length) {
      // Thin out the next stream.
      let size = 0;
      let read = 0;
      while (at < ids.length && read < MAX_STREAM) {
        const id = ids[at++];
        if (id < 0) break;
        read++;
        if (keep[id] === KEEP_ALWAYS || random.nextUint32() < keep[id]) stream[size++] = id;
      }
      wordsDone += read;
      const rate = learningRate * Math.max(1e-3, 1 - wordsDone / (wordsTotal + 1));

      // Each word is predicted from the words around it.
      for (let i = 0; i < size; i++) {
        const reach = 1 + (random.nextUint32() % window);
        const from = Math.max(0, i - reach);
        const to = Math.min(size - 1, i + reach);
        let contextCount = 0;
        for (let j = from; j <= to; j++) if (j !== i) contexts[contextCount++] = stream[j];
        if (contextCount === 0) continue;
        const word = stream[i];
        targets[0] = word;
        let targetCount = 1;
        for (let k = 0; k < negatives; k++) {
          const wrong = negativeTable[random.nextUint32() >>> negativeShift];
          if (wrong !== word) targets[targetCount++] = wrong;
        }
        kernel.step(contextCount, targetCount, rate);
      }
      if (wordsDone >= nextReport) {
        options.onProgress?.(wordsDone, wordsTotal);
        await pause(options.signal);
        nextReport = wordsDone + PROGRESS_WORDS;
      }
    }
  }
  options.onProgress?.(wordsDone, wordsTotal);
  const rows = new Map(words.map((word, row) => [word, row]));
  return { words, rows, d, values: kernel.input.slice() };
}

const KEEP_ALWAYS = 0xffffffff;

/** A word stays when a random 32-bit number lies below its threshold; formula of the original program. */
function keepThresholds(counts: Float64Array, subsampling: number): Uint32Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Uint32Array.from(counts, (count) => {
    const ratio = (subsampling * total) / Math.max(1, count);
    return Math.min(1, Math.sqrt(ratio) + ratio) * KEEP_ALWAYS;
  });
}

/** Words in proportion to count^0.75, laid out so that a random cell is a random word. */
function buildNegativeTable(counts: Float64Array): Int32Array {
  const size = 1 << NEGATIVE_TABLE_BITS;
  const table = new Int32Array(size);
  let total = 0;
  for (const count of counts) total += count ** 0.75;
  let cell = 0;
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    sum += counts[i] ** 0.75 / total;
    const end = i === counts.length - 1 ? size : Math.min(size, Math.round(sum * size));
    while (cell < end) table[cell++] = i;
  }
  return table;
}

function countWords(ids: Int32Array): number {
  let n = 0;
  for (const id of ids) if (id >= 0) n++;
  return n;
}
