/**
 * Trains one tagger network: batches, loss, optimizer, checks on a development set, checkpoints. Data arrive
 * encoded (tagger-data.ts); what is trained on what, and in which order, is train-ner.ts's affair.
 */

import { Interrupted } from '../errors.ts';
import { createRandom, type Random } from '../math/random.ts';
import { bestLabels, createCrf } from '../model/crf.ts';
import { openSession, type Session, type TensorValue } from '../model/session.ts';
import { windowIndices } from '../model/window.ts';
import { marksPerWord } from '../model/word-features.ts';
import { type AdamWStep, adamW, adamWRows, clippingScale, createTrained, type Trained } from './adamw.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { crfLoss } from './crf.ts';
import { type EncodedSentences, type SpanScores, scoreSpans, targetOf } from './tagger-data.ts';
import {
  emissionsOutput,
  marksInput,
  maskInputs,
  neighboursInput,
  outsideGraphs,
  type Parameters,
  parameterDims,
  type TaggerShape,
  taggerGraphs,
  wordsInput,
} from './tagger-network.ts';
import { gradientName } from './training-graph.ts';

/** Word vectors as the network is fed them: float32 [v × d]; a row number of v or more reads zeros. */
export interface WordTable {
  d: number;
  values: Float32Array;
}

export interface TrainingOptions {
  /** Passes over the training sentences. */
  epochs: number;
  /** Epochs without a better development F1 before training stops; Infinity trains all epochs. */
  patience: number;
  batchSentences: number;
  /** Learning rate of the first step; falls linearly to zero over all epochs. */
  rate: number;
  weightDecay: number;
  /** Share of channels zeroed, per place. */
  inputDropout: number;
  hiddenDropout: number;
  /** Share of word vectors zeroed as a whole, so that spelling and context learn to do without. */
  wordDropout: number;
  /** Share of the running average that stays in a step. */
  averageDecay: number;
  seed: number;
}

export interface TrainingProgress {
  epoch: number;
  epochs: number;
  sentencesDone: number;
  sentences: number;
  /** Mean loss per sentence since the epoch began, nats. */
  loss: number;
  /** After an epoch: scores of the averaged weights on the development set. */
  dev?: SpanScores;
}

export interface TrainingRun {
  shape: TaggerShape;
  table: WordTable;
  start: Parameters;
  data: EncodedSentences;
  /** Without it the weights after the last epoch are taken. */
  dev?: EncodedSentences;
  options: TrainingOptions;
  /** File that keeps the state after every epoch; a run that finds one goes on from there. */
  checkpoint?: string;
  signal?: AbortSignal;
  onProgress?: (progress: TrainingProgress) => void;
}

/** Averaged weights of the best epoch. */
export interface TrainedTagger {
  parameters: Parameters;
  /** Best development F1, 0 without a development set. */
  f1: number;
  epoch: number;
}

/** Gradients longer than this are shortened to it. */
const longestGradient = 5;

/** Rows scored at once. */
const scoringRows = 1024;

/**
 * Trains from `start` and returns the averaged weights of the best epoch.
 *
 * @throws Interrupted when the signal is raised; the checkpoint then holds the last whole epoch.
 */
export async function trainTagger(run: TrainingRun): Promise<TrainedTagger> {
  const { shape, table, data, dev, options, signal, onProgress } = run;
  const dims = parameterDims(shape);
  const graphs = taggerGraphs(shape, true);
  const forward = await openSession(graphs.forward);
  const backward = await openSession(graphs.backward);
  const scorer = dev === undefined ? undefined : await openScorer(shape, table);
  const trained = new Map<string, Trained>();
  for (const [name, values] of run.start) trained.set(name, createTrained(values.slice()));
  const best: TrainedTagger = { parameters: averagesOf(trained), f1: -1, epoch: 0 };
  let firstEpoch = 0;
  if (run.checkpoint !== undefined) firstEpoch = resume(run.checkpoint, trained, best);

  const batches = Math.ceil(data.n / options.batchSentences);
  const totalSteps = batches * options.epochs;
  const marksGradient = new Float32Array(partOf(trained, 'marks').values.length);
  for (let epoch = firstEpoch; epoch < options.epochs; epoch++) {
    if (dev !== undefined && epoch - best.epoch >= options.patience && best.f1 >= 0) break;
    const order = shuffled(data.n, createRandom(options.seed, epoch, 1));
    const noise = createRandom(options.seed, epoch, 2);
    let lossSum = 0;
    for (let batch = 0; batch < batches; batch++) {
      if (signal?.aborted)
        throw new Interrupted('train: stopped; the same command goes on from the last epoch.');
      const chosen = order.subarray(batch * options.batchSentences, (batch + 1) * options.batchSentences);
      const rows = packRows(data, chosen);
      const feeds = feedsOf(shape, table, rows, partOf(trained, 'marks').values, trained);
      addMasks(feeds, shape, rows.words.length, options, noise);
      const results = await forward.run(feeds);

      const emissions = results[emissionsOutput];
      const crf = createCrf(shape.labels, partOf(trained, 'transitions').values);
      const loss = crfLoss(
        crf,
        emissions.data as Float32Array,
        rows.lengths,
        targetOf(data, chosen, shape.labels.length),
      );
      lossSum += loss.loss;
      const backwardFeeds: Record<string, TensorValue> = {
        [gradientName(emissionsOutput)]: { dims: emissions.dims, data: loss.emissions },
      };
      for (const name of graphs.saved) backwardFeeds[name] = results[name];
      for (const name of graphs.shared) backwardFeeds[name] = feeds[name];
      const gradients = await backward.run(backwardFeeds);

      const touched = scatterMarks(
        gradients[gradientName(marksInput)].data as Float32Array,
        rows.marks,
        marksGradient,
        shape,
      );
      const step = epoch * batches + batch + 1;
      const inGraph = [...dims.keys()].filter((name) => !outsideGraphs.has(name));
      const dense = inGraph.map((name) => gradients[gradientName(name)].data as Float32Array);
      const share = 1 / chosen.length;
      const common: AdamWStep = {
        step,
        rate: options.rate * (1 - (step - 1) / totalSteps),
        weightDecay: 0,
        gradientScale: share * clippingScale([...dense, loss.transitions], longestGradient / share),
        averageDecay: options.averageDecay,
      };
      inGraph.forEach((name, i) => {
        const weightDecay = name.endsWith('.weight') ? options.weightDecay : 0;
        adamW(partOf(trained, name), dense[i], { ...common, weightDecay });
      });
      adamW(partOf(trained, 'transitions'), loss.transitions, common);
      adamWRows(partOf(trained, 'marks'), marksGradient, touched, shape.markDimensions, common);
      if (onProgress !== undefined && (batch + 1) % 20 === 0) {
        onProgress(progressAt(epoch, options.epochs, (batch + 1) * options.batchSentences, data.n, lossSum));
      }
    }

    const averages = averagesOf(trained);
    const progress = progressAt(epoch, options.epochs, data.n, data.n, lossSum);
    if (scorer === undefined || dev === undefined) {
      Object.assign(best, { parameters: averages, f1: 0, epoch: epoch + 1 });
    } else {
      const scores = scoreSpans(dev, await labelAll(scorer, averages, dev), shape.labels);
      progress.dev = scores;
      if (scores.f1 > best.f1) Object.assign(best, { parameters: averages, f1: scores.f1, epoch: epoch + 1 });
    }
    if (run.checkpoint !== undefined) writeCheckpoint(run.checkpoint, checkpointOf(trained, best, epoch + 1));
    onProgress?.(progress);
  }
  await Promise.all([forward.close(), backward.close(), scorer?.close()]);
  return best;
}

// ---------------------------------------------------------------------------------------------
// Scoring

/** Scores sentences with any weights of one shape. */
export interface Scorer {
  /** Log scores [tokens × L] of all sentences, in order. */
  emissions(parameters: Parameters, data: EncodedSentences): Promise<Float32Array>;
  labels: readonly string[];
  close(): Promise<void>;
}

export async function openScorer(shape: TaggerShape, table: WordTable): Promise<Scorer> {
  const session: Session = await openSession(taggerGraphs(shape, false).forward);
  const count = shape.labels.length;
  return {
    labels: shape.labels,
    async emissions(parameters, data) {
      const found = new Float32Array(data.words.length * count);
      for (let s = 0; s < data.n; ) {
        const first = s;
        let rows = 0;
        while (s < data.n && (s === first || rows + data.lengths[s] <= scoringRows))
          rows += data.lengths[s++];
        if (rows === 0) continue;
        const packed = packRows(
          data,
          Int32Array.from({ length: s - first }, (_, i) => first + i),
        );
        const weights = new Map([...parameters].map(([name, values]) => [name, { values }]));
        const feeds = feedsOf(shape, table, packed, partOf(weights, 'marks').values, weights);
        const results = await session.run(feeds, [emissionsOutput]);
        found.set(results[emissionsOutput].data as Float32Array, data.firsts[first] * count);
      }
      return found;
    },
    close: () => session.close(),
  };
}

/** Best labels of all tokens under one set of weights. */
export async function labelAll(
  scorer: Scorer,
  parameters: Parameters,
  data: EncodedSentences,
): Promise<Uint8Array> {
  return decodeAll(
    scorer.labels,
    partOf(parameters, 'transitions'),
    await scorer.emissions(parameters, data),
    data,
  );
}

/** Best labels of all tokens for given emissions. */
export function decodeAll(
  labels: readonly string[],
  transitions: Float32Array,
  emissions: Float32Array,
  data: EncodedSentences,
): Uint8Array {
  const crf = createCrf(labels, transitions);
  const found = new Uint8Array(data.words.length);
  for (let s = 0; s < data.n; s++) {
    found.set(bestLabels(crf, emissions, data.firsts[s], data.lengths[s]), data.firsts[s]);
  }
  return found;
}

// ---------------------------------------------------------------------------------------------
// Batches

interface PackedRows {
  lengths: Int32Array;
  words: Int32Array;
  marks: Int32Array;
}

/** Chosen sentences end to end. */
function packRows(data: EncodedSentences, chosen: Int32Array): PackedRows {
  const lengths = Int32Array.from(chosen, (s) => data.lengths[s]);
  const n = lengths.reduce((sum, length) => sum + length, 0);
  const words = new Int32Array(n);
  const marks = new Int32Array(n * marksPerWord);
  let at = 0;
  for (const s of chosen) {
    const first = data.firsts[s];
    const end = first + data.lengths[s];
    words.set(data.words.subarray(first, end), at);
    marks.set(data.marks.subarray(first * marksPerWord, end * marksPerWord), at * marksPerWord);
    at += end - first;
  }
  return { lengths, words, marks };
}

function feedsOf(
  shape: TaggerShape,
  table: WordTable,
  rows: PackedRows,
  marks: Float32Array,
  weights: ReadonlyMap<string, { values: Float32Array }>,
): Record<string, TensorValue> {
  const n = rows.words.length;
  const feeds: Record<string, TensorValue> = {};
  for (const [name, dims] of parameterDims(shape)) {
    if (!outsideGraphs.has(name)) feeds[name] = { dims, data: partOf(weights, name).values };
  }
  const { d, values } = table;
  const words = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    const from = rows.words[i] * d;
    // Unknown words have a row beyond the table, and read zeros.
    if (from < values.length) words.set(values.subarray(from, from + d), i * d);
  }
  feeds[wordsInput] = { dims: [n, d], data: words };

  const width = shape.markDimensions;
  const sums = new Float32Array(n * width);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < marksPerWord; k++) {
      const from = rows.marks[i * marksPerWord + k] * width;
      for (let c = 0; c < width; c++) sums[i * width + c] += marks[from + c];
    }
  }
  feeds[marksInput] = { dims: [n, width], data: sums };
  for (const dilation of new Set(shape.dilations)) {
    feeds[neighboursInput(dilation)] = { dims: [n, 3], data: windowIndices(rows.lengths, dilation) };
  }
  return feeds;
}

/** Draws dropout masks; zeroes the vectors of some words in the feeds themselves. */
function addMasks(
  feeds: Record<string, TensorValue>,
  shape: TaggerShape,
  n: number,
  options: TrainingOptions,
  random: Random,
): void {
  const d = shape.wordDimensions;
  const words = feeds[wordsInput].data as Float32Array;
  for (let i = 0; i < n; i++) if (random.nextFloat() < options.wordDropout) words.fill(0, i * d, (i + 1) * d);
  maskInputs(shape).forEach(({ name, columns }, place) => {
    const dropped = place === 0 ? options.inputDropout : options.hiddenDropout;
    feeds[name] = { dims: [n, columns], data: dropoutMask(n * columns, dropped, random) };
  });
}

/** Zeros with the given probability (in steps of 1/256: each draw serves four entries), else 1 / share kept. */
function dropoutMask(size: number, dropped: number, random: Random): Float32Array {
  const mask = new Float32Array(size);
  const threshold = Math.round(256 * dropped);
  const kept = 256 / (256 - threshold);
  for (let k = 0; k < size; ) {
    let bits = random.nextUint32();
    for (const end = Math.min(k + 4, size); k < end; k++) {
      mask[k] = (bits & 255) < threshold ? 0 : kept;
      bits >>>= 8;
    }
  }
  return mask;
}

/** Adds the gradient of each token's summed marks to the rows that were summed; returns those rows. */
function scatterMarks(
  gradient: Float32Array,
  marks: Int32Array,
  table: Float32Array,
  shape: TaggerShape,
): Set<number> {
  const width = shape.markDimensions;
  const touched = new Set<number>();
  for (let k = 0; k < marks.length; k++) {
    const to = marks[k] * width;
    const from = Math.floor(k / marksPerWord) * width;
    touched.add(marks[k]);
    for (let c = 0; c < width; c++) table[to + c] += gradient[from + c];
  }
  return touched;
}

function shuffled(n: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.nextBelow(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

// ---------------------------------------------------------------------------------------------
// State

function partOf<T>(parts: ReadonlyMap<string, T>, name: string): T {
  const part = parts.get(name);
  if (part === undefined) throw new Error(`train tagger: no parameter "${name}".`);
  return part;
}

function averagesOf(trained: ReadonlyMap<string, Trained>): Parameters {
  return new Map([...trained].map(([name, part]) => [name, part.average.slice()]));
}

function progressAt(
  epoch: number,
  epochs: number,
  done: number,
  sentences: number,
  lossSum: number,
): TrainingProgress {
  const sentencesDone = Math.min(done, sentences);
  return { epoch: epoch + 1, epochs, sentencesDone, sentences, loss: lossSum / sentencesDone };
}

const kept = ['values', 'mean', 'spread', 'average'] as const;

function checkpointOf(trained: ReadonlyMap<string, Trained>, best: TrainedTagger, epoch: number): Checkpoint {
  const arrays = new Map<string, Float32Array>();
  for (const [name, part] of trained) for (const key of kept) arrays.set(`${key} of ${name}`, part[key]);
  for (const [name, values] of best.parameters) arrays.set(`best of ${name}`, values);
  return { arrays, numbers: { epoch, bestEpoch: best.epoch, bestF1: best.f1 } };
}

/** Takes the state from a checkpoint, if there is one, and returns the epoch to go on with. */
function resume(path: string, trained: Map<string, Trained>, best: TrainedTagger): number {
  const checkpoint = readCheckpoint(path);
  if (checkpoint === undefined) return 0;
  for (const [name, part] of trained) {
    for (const key of kept) part[key].set(partOf(checkpoint.arrays, `${key} of ${name}`));
    best.parameters.set(name, partOf(checkpoint.arrays, `best of ${name}`));
  }
  best.f1 = checkpoint.numbers.bestF1;
  best.epoch = checkpoint.numbers.bestEpoch;
  return checkpoint.numbers.epoch;
}

/** Fresh transitions next to a fresh output layer, for training on with other labels. */
export function withLabels(
  parameters: Parameters,
  from: TaggerShape,
  to: TaggerShape,
  fresh: Parameters,
): Parameters {
  const result: Parameters = new Map();
  const [oldCount, newCount] = [from.labels.length, to.labels.length];
  const source = to.labels.map((label) => from.labels.indexOf(label));
  for (const [name, values] of parameters) {
    const target = partOf(fresh, name).slice();
    if (name === 'output.weight' || name === 'output.bias') {
      const rows = values.length / oldCount;
      for (let row = 0; row < rows; row++) {
        source.forEach((j, to) => {
          if (j >= 0) target[row * newCount + to] = values[row * oldCount + j];
        });
      }
    } else if (name === 'transitions') {
      const place = (i: number, j: number, count: number) => i * count + j;
      source.forEach((i, a) => {
        if (i < 0) return;
        source.forEach((j, b) => {
          if (j >= 0) target[place(a, b, newCount)] = values[place(i, j, oldCount)];
        });
        for (const side of [newCount, newCount + 1]) {
          const old = side - newCount + oldCount;
          target[side * newCount + a] = values[old * oldCount + i];
        }
      });
    } else target.set(values);
    result.set(name, target);
  }
  return result;
}

/** Number of weights, for the card. */
export function parameterCount(shape: TaggerShape): number {
  let count = 0;
  for (const dims of parameterDims(shape).values())
    count += dims.reduce((product, size) => product * size, 1);
  return count;
}
