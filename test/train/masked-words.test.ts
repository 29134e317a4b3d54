import { expect, it } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import { marksPerWord } from '../../pipeline/model/word-features.ts';
import { maskedWords } from '../../pipeline/train/masked-words.ts';
import type { EncodedSentences } from '../../pipeline/train/tagger-data.ts';
import { createNetwork, type NetworkShape } from '../../pipeline/train/tagger-network.ts';
import { trainNetwork } from '../../pipeline/train/train-network.ts';

const random = createRandom(1);
const d = 8;
const v = 40;
const table = { d, values: Float32Array.from({ length: v * d }, () => random.nextNormal()) };

/** Each sentence counts up from a random word, so that neighbours tell a hidden word for certain. */
function counting(sentences: number): EncodedSentences {
  const length = 10;
  const words = new Int32Array(sentences * length);
  for (let s = 0; s < sentences; s++) {
    const start = random.nextBelow(v);
    for (let i = 0; i < length; i++) words[s * length + i] = (start + i) % v;
  }
  return {
    n: sentences,
    lengths: new Int32Array(sentences).fill(length),
    firsts: Int32Array.from({ length: sentences }, (_, s) => s * length),
    words,
    marks: new Int32Array(words.length * marksPerWord),
    labellings: [{ from: 0, labelling: { kind: 'gold', labels: new Uint8Array(0) } }],
  };
}

it('hides about 15 in 100 words, with their marks, and gives gradients there alone', async () => {
  const data = counting(100);
  const objective = await maskedWords(data, table);
  const rows = { lengths: data.lengths, words: data.words.slice(), marks: data.marks.slice() };
  objective.prepare?.(rows, createRandom(2));
  const hidden = [...rows.words.keys()].filter((i) => rows.words[i] === v);
  // Every word makes 2.5 in 100 here, so that all count as frequent: 0.15 · 0.3 of 1,000 are hidden.
  expect(hidden.length).toBeGreaterThan(20);
  expect(hidden.length).toBeLessThan(80);
  for (const i of rows.words.keys()) {
    expect(rows.marks[i * marksPerWord]).toBe(rows.words[i] === v ? -1 : 0);
  }
  const output = Float32Array.from({ length: 1000 * d }, () => random.nextNormal());
  const { loss, count, gradient } = await objective.evaluate(output, rows, new Int32Array(0), new Map());
  expect(count).toBe(hidden.length);
  for (let i = 0; i < 1000; i++) {
    const own = gradient.subarray(i * d, (i + 1) * d);
    expect(own.some((value) => value !== 0)).toBe(rows.words[i] === v);
  }
  // A step along the gradient changes the loss by as much as the gradient says.
  const length = gradient.reduce((sum, value) => sum + value * value, 0);
  const step = 1e-2;
  const moved = output.map((value, k) => value - step * gradient[k]);
  const after = await objective.evaluate(moved, rows, new Int32Array(0), new Map());
  expect((loss - after.loss) / (step * length)).toBeCloseTo(1, 1);
  await objective.close?.();
});

it('lets a network learn what its neighbours tell of a word', async () => {
  const data = counting(400);
  const shape: NetworkShape = {
    wordDimensions: d,
    markBuckets: 1,
    markDimensions: 2,
    hidden: 32,
    dilations: [1, 1],
    outputs: d,
  };
  const losses: number[] = [];
  await trainNetwork({
    shape,
    table,
    start: createNetwork(shape, createRandom(3)),
    data,
    objective: await maskedWords(data, table),
    options: {
      epochs: 12,
      patience: Number.POSITIVE_INFINITY,
      batchSentences: 20,
      rate: 1e-2,
      warmupSteps: 10,
      weightDecay: 0,
      inputDropout: 0,
      hiddenDropout: 0,
      wordDropout: 0,
      averageDecay: 0.9,
      seed: 4,
    },
    onProgress: ({ loss }) => losses.push(loss),
  });
  expect(losses[0]).toBeGreaterThan(2);
  expect(losses.at(-1)).toBeLessThan(0.7);
});
