/**
 * Trains a tagger: the network of tagger-network.ts under a CRF, validated by span F1; scores and decodes with
 * any weights. What is trained on what, and in which order, is train-ner.ts's affair.
 */

import { bestLabels, createCrf } from '../model/crf.ts';
import { openSession } from '../model/session.ts';
import { crfLoss } from './crf.ts';
import { feedsOf, packRows, type WordTable } from './network-feeds.ts';
import { type EncodedSentences, scoreSpans, targetOf } from './tagger-data.ts';
import {
  networkGraphs,
  networkOutput,
  type Parameters,
  parameterDims,
  type TaggerShape,
} from './tagger-network.ts';
import {
  type NetworkTraining,
  type Objective,
  partOf,
  type TrainedNetwork,
  trainNetwork,
} from './train-network.ts';

export interface TaggerTraining extends Omit<NetworkTraining, 'objective' | 'validate' | 'shape'> {
  shape: TaggerShape;
  /** Sentences with gold labels; the weights of the epoch with the best F1 on them are taken. */
  dev?: EncodedSentences;
}

/** Trains from `start`; the score of the result is the F1 on the development set. */
export async function trainTagger({ dev, ...run }: TaggerTraining): Promise<TrainedNetwork> {
  const objective = crfObjective(run.shape, run.data);
  if (dev === undefined) return trainNetwork({ ...run, objective });
  const scorer = await openScorer(run.shape, run.table);
  const validate = async (parameters: Parameters): Promise<number> =>
    scoreSpans(dev, await labelAll(scorer, parameters, dev), run.shape.labels).f1;
  const trained = await trainNetwork({ ...run, objective, validate });
  await scorer.close();
  return trained;
}

/** Cross-entropy under the CRF, per sentence. */
function crfObjective(shape: TaggerShape, data: EncodedSentences): Objective {
  return {
    async evaluate(output, rows, chosen, parameters) {
      const crf = createCrf(shape.labels, partOf(parameters, 'transitions'));
      const target = targetOf(data, chosen, shape.labels.length);
      const { loss, emissions, transitions } = crfLoss(crf, output, rows.lengths, target);
      return {
        loss,
        count: chosen.length,
        gradient: emissions,
        own: new Map([['transitions', transitions]]),
      };
    },
  };
}

/** Scores sentences with any weights of one shape. */
export interface Scorer {
  /** Log scores [tokens × L] of all sentences, in order. */
  emissions(parameters: Parameters, data: EncodedSentences): Promise<Float32Array>;
  labels: readonly string[];
  close(): Promise<void>;
}

/** Rows scored at once. */
const scoringRows = 1024;

export async function openScorer(shape: TaggerShape, table: WordTable): Promise<Scorer> {
  const session = await openSession(networkGraphs(shape, false).forward);
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
        const results = await session.run(feedsOf(shape, table, packed, parameters), [networkOutput]);
        found.set(results[networkOutput].data as Float32Array, data.firsts[first] * count);
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
  const emissions = await scorer.emissions(parameters, data);
  return decodeAll(scorer.labels, partOf(parameters, 'transitions'), emissions, data);
}

/** Best labels of all tokens for given emissions. */
function decodeAll(
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

/** Weights of any network of these sizes as the start of a tagger: its outputs, and its CRF, are fresh. */
export function withFreshOutputs(parameters: Parameters, fresh: Parameters): Parameters {
  const outputs = ['output.weight', 'output.bias', 'transitions'];
  return new Map(
    [...fresh].map(([name, values]) => [
      name,
      outputs.includes(name) ? values : partOf(parameters, name).slice(),
    ]),
  );
}

/** A tagger's weights as the start of one with other labels: labels that both have keep their scores. */
export function withLabels(
  parameters: Parameters,
  from: TaggerShape,
  to: TaggerShape,
  fresh: Parameters,
): Parameters {
  const result = withFreshOutputs(parameters, fresh);
  const [oldCount, newCount] = [from.labels.length, to.labels.length];
  /** Column of the old label for each new one, −1 without. */
  const source = to.labels.map((label) => from.labels.indexOf(label));
  for (const name of ['output.weight', 'output.bias', 'transitions']) {
    const old = partOf(parameters, name);
    const target = partOf(fresh, name).slice();
    // Rows of the transitions are labels too, but for the last two, starting and ending.
    const rows = name === 'transitions' ? newCount + 2 : old.length / oldCount;
    for (let row = 0; row < rows; row++) {
      let oldRow = row;
      if (name === 'transitions') oldRow = row < newCount ? source[row] : row - newCount + oldCount;
      if (oldRow < 0) continue;
      source.forEach((column, j) => {
        if (column >= 0) target[row * newCount + j] = old[oldRow * oldCount + column];
      });
    }
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
