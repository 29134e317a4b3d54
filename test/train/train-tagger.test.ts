import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Interrupted } from '../../pipeline/errors.ts';
import { createRandom } from '../../pipeline/math/random.ts';
import { bioLabels } from '../../pipeline/model/bio.ts';
import { createCrf } from '../../pipeline/model/crf.ts';
import { createTagger, openTagger } from '../../pipeline/model/tagger.ts';
import { createWordLookup } from '../../pipeline/model/word-features.ts';
import { writeWordVectors } from '../../pipeline/model/word-vectors.ts';
import { beliefsOf, ensembleScores } from '../../pipeline/train/distil.ts';
import {
  encodeSentences,
  joinSentences,
  labelIndices,
  scoreSpans,
  targetOf,
} from '../../pipeline/train/tagger-data.ts';
import {
  createTaggerParameters,
  type Parameters,
  type TaggerShape,
} from '../../pipeline/train/tagger-network.ts';
import { trainNer } from '../../pipeline/train/train-ner.ts';
import type { TrainedNetwork } from '../../pipeline/train/train-network.ts';
import {
  labelAll,
  openScorer,
  type TaggerTraining,
  trainTagger,
  withLabels,
} from '../../pipeline/train/train-tagger.ts';

const folder = mkdtempSync(join(tmpdir(), 'train-tagger-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A toy language: "use" and the noun phrase after it are a Method, a noun phrase after "for" is a Task. */
const fillers = ['we', 'the', 'results', 'are', 'shown', 'of', 'on'];
const nouns = ['parser', 'tagger', 'network', 'graph', 'translation', 'search'];
function toySentences(count: number, seed: number): { tokens: string[]; labels: string[] }[] {
  const random = createRandom(seed);
  const pick = (words: string[]) => words[random.nextBelow(words.length)];
  return Array.from({ length: count }, () => {
    const tokens: string[] = [];
    const labels: string[] = [];
    const say = (token: string, label: string) => {
      tokens.push(token);
      labels.push(label);
    };
    for (let part = 0; part < 3; part++) {
      say(pick(fillers), 'O');
      const type = random.nextBelow(3);
      if (type === 2) continue;
      say(type === 0 ? 'use' : 'for', 'O');
      say(pick(nouns), type === 0 ? 'B-Method' : 'B-Task');
      if (random.nextFloat() < 0.5) say(pick(nouns), type === 0 ? 'I-Method' : 'I-Task');
    }
    return { tokens, labels };
  });
}

const words = [...fillers, ...nouns.slice(0, 5), 'use', 'for'];
const d = 8;
const random = createRandom(1);
const table = { d, values: Float32Array.from({ length: words.length * d }, () => random.nextNormal()) };
const rows = new Map(words.map((word, row) => [word, row]));
const shape: TaggerShape = {
  wordDimensions: d,
  markBuckets: 64,
  markDimensions: 4,
  hidden: 16,
  dilations: [1, 2],
  outputs: 5,
  labels: bioLabels(['Method', 'Task']),
};
const lookup = createWordLookup(rows, words.length, shape.markBuckets);
const encode = (sentences: { tokens: string[]; labels: string[] }[]) =>
  encodeSentences(
    lookup,
    sentences.map(({ tokens }) => tokens),
    {
      kind: 'gold',
      labels: labelIndices(
        shape.labels,
        sentences.map(({ labels }) => labels),
      ),
    },
  );
const train = encode(toySentences(120, 2));
const dev = encode(toySentences(40, 3));
const run = (changes: Partial<TaggerTraining> = {}): TaggerTraining => ({
  shape,
  table,
  start: createTaggerParameters(shape, createRandom(4)),
  data: train,
  dev,
  options: {
    epochs: 6,
    patience: Number.POSITIVE_INFINITY,
    batchSentences: 4,
    rate: 1e-2,
    warmupSteps: 0,
    weightDecay: 0.01,
    inputDropout: 0.1,
    hiddenDropout: 0.1,
    wordDropout: 0.05,
    averageDecay: 0.9,
    seed: 5,
  },
  ...changes,
});
const bytes = (parameters: Parameters) =>
  Buffer.concat([...parameters.values()].map((values) => Buffer.from(values.buffer)));

describe('training', () => {
  let undisturbed: TrainedNetwork;
  beforeAll(async () => {
    undisturbed = await trainTagger(run());
  });

  it('learns a toy language', () => {
    expect(undisturbed.score).toBeGreaterThan(0.95);
  });

  it('gives equal bytes for equal seeds, other bytes for another', async () => {
    const again = await trainTagger(run());
    expect(bytes(again.parameters).equals(bytes(undisturbed.parameters))).toBe(true);
    const { options } = run();
    const other = await trainTagger(run({ options: { ...options, seed: 6 } }));
    expect(bytes(other.parameters).equals(bytes(undisturbed.parameters))).toBe(false);
  });

  it('resumed after an interruption within an epoch, gives the bytes of an undisturbed run', async () => {
    const checkpoint = join(folder, 'state.onnx');
    const stop = new AbortController();
    const stopped = trainTagger(
      run({
        checkpoint,
        signal: stop.signal,
        onProgress: ({ epoch, sentencesDone }) => {
          if (epoch === 3 && sentencesDone < 120) stop.abort();
        },
      }),
    );
    await expect(stopped).rejects.toThrow(Interrupted);
    const epochs: number[] = [];
    const resumed = await trainTagger(run({ checkpoint, onProgress: ({ epoch }) => epochs.push(epoch) }));
    expect(Math.min(...epochs)).toBe(3);
    expect(bytes(resumed.parameters).equals(bytes(undisturbed.parameters))).toBe(true);
    expect(resumed.score).toBe(undisturbed.score);
  });

  it('stops when the development score has not risen for so many epochs', async () => {
    const { options } = run();
    let last = 0;
    const { epoch } = await trainTagger(
      run({
        options: { ...options, epochs: 60, patience: 2 },
        onProgress: (progress) => (last = progress.epoch),
      }),
    );
    expect(last).toBe(epoch + 2);
    expect(last).toBeLessThan(60);
  });

  it('a student of the ensemble, given no gold label, tags like it', async () => {
    const scorer = await openScorer(shape, table);
    const unlabelled = encode(toySentences(150, 9));
    const scores = await ensembleScores(scorer, [undisturbed.parameters], unlabelled);
    unlabelled.labellings = [{ from: 0, labelling: beliefsOf(scores, shape.labels) }];
    const student = await trainTagger(
      run({ data: unlabelled, start: createTaggerParameters(shape, createRandom(8)) }),
    );
    const found = await labelAll(scorer, student.parameters, dev);
    await scorer.close();
    expect(scoreSpans(dev, found, shape.labels).f1).toBeGreaterThan(0.95);
  });

  it('training on with other labels keeps what the labels share', () => {
    const other = { ...shape, outputs: 5, labels: bioLabels(['Task', 'Metric']) };
    const moved = withLabels(
      undisturbed.parameters,
      shape,
      other,
      createTaggerParameters(other, createRandom(9)),
    );
    const [before, after] = [undisturbed.parameters, moved].map((from) => from.get('output.weight') ?? []);
    const task = (labels: string[]) => labels.indexOf('B-Task');
    for (let row = 0; row < shape.hidden; row++) {
      expect(after[row * 5 + task(other.labels)]).toBe(before[row * 5 + task(shape.labels)]);
    }
    const [oldSteps, newSteps] = [undisturbed.parameters, moved].map((from) => from.get('transitions') ?? []);
    expect(newSteps[1 * 5 + 2]).toBe(oldSteps[3 * 5 + 4]);
    expect(newSteps[5 * 5 + 5 + 1]).toBe(oldSteps[5 * 5 + 5 + 3]);
    expect(moved.get('input.weight')).toEqual(undisturbed.parameters.get('input.weight'));
  });
});

it('a set of gold labels and one of beliefs keep their own when joined', () => {
  const beliefs = encode(toySentences(2, 11));
  const scores = { emissions: new Float32Array(beliefs.words.length * 5), transitions: new Float32Array(35) };
  beliefs.labellings = [{ from: 0, labelling: beliefsOf(scores, shape.labels) }];
  const joined = joinSentences([train, beliefs, dev]);
  expect(joined.n).toBe(train.n + 2 + dev.n);
  const last = Int32Array.of(joined.n - 1);
  expect(targetOf(joined, last, 5)).toEqual(targetOf(dev, Int32Array.of(dev.n - 1), 5));
  const middle = targetOf(joined, Int32Array.of(train.n), 5);
  expect(middle).toEqual(targetOf(beliefs, Int32Array.of(0), 5));
  expect(middle.labels.every((value) => value < 1)).toBe(true);
});

describe('train ner', () => {
  const conll = (sentences: { tokens: string[]; labels: string[] }[]) =>
    `${sentences.map(({ tokens, labels }) => tokens.map((token, i) => `${token}\t${labels[i]}\n`).join('')).join('\n')}\n`;
  const vectors = join(folder, 'vectors.bin');
  const data = join(folder, 'data.conll');
  beforeAll(() => {
    writeWordVectors(vectors, { words, rows, ...table });
    writeFileSync(data, conll(toySentences(60, 20)));
  });

  it('writes a folder that tags, equal bytes for equal calls, and keeps no state', async () => {
    const make = (out: string) =>
      trainNer({ data, out, wordVectors: vectors, epochs: 6, card: { name: 'toy' } });
    const first = await make(join(folder, 'first'));
    const second = await make(join(folder, 'second'));
    expect(first.dev).toBeNull();
    const { readdirSync, readFileSync } = await import('node:fs');
    expect(readdirSync(first.folder)).toEqual(['card.json', 'config.json', 'model.onnx', 'vocab.txt']);
    for (const file of ['model.onnx', 'config.json', 'vocab.txt']) {
      expect(readFileSync(join(first.folder, file)).equals(readFileSync(join(second.folder, file)))).toBe(
        true,
      );
    }
    expect(readdirSync(folder).filter((name) => name.includes('training'))).toEqual([]);
    const tagger = await openTagger(first.folder);
    const [{ spans }] = await tagger.tag([['we', 'use', 'the', 'use', 'parser', 'for', 'search']]);
    await tagger.close();
    expect(spans.map(({ start, end, type }) => [start, end, type])).toEqual([
      [4, 5, 'Method'],
      [6, 7, 'Task'],
    ]);
  });

  it('goes from a first set, through an ensemble and texts without labels, to one tagger', async () => {
    const related = join(folder, 'related.conll');
    const texts = join(folder, 'texts.jsonl');
    const sentences = toySentences(80, 30).map(({ tokens }) => `${tokens.join(' ')} .`);
    writeFileSync(related, conll(toySentences(40, 31)));
    writeFileSync(
      texts,
      sentences.map((abstract) => JSON.stringify({ title: 'a parser for search', abstract })).join('\n'),
    );
    const steps = new Set<string>();
    const result = await trainNer({
      data,
      out: join(folder, 'distilled'),
      wordVectors: join(folder, 'first'),
      pretrain: related,
      ensemble: 2,
      unlabelled: [texts],
      unlabelledSentences: 60,
      maskedSentences: 50,
      epochs: 2,
      distilEpochs: 2,
      onProgress: ({ step }) => steps.add(step),
    });
    expect(result.ensemble).toHaveLength(2);
    expect([...steps]).toEqual([
      'reading',
      'pretraining',
      'training 1 of 2',
      'training 2 of 2',
      'distilling',
    ]);
  });

  it('refuses an ensemble without texts to distil it on, and absent vectors', async () => {
    const out = join(folder, 'refused');
    await expect(trainNer({ data, out, wordVectors: vectors, ensemble: 2 })).rejects.toThrow('--unlabelled');
    await expect(trainNer({ data, out, wordVectors: join(folder, 'none') })).rejects.toThrow('found nothing');
  });
});

it('cuts, joins and decodes around any source of scores', async () => {
  // Scores say B-Method for every "x", I-Method for every "y".
  const labels = shape.labels;
  let largest = 0;
  const tagger = createTagger(labels, createCrf(labels, new Float32Array(35)), {
    emissions: async (sentences) => {
      const tokens = sentences.flat();
      largest = Math.max(largest, tokens.length);
      return tokens.flatMap((token) =>
        labels.map((label) => (label === { x: 'B-Method', y: 'I-Method' }[token] ? 9 : 0)),
      );
    },
    close: async () => {},
  });
  const long = Array.from({ length: 20_000 }, (_, i) => ['x', 'y', 'a'][i % 3]);
  const [empty, one, many] = await tagger.tag([[], ['x', 'y', 'x'], long]);
  expect(empty).toEqual({ labels: [], spans: [] });
  expect(one.spans.map(({ start, end }) => [start, end])).toEqual([
    [0, 2],
    [2, 3],
  ]);
  expect(one.spans.every(({ score }) => score > 0.9 && score <= 1)).toBe(true);
  expect(many.labels).toHaveLength(20_000);
  expect(largest).toBeLessThanOrEqual(512);
  expect(await tagger.tag([])).toEqual([]);
});
