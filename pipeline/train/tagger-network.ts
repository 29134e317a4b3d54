/**
 * The tagger's network: word vectors and spelling marks, projected, then gated residual convolutions, then one
 * row of outputs per word (Dauphin et al. 2017; Strubell et al. 2017 for dilated convolutions in tagging). Knows
 * parameters and graphs; what the outputs mean, and the loss, stand outside: scores of labels under a CRF
 * (train-tagger.ts) or guesses of hidden words (masked-words.ts).
 */

import type { Random } from '../math/random.ts';
import { transitionCount } from '../model/crf.ts';
import { elementCount } from '../model/tensor.ts';
import { add, concatenate, dropout, gate, layerNormalization, linear, window } from './operators.ts';
import { type Precision, TrainingGraph, type TrainingGraphs, type Value } from './training-graph.ts';

/** Sizes that fix a network. */
export interface NetworkShape {
  /** Columns of the word vectors. */
  wordDimensions: number;
  /** Rows and columns of the table of spelling marks. */
  markBuckets: number;
  markDimensions: number;
  /** Channels of the convolutions. */
  hidden: number;
  /** One convolution of three taps per entry, that many words apart. */
  dilations: number[];
  /** Columns of the result: a tagger has one per label. */
  outputs: number;
}

/** A network that gives one score per label, with a CRF over them. */
export interface TaggerShape extends NetworkShape {
  labels: string[];
}

/** Weights by name; see parameterDims. */
export type Parameters = Map<string, Float32Array>;

/** Dims of every parameter of the network, in a fixed order. `marks` is used outside the graphs. */
export function parameterDims(shape: NetworkShape): Map<string, number[]> {
  const { wordDimensions, markBuckets, markDimensions, hidden, dilations, outputs } = shape;
  const dims = new Map<string, number[]>();
  dims.set('marks', [markBuckets, markDimensions]);
  dims.set('input.weight', [wordDimensions + markDimensions, hidden]);
  dims.set('input.bias', [hidden]);
  dilations.forEach((_, layer) => {
    dims.set(`layer${layer}.scale`, [hidden]);
    dims.set(`layer${layer}.offset`, [hidden]);
    dims.set(`layer${layer}.weight`, [3 * hidden, 2 * hidden]);
    dims.set(`layer${layer}.bias`, [2 * hidden]);
  });
  dims.set('output.scale', [hidden]);
  dims.set('output.offset', [hidden]);
  dims.set('output.weight', [hidden, outputs]);
  dims.set('output.bias', [outputs]);
  return dims;
}

/** Fresh weights: matrices uniform with variance 1 / rows, scales 1, the rest 0. */
export function createNetwork(shape: NetworkShape, random: Random): Parameters {
  const parameters: Parameters = new Map();
  for (const [name, dims] of parameterDims(shape)) {
    const values = new Float32Array(elementCount(dims));
    if (name.endsWith('.scale')) values.fill(1);
    else if (dims.length === 2) {
      const bound = name === 'marks' ? 0.3 : Math.sqrt(3 / dims[0]);
      for (let k = 0; k < values.length; k++) values[k] = bound * (2 * random.nextFloat() - 1);
    }
    parameters.set(name, values);
  }
  return parameters;
}

/** A fresh network with a CRF whose transitions all score alike. */
export function createTaggerParameters(shape: TaggerShape, random: Random): Parameters {
  return createNetwork(shape, random).set(
    'transitions',
    new Float32Array(transitionCount(shape.labels.length)),
  );
}

/** Names of the graphs' inputs beside the parameters. */
export const wordsInput = 'words';
export const marksInput = 'marks of words';
export const neighboursInput = (dilation: number): string => `neighbours ${dilation}`;
/** Dropout masks: of the input, of each layer, of the output. */
export const maskInputs = (shape: NetworkShape): { name: string; columns: number }[] => [
  { name: 'mask input', columns: shape.wordDimensions + shape.markDimensions },
  ...shape.dilations.map((_, layer) => ({ name: `mask ${layer}`, columns: shape.hidden })),
  { name: 'mask output', columns: shape.hidden },
];

/** Output of the forward graph [rows × outputs]; a tagger's are log scores. */
export const networkOutput = 'output';

/**
 * Forward and backward graphs. The backward one gives the gradients of all parameters inside the graphs and of
 * the marks input.
 *
 * @param training With dropout masks as inputs; without, for scoring while training.
 */
export function networkGraphs(
  shape: NetworkShape,
  training: boolean,
  precision: Precision = 'float32',
): TrainingGraphs {
  const net = new TrainingGraph('tagger', precision);
  const parameters = new Map<string, Value>();
  for (const [name, dims] of parameterDims(shape)) {
    if (name !== 'marks') parameters.set(name, net.input(name, dims));
  }
  const parameter = (name: string): Value => {
    const value = parameters.get(name);
    if (value === undefined) throw new Error(`tagger network: no parameter "${name}".`);
    return value;
  };
  const masks = maskInputs(shape);
  let nextMask = 0;
  const dropped = (x: Value): Value => {
    if (!training) return x;
    const { name, columns } = masks[nextMask++];
    return dropout(net, x, net.input(name, ['rows', columns]));
  };

  const words = net.input(wordsInput, ['rows', shape.wordDimensions]);
  const marks = net.input(marksInput, ['rows', shape.markDimensions]);
  const neighbours = new Map<number, Value>();
  for (const dilation of new Set(shape.dilations)) {
    neighbours.set(dilation, net.input(neighboursInput(dilation), ['rows', 3], 'int32'));
  }

  let h = linear(
    net,
    dropped(concatenate(net, [words, marks])),
    parameter('input.weight'),
    parameter('input.bias'),
  );
  shape.dilations.forEach((dilation, layer) => {
    const near = neighbours.get(dilation);
    if (near === undefined) throw new Error(`tagger network: no neighbours for dilation ${dilation}.`);
    const normal = layerNormalization(
      net,
      h,
      parameter(`layer${layer}.scale`),
      parameter(`layer${layer}.offset`),
    );
    const seen = window(net, normal, near);
    const mixed = linear(net, seen, parameter(`layer${layer}.weight`), parameter(`layer${layer}.bias`));
    h = add(net, h, dropped(gate(net, mixed)));
  });
  const normal = layerNormalization(net, h, parameter('output.scale'), parameter('output.offset'));
  const output = linear(net, dropped(normal), parameter('output.weight'), parameter('output.bias'));
  return net.finish({ [networkOutput]: output }, [...parameters.values(), marks]);
}
