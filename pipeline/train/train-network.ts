/**
 * Trains the network of tagger-network.ts towards any objective: batches, optimizer, validation, early
 * stopping, checkpoints. Every step draws from a random stream of its own, so that a run can go on from any.
 */

import { Interrupted } from '../errors.ts';
import { createRandom, type Random, shuffled } from '../math/random.ts';
import { openSession } from '../model/session.ts';
import type { TensorValue } from '../model/tensor.ts';
import { type AdamWStep, adamW, adamWRows, clippingScale, createTrained, type Trained } from './adamw.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import {
  addMasks,
  type Dropout,
  feedsOf,
  type PackedRows,
  packRows,
  scatterMarks,
  type WordTable,
} from './network-feeds.ts';
import type { EncodedSentences } from './tagger-data.ts';
import {
  marksInput,
  type NetworkShape,
  networkGraphs,
  networkOutput,
  type Parameters,
  parameterDims,
} from './tagger-network.ts';
import { gradientName } from './training-graph.ts';

export interface TrainingOptions extends Dropout {
  /** Passes over the training sentences. */
  epochs: number;
  /** Epochs without a better validation score before training stops; Infinity trains all epochs. */
  patience: number;
  batchSentences: number;
  /** Learning rate; rises over the warm-up, then falls linearly to zero at the end of all epochs. */
  rate: number;
  warmupSteps: number;
  weightDecay: number;
  /** Share of the running average of the weights that stays in a step. */
  averageDecay: number;
  seed: number;
}

/** What a batch's outputs are worth. */
export interface BatchLoss {
  /** Summed over the batch, nats. */
  loss: number;
  /** How many things the sum is over (sentences, hidden words); gradients are divided by it. */
  count: number;
  /** Of the summed loss, by the network's outputs [rows × outputs]. */
  gradient: Float32Array;
  /** Of the summed loss, by parameters that the network does not know (a CRF's transitions). */
  own: ReadonlyMap<string, ArrayLike<number>>;
}

export interface Objective {
  /** Changes a batch before the network sees it: hides words, say. */
  prepare?(rows: PackedRows, random: Random): void;
  /** Loss of the network's outputs for the batch that was prepared last. */
  evaluate(
    output: Float32Array,
    rows: PackedRows,
    chosen: Int32Array,
    parameters: ReadonlyMap<string, Float32Array>,
  ): Promise<BatchLoss>;
  close?(): Promise<void>;
}

export interface TrainingProgress {
  epoch: number;
  epochs: number;
  sentencesDone: number;
  sentences: number;
  /** Mean loss since the last report, nats per sentence or hidden word. */
  loss: number;
  /** After an epoch: the averaged weights' score on the validation set. */
  score?: number;
}

export interface NetworkTraining {
  shape: NetworkShape;
  table: WordTable;
  start: Parameters;
  data: EncodedSentences;
  objective: Objective;
  /** Score of weights, larger is better; without it the weights after the last epoch are taken. */
  validate?: (parameters: Parameters) => Promise<number>;
  options: TrainingOptions;
  /** File that keeps the state; a run that finds one goes on from there. */
  checkpoint?: string;
  signal?: AbortSignal;
  onProgress?: (progress: TrainingProgress) => void;
}

/** Averaged weights of the best epoch. */
export interface TrainedNetwork {
  parameters: Parameters;
  /** Best validation score; 0 without validation. */
  score: number;
  epoch: number;
}

/** Gradients (of the mean loss) longer than this are shortened to it. */
const longestGradient = 5;

const stepsPerReport = 20;
const stepsPerCheckpoint = 500;

/**
 * Trains from `start` and returns the averaged weights of the best epoch.
 *
 * @throws Interrupted when the signal is raised; the checkpoint then holds a state to go on from.
 */
export async function trainNetwork(run: NetworkTraining): Promise<TrainedNetwork> {
  const { shape, table, data, objective, options, signal, onProgress, checkpoint } = run;
  const graphs = networkGraphs(shape, true);
  const forward = await openSession(graphs.forward);
  const backward = await openSession(graphs.backward);
  const inGraph = [...parameterDims(shape).keys()].filter((name) => name !== 'marks');
  const trained = new Map([...run.start].map(([name, values]) => [name, createTrained(values.slice())]));
  const current = new Map([...trained].map(([name, part]) => [name, part.values]));
  const marks = partOf(trained, 'marks');
  const marksGradient = new Float32Array(marks.values.length);
  const best: TrainedNetwork = { parameters: averagesOf(trained), score: -1, epoch: 0 };

  const batches = Math.ceil(data.n / options.batchSentences);
  const totalSteps = batches * options.epochs;
  const firstStep = checkpoint === undefined ? 0 : resume(checkpoint, trained, best);
  let order = new Int32Array(0);
  let [lossSum, lossCount] = [0, 0];
  for (let step = firstStep; step < totalSteps; step++) {
    const epoch = Math.floor(step / batches);
    const batch = step % batches;
    if (batch === 0 && best.score >= 0 && epoch - best.epoch >= options.patience) break;
    if (signal?.aborted) {
      if (checkpoint !== undefined) save(checkpoint, trained, best, step);
      throw new Interrupted('train: stopped; the same command goes on from here.');
    }
    if (batch === 0 || order.length === 0) order = shuffled(data.n, createRandom(options.seed, epoch, 1));
    const chosen = order.subarray(batch * options.batchSentences, (batch + 1) * options.batchSentences);
    const random = createRandom(options.seed, step, 2);

    // Forward, loss, backward.
    const rows = packRows(data, chosen);
    objective.prepare?.(rows, random);
    const feeds = feedsOf(shape, table, rows, current);
    addMasks(feeds, shape, rows.words.length, options, random);
    const results = await forward.run(feeds);
    const output = results[networkOutput];
    const loss = await objective.evaluate(output.data as Float32Array, rows, chosen, current);
    const backwardFeeds: Record<string, TensorValue> = {
      [gradientName(networkOutput)]: { dims: output.dims, data: loss.gradient },
    };
    for (const name of graphs.saved) backwardFeeds[name] = results[name];
    for (const name of graphs.shared) backwardFeeds[name] = feeds[name];
    const gradients = await backward.run(backwardFeeds);

    // Every parameter moves against its gradient.
    const dense = new Map<string, ArrayLike<number>>(loss.own);
    for (const name of inGraph) dense.set(name, gradients[gradientName(name)].data as Float32Array);
    const share = 1 / Math.max(1, loss.count);
    const common: AdamWStep = {
      step: step + 1,
      rate: options.rate * Math.min(1, (step + 1) / (options.warmupSteps + 1)) * (1 - step / totalSteps),
      weightDecay: 0,
      gradientScale: share * clippingScale([...dense.values()], longestGradient / share),
      averageDecay: options.averageDecay,
    };
    for (const [name, gradient] of dense) {
      const weightDecay = name.endsWith('.weight') ? options.weightDecay : 0;
      adamW(partOf(trained, name), gradient, { ...common, weightDecay });
    }
    const ofMarks = gradients[gradientName(marksInput)].data as Float32Array;
    const touched = scatterMarks(ofMarks, rows.marks, marksGradient, shape.markDimensions);
    adamWRows(marks, marksGradient, touched, shape.markDimensions, common);

    // Report, validate, keep.
    lossSum += loss.loss;
    lossCount += loss.count;
    const endsEpoch = batch === batches - 1;
    if (endsEpoch || (batch + 1) % stepsPerReport === 0) {
      const progress: TrainingProgress = {
        epoch: epoch + 1,
        epochs: options.epochs,
        sentencesDone: Math.min(data.n, (batch + 1) * options.batchSentences),
        sentences: data.n,
        loss: lossSum / Math.max(1, lossCount),
      };
      if (endsEpoch) {
        const parameters = averagesOf(trained);
        const score = run.validate === undefined ? 0 : await run.validate(parameters);
        if (run.validate !== undefined) progress.score = score;
        if (run.validate === undefined || score > best.score) {
          Object.assign(best, { parameters, score, epoch: epoch + 1 });
        }
      }
      onProgress?.(progress);
      [lossSum, lossCount] = [0, 0];
    }
    if (checkpoint !== undefined && (endsEpoch || (step + 1) % stepsPerCheckpoint === 0)) {
      save(checkpoint, trained, best, step + 1);
    }
  }
  await Promise.all([forward.close(), backward.close(), objective.close?.()]);
  return best;
}

/** A part by its name. */
export function partOf<T>(parts: ReadonlyMap<string, T>, name: string): T {
  const part = parts.get(name);
  if (part === undefined) throw new Error(`train: no parameter "${name}".`);
  return part;
}

function averagesOf(trained: ReadonlyMap<string, Trained>): Parameters {
  return new Map([...trained].map(([name, part]) => [name, part.average.slice()]));
}

const keptParts = ['values', 'mean', 'spread', 'average'] as const;

function save(path: string, trained: ReadonlyMap<string, Trained>, best: TrainedNetwork, step: number): void {
  const arrays = new Map<string, Float32Array>();
  for (const [name, part] of trained) {
    for (const key of keptParts) arrays.set(`${key} of ${name}`, part[key]);
  }
  for (const [name, values] of best.parameters) arrays.set(`best of ${name}`, values);
  writeCheckpoint(path, { arrays, numbers: { step, bestEpoch: best.epoch, bestScore: best.score } });
}

/** Takes the state from a checkpoint, if there is one, and returns the step to go on with. */
function resume(path: string, trained: Map<string, Trained>, best: TrainedNetwork): number {
  const checkpoint = readCheckpoint(path);
  if (checkpoint === undefined) return 0;
  for (const [name, part] of trained) {
    for (const key of keptParts) part[key].set(partOf(checkpoint.arrays, `${key} of ${name}`));
    best.parameters.set(name, partOf(checkpoint.arrays, `best of ${name}`));
  }
  best.score = checkpoint.numbers.bestScore;
  best.epoch = checkpoint.numbers.bestEpoch;
  return checkpoint.numbers.step;
}
