/**
 * Turns trained weights into the model.onnx and config.json that a tagger folder holds. Tables are stored as
 * int8 with one scale per row, weight matrices as whole numbers of 7 bits with one scale per column, and the
 * convolutions are computed in whole numbers too: exact sums, so that no sentence's result depends on its
 * neighbours in the batch, and several times faster.
 *
 * The input of each convolution is a normalized row. How far each of its channels reaches is measured on
 * training sentences; the normalization's own scale and offset then bring every channel to ±127, and the
 * matrix's rows take the factor back (Xiao et al. 2023, SmoothQuant, in the case where it is free).
 */

import {
  emissionsOutput,
  markRowsInput,
  neighboursInput,
  wordRowsInput,
} from '../model/convolution-tagger.ts';
import { float, GraphBuilder } from '../model/onnx.ts';
import { openSession } from '../model/session.ts';
import type { TensorValue } from '../model/tensor.ts';
import { windowIndices } from '../model/window.ts';
import { marksPerWord } from '../model/word-features.ts';
import type { WordTable } from './network-feeds.ts';
import { gatherWindow } from './operators.ts';
import type { EncodedSentences } from './tagger-data.ts';
import type { Parameters, TaggerShape } from './tagger-network.ts';

/** The zero of activations stored as unsigned bytes. */
const zeroPoint = 128;
const largestActivation = 127;

/**
 * Largest weight as a whole number. Processors without VNNI add pairs of products of a byte and a weight in 16
 * bits, and saturate beyond: 2 · 255 · 64 < 32,768.
 */
const largestWeight = 64;

/** Tokens of training text on which the reach of channels is measured. */
const calibrationTokens = 20_000;

/** How far each channel of each layer's normalized input reaches: its largest absolute value. */
export type ChannelReach = Float32Array[];

/**
 * @param reach From measureReach; without it the convolutions are computed in float32 (with the same weights).
 * @returns The bytes of model.onnx.
 */
export function taggerModel(
  shape: TaggerShape,
  table: WordTable,
  parameters: Parameters,
  reach: ChannelReach | undefined,
): Uint8Array {
  return buildModel(shape, table, parameters, reach, false);
}

/** The text of config.json: labels as Hugging Face writes them, sizes, and the transitions between labels. */
export function taggerConfig(shape: TaggerShape, parameters: Parameters): string {
  const config = {
    architectures: ['ConvolutionTagger'],
    model_type: 'scinertopic-convolution',
    id2label: Object.fromEntries(shape.labels.map((label, i) => [i, label])),
    label2id: Object.fromEntries(shape.labels.map((label, i) => [label, i])),
    dilations: shape.dilations,
    hidden_size: shape.hidden,
    word_dimensions: shape.wordDimensions,
    mark_buckets: shape.markBuckets,
    mark_dimensions: shape.markDimensions,
    crf_transitions: [...(parameters.get('transitions') ?? [])],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Measures on the first sentences of a set; the result depends on nothing else. */
export async function measureReach(
  shape: TaggerShape,
  table: WordTable,
  parameters: Parameters,
  data: EncodedSentences,
): Promise<ChannelReach> {
  const session = await openSession(buildModel(shape, table, parameters, undefined, true));
  const reach = shape.dilations.map(() => new Float32Array(shape.hidden));
  for (let s = 0; s < data.n && data.firsts[s] < calibrationTokens; s++) {
    const first = data.firsts[s];
    const n = data.lengths[s];
    const words = data.words.slice(first, first + n);
    const marks = data.marks.slice(first * marksPerWord, (first + n) * marksPerWord);
    const feeds: Record<string, TensorValue> = {
      [wordRowsInput]: { dims: [n], data: words },
      [markRowsInput]: { dims: [n, marksPerWord], data: marks },
    };
    for (const dilation of new Set(shape.dilations)) {
      feeds[neighboursInput(dilation)] = { dims: [n, 3], data: windowIndices([n], dilation) };
    }
    const results = await session.run(feeds);
    reach.forEach((channels, layer) => {
      const { data: rows } = results[normalizedOutput(layer)];
      for (let k = 0; k < rows.length; k++) {
        const channel = k % shape.hidden;
        channels[channel] = Math.max(channels[channel], Math.abs(Number(rows[k])));
      }
    });
  }
  await session.close();
  return reach;
}

const normalizedOutput = (layer: number): string => `normalized_${layer}`;

function buildModel(
  shape: TaggerShape,
  table: WordTable,
  parameters: Parameters,
  reach: ChannelReach | undefined,
  showNormalized: boolean,
): Uint8Array {
  const { wordDimensions, markBuckets, markDimensions, hidden, dilations, labels } = shape;
  const graph = new GraphBuilder('tagger');
  const weights = (name: string): Float32Array => {
    const values = parameters.get(name);
    if (values === undefined) throw new Error(`tagger model: no parameter "${name}".`);
    return values;
  };
  const vector = (data: Float32Array): string => graph.initializer({ dims: [data.length], data });
  const matrix = (name: string, rows: number, columns: number): string => {
    const { numbers, scales } = quantizeColumns(weights(name), rows, columns, largestActivation);
    // onnxruntime multiplies this out once, when the model is opened.
    const cast = graph.node('Cast', [graph.initializer({ dims: [rows, columns], data: numbers }, name)], {
      to: 1,
    });
    return graph.node('Mul', [cast, vector(scales)]);
  };

  const wordRows = graph.input(wordRowsInput, 'int32', ['tokens']);
  const markRows = graph.input(markRowsInput, 'int32', ['tokens', marksPerWord]);
  const neighbours = new Map(
    [...new Set(dilations)].map((dilation) => [
      dilation,
      graph.input(neighboursInput(dilation), 'int32', ['tokens', 3]),
    ]),
  );

  // One row more than there are words, all zeros, for words that are unknown.
  const wordTable = new Float32Array(table.values.length + wordDimensions);
  wordTable.set(table.values);
  const words = tableRows(graph, wordTable, wordDimensions, wordRows, 'words');
  const eachMark = tableRows(graph, weights('marks'), markDimensions, markRows, 'marks');
  if (weights('marks').length !== markBuckets * markDimensions)
    throw new Error('tagger model: marks do not fit.');
  const marks = graph.node('ReduceSum', [eachMark, graph.int64([1])], { keepdims: 0 });

  let h = graph.node('Gemm', [
    graph.node('Concat', [words, marks], { axis: -1 }),
    matrix('input.weight', wordDimensions + markDimensions, hidden),
    vector(weights('input.bias')),
  ]);
  dilations.forEach((dilation, layer) => {
    const near = neighbours.get(dilation) ?? '';
    const scale = weights(`layer${layer}.scale`).slice();
    const offset = weights(`layer${layer}.offset`).slice();
    const bias = vector(weights(`layer${layer}.bias`));
    let mixed: string;
    if (reach === undefined) {
      const normal = normalized(graph, h, vector(scale), vector(offset));
      if (showNormalized) graph.output(normal, 'float32', ['tokens', hidden], normalizedOutput(layer));
      const seen = gatherWindow(graph, normal, near, 3 * hidden);
      mixed = graph.node('Gemm', [seen, matrix(`layer${layer}.weight`, 3 * hidden, 2 * hidden), bias]);
    } else {
      // Channel c counts in steps of reach[c] / 127; the matrix's rows are multiplied by the step.
      const steps = reach[layer].map((most) => (most > 0 ? most / largestActivation : 1));
      for (let c = 0; c < hidden; c++) {
        scale[c] /= steps[c];
        offset[c] /= steps[c];
      }
      const absorbed = weights(`layer${layer}.weight`).slice();
      for (let k = 0; k < absorbed.length; k++) absorbed[k] *= steps[Math.floor(k / (2 * hidden)) % hidden];
      const { numbers, scales } = quantizeColumns(absorbed, 3 * hidden, 2 * hidden, largestWeight);
      const normal = normalized(graph, h, vector(scale), vector(offset));
      const zero = graph.initializer({ dims: [], data: Uint8Array.of(zeroPoint) });
      const one = graph.initializer({ dims: [], data: Float32Array.of(1) });
      const bytes = graph.node('QuantizeLinear', [normal, one, zero]);
      const padded = graph.node('Pad', [bytes, graph.int64([0, 0, 1, 0]), zero]);
      const seen = graph.node('Reshape', [
        graph.node('Gather', [padded, near], { axis: 0 }),
        graph.int64([-1, 3 * hidden]),
      ]);
      const weight = graph.initializer(
        { dims: [3 * hidden, 2 * hidden], data: numbers },
        `layer${layer}.weight`,
      );
      const noWeightZero = '';
      mixed = graph.contributedNode('MatMulIntegerToFloat', [
        seen,
        weight,
        one,
        vector(scales),
        zero,
        noWeightZero,
        bias,
      ]);
    }
    const parts = graph.names('half', 2);
    graph.node('Split', [mixed, graph.int64([hidden, hidden])], { axis: -1 }, parts);
    h = graph.node('Add', [h, graph.node('Mul', [parts[0], graph.node('Sigmoid', [parts[1]])])]);
  });
  const normal = normalized(graph, h, vector(weights('output.scale')), vector(weights('output.offset')));
  const emissions = graph.node('Gemm', [
    normal,
    matrix('output.weight', hidden, labels.length),
    vector(weights('output.bias')),
  ]);
  graph.output(emissions, 'float32', ['tokens', labels.length], emissionsOutput);
  return graph.encode();
}

/** Rows of a table kept as int8 with one scale per row. */
function tableRows(
  graph: GraphBuilder,
  values: Float32Array,
  width: number,
  rows: string,
  name: string,
): string {
  const count = values.length / width;
  const scales = new Float32Array(count);
  const numbers = new Int8Array(values.length);
  for (let row = 0; row < count; row++) {
    let most = 0;
    for (let k = row * width; k < (row + 1) * width; k++) most = Math.max(most, Math.abs(values[k]));
    if (most === 0) continue;
    scales[row] = most / 127;
    for (let k = row * width; k < (row + 1) * width; k++) numbers[k] = Math.round(values[k] / scales[row]);
  }
  const bytes = graph.initializer({ dims: [count, width], data: numbers }, name);
  const steps = graph.initializer({ dims: [count, 1], data: scales }, `${name}.steps`);
  const found = graph.node('Cast', [graph.node('Gather', [bytes, rows], { axis: 0 })], { to: 1 });
  return graph.node('Mul', [found, graph.node('Gather', [steps, rows], { axis: 0 })]);
}

/** Whole numbers from −most to most, with one scale per column. */
function quantizeColumns(
  values: Float32Array,
  rows: number,
  columns: number,
  most: number,
): { numbers: Int8Array; scales: Float32Array } {
  const scales = new Float32Array(columns).fill(1);
  const numbers = new Int8Array(values.length);
  for (let column = 0; column < columns; column++) {
    let largest = 0;
    for (let row = 0; row < rows; row++)
      largest = Math.max(largest, Math.abs(values[row * columns + column]));
    if (largest === 0) continue;
    scales[column] = largest / most;
    for (let row = 0; row < rows; row++) {
      numbers[row * columns + column] = Math.round(values[row * columns + column] / scales[column]);
    }
  }
  return { numbers, scales };
}

const normalized = (graph: GraphBuilder, h: string, scale: string, offset: string): string =>
  graph.node('LayerNormalization', [h, scale, offset], { axis: -1, epsilon: float(1e-5) });
