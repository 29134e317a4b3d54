import { describe, expect, it } from 'vitest';
import { Interrupted } from '../../pipeline/errors.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import {
  createCorpusEncoder,
  type EncodedCorpus,
  trainWordVectors,
} from '../../pipeline/train/word-vectors.ts';
import { createSkipGramKernel } from '../../pipeline/train/word-vectors-kernel.ts';

describe('createCorpusEncoder', () => {
  it('numbers words by count, then code unit, and parts streams by −1', () => {
    const encoder = createCorpusEncoder();
    encoder.add(['The', 'cat', 'the', 'dog']);
    encoder.add(['cat', 'rare', '1999', '2001']);
    const { words, counts, ids } = encoder.finish({ minCount: 1, maxWords: 100 });
    expect(words).toEqual(['0000', 'cat', 'the', 'dog', 'rare']);
    expect(Array.from(counts)).toEqual([2, 2, 2, 1, 1]);
    expect(Array.from(ids)).toEqual([2, 1, 2, 3, -1, 1, 4, 0, 0, -1]);
  });

  it('leaves rare words out but counts those with digits together', () => {
    const encoder = createCorpusEncoder();
    encoder.add(['il-1', 'il-2', 'gene', 'gene', 'once']);
    const { words, ids } = encoder.finish({ minCount: 2, maxWords: 100 });
    expect(words).toEqual(['gene', 'il-0']);
    expect(Array.from(ids)).toEqual([1, 1, 0, 0, -1]);
  });

  it('keeps at most maxWords words', () => {
    const encoder = createCorpusEncoder();
    encoder.add(['a', 'a', 'b', 'b', 'c']);
    expect(encoder.finish({ minCount: 1, maxWords: 2 }).words).toEqual(['a', 'b']);
  });
});

/** Two worlds of words that never meet. */
function twoWorlds(): EncodedCorpus {
  const random = createRandom(3);
  const encoder = createCorpusEncoder();
  for (let i = 0; i < 3000; i++) {
    const world = i % 2 === 0 ? 'left' : 'right';
    encoder.add(Array.from({ length: 12 }, () => `${world}${'abcdefgh'[random.nextBelow(8)]}`));
  }
  return encoder.finish({ minCount: 1, maxWords: 100 });
}

describe('trainWordVectors', () => {
  const options = { dimensions: 32, passes: 3, seed: 5, subsampling: 1 };

  it('puts words that share contexts nearer than words that do not', async () => {
    const { words, values, d } = await trainWordVectors(twoWorlds(), options);
    const cosine = (i: number, j: number): number => {
      let [dot, a, b] = [0, 0, 0];
      for (let k = 0; k < d; k++) {
        dot += values[i * d + k] * values[j * d + k];
        a += values[i * d + k] ** 2;
        b += values[j * d + k] ** 2;
      }
      return dot / Math.sqrt(a * b);
    };
    let lowestInside = 1;
    let highestAcross = -1;
    for (let i = 0; i < words.length; i++) {
      for (let j = 0; j < i; j++) {
        if (words[i][0] === words[j][0]) lowestInside = Math.min(lowestInside, cosine(i, j));
        else highestAcross = Math.max(highestAcross, cosine(i, j));
      }
    }
    expect(lowestInside).toBeGreaterThan(highestAcross + 0.3);
  });

  it('gives equal bytes for equal seeds and others for another', async () => {
    const corpus = twoWorlds();
    const first = (await trainWordVectors(corpus, options)).values;
    expect((await trainWordVectors(corpus, options)).values).toEqual(first);
    expect((await trainWordVectors(corpus, { ...options, seed: 6 })).values).not.toEqual(first);
  });

  it('reports every word of every pass, and stops when asked to', async () => {
    const corpus = twoWorlds();
    let last = [0, 0];
    await trainWordVectors(corpus, { ...options, onProgress: (done, total) => (last = [done, total]) });
    expect(last).toEqual([3 * 36_000, 3 * 36_000]);
    const signal = AbortSignal.abort();
    await expect(trainWordVectors(corpus, { ...options, signal })).rejects.toThrow(Interrupted);
  });

  it('refuses dimensions that do not fill the registers', async () => {
    await expect(trainWordVectors(twoWorlds(), { ...options, dimensions: 100 })).rejects.toThrow(RangeError);
  });
});

describe('createSkipGramKernel', () => {
  it('makes the step that plain float64 code makes', () => {
    const d = 48;
    const kernel = createSkipGramKernel(9, d);
    const random = createRandom(1);
    for (let i = 0; i < 9 * d; i++) {
      kernel.input[i] = random.nextFloat() - 0.5;
      kernel.output[i] = random.nextFloat() - 0.5;
    }
    const input = Float64Array.from(kernel.input);
    const output = Float64Array.from(kernel.output);
    const contexts = [1, 3, 8];
    const targets = [4, 0, 7, 2];
    kernel.contexts.set(contexts);
    kernel.targets.set(targets);
    kernel.step(contexts.length, targets.length, 0.1);

    for (const context of contexts) {
      const gradient = new Float64Array(d);
      targets.forEach((target, i) => {
        let sum = 0;
        for (let k = 0; k < d; k++) sum += input[context * d + k] * output[target * d + k];
        const error = ((i === 0 ? 1 : 0) - 1 / (1 + Math.exp(-sum))) * 0.1;
        for (let k = 0; k < d; k++) {
          gradient[k] += error * output[target * d + k];
          output[target * d + k] += error * input[context * d + k];
        }
      });
      for (let k = 0; k < d; k++) input[context * d + k] += gradient[k];
    }
    // The sigmoid comes from a table of 1,024 cells.
    for (let i = 0; i < 9 * d; i++) {
      expect(Math.abs(kernel.input[i] - input[i])).toBeLessThan(2e-4);
      expect(Math.abs(kernel.output[i] - output[i])).toBeLessThan(2e-4);
    }
  });
});
