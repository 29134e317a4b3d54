/**
 * Linear maps as graph nodes, in float32 or with int8 weights.
 *
 * In int8 every token is quantized by itself, so that a token's numbers do not depend on how large its
 * neighbours' are: a = round(x / m) with m = max|x| / 127 of its row, then y = m · s · (a W) with s a scale per
 * column of W. Two things cost accuracy in trained models and are met exactly, by algebra:
 *
 * - A few channels after a layer normalization are far larger than the rest and take the whole range. Their
 *   size is known from the normalization's own scale and shift: x is divided by t and the rows of W multiplied
 *   by it, t balancing the two (SmoothQuant, https://arxiv.org/abs/2211.10438, with a static estimate).
 * - GELU and its kin never go below a small negative number: half of a symmetric range would stay empty. The
 *   input is shifted to start at 0, and the shift's own product goes into the bias.
 */

import type { GraphBuilder } from '../model/onnx.ts';

export interface LinearMap {
  inputs: number;
  outputs: number;
  /** @returns Float32Array [outputs × inputs], as PyTorch keeps linear maps. */
  weight(): Float32Array;
  /** @returns Float32Array [outputs]. */
  bias(): Float32Array;
}

/** What is known about a map's input before any token is seen. */
export interface InputRange {
  /** Float32Array [inputs]: how large each channel gets, in any common unit. */
  channels?: Float32Array;
  /** No input is smaller, up to rounding. */
  lowest?: number;
}

/** Constants with one entry per token, as names of values. */
export interface Rows {
  /** float32. */
  ones: string;
  zeros: string;
  /** uint8, each 128: what stands for 0 in a symmetric range. */
  middles: string;
}

/** The product without the bias, which the next operator may take in; both as names of values. */
export interface LinearNodes {
  product: string;
  bias: string;
}

/** @param x Name of a value [1, rows, inputs]. */
export type LinearBuilder = (
  graph: GraphBuilder,
  x: string,
  map: LinearMap,
  rows: Rows,
  range?: InputRange,
) => LinearNodes;

export const float32Linear: LinearBuilder = (graph, x, map) => {
  const { inputs, outputs } = map;
  const weight = graph.deferred({
    dims: [inputs, outputs],
    type: 'float32',
    read: () => transposed(map.weight(), outputs, inputs),
  });
  return { product: graph.node('MatMul', [x, weight]), bias: vector(graph, map.bias()) };
};

export const int8Linear: LinearBuilder = (graph, x, map, rows, range = {}) => {
  const weight = map.weight();
  const balance = range.channels === undefined ? null : balanceOf(range.channels, weight);
  if (balance !== null) {
    x = graph.node('Mul', [
      x,
      vector(
        graph,
        balance.map((entry) => 1 / entry),
      ),
    ]);
  }
  const { lowest } = range;
  const { values, scales, sums } = quantizeRows(weight, map.inputs, balance);
  const matrix = graph.initializer({
    dims: [map.inputs, map.outputs],
    data: transposedBytes(values, map.outputs, map.inputs),
  });

  // Rows in steps of m: 0 to 255 from the lowest value up, or 1 to 255 around zero at 128.
  const shifted = lowest === undefined ? x : graph.node('Sub', [x, graph.scalar(lowest)]);
  const largest = graph.node(
    'ReduceMax',
    [lowest === undefined ? graph.node('Abs', [x]) : shifted, graph.int64([-1])],
    { keepdims: 1 },
  );
  const steps = graph.scalar(1 / (lowest === undefined ? 127 : 255));
  // A row of zeros has no scale of its own.
  const step = graph.node('Max', [graph.node('Mul', [largest, steps]), graph.scalar(1e-30)]);
  const stepOfRow = graph.node('Reshape', [step, graph.int64([-1])]);
  // Without zero points they are 0, and the result is uint8.
  const zeroPoints = lowest === undefined ? [rows.middles] : [];
  const quantized = graph.node('QuantizeLinear', [shifted, stepOfRow, ...zeroPoints], { axis: 1 });
  const product = graph.contributedNode('MatMulIntegerToFloat', [
    quantized,
    matrix,
    graph.scalar(1),
    vector(graph, scales),
    graph.byte(lowest === undefined ? 128 : 0),
  ]);

  const bias = map.bias();
  if (lowest !== undefined) for (let o = 0; o < bias.length; o++) bias[o] += lowest * scales[o] * sums[o];
  return { product: graph.node('Mul', [product, step]), bias: vector(graph, bias) };
};

export const vector = (graph: GraphBuilder, data: Float32Array): string =>
  graph.initializer({ dims: [data.length], data });

/** t per channel: the square root of how large the channel gets over how large its weights are. */
function balanceOf(channels: Float32Array, weight: Float32Array): Float32Array {
  const k = channels.length;
  const largest = new Float32Array(k);
  for (let row = 0; row < weight.length; row += k) {
    for (let i = 0; i < k; i++) largest[i] = Math.max(largest[i], Math.abs(weight[row + i]));
  }
  return channels.map((size, i) => (size > 0 && largest[i] > 0 ? Math.sqrt(size / largest[i]) : 1));
}

interface QuantizedRows {
  /** Int8Array [outputs × inputs]. */
  values: Int8Array;
  /** Float32Array [outputs]: what one step stands for. */
  scales: Float32Array;
  /** Float64Array [outputs]: sum of each row's values. */
  sums: Float64Array;
}

/** @param balance Float32Array [inputs], multiplied into the columns of the weight first. */
function quantizeRows(weight: Float32Array, k: number, balance: Float32Array | null): QuantizedRows {
  const rows = weight.length / k;
  const values = new Int8Array(weight.length);
  const scales = new Float32Array(rows);
  const sums = new Float64Array(rows);
  const row = new Float32Array(k);
  for (let r = 0; r < rows; r++) {
    let largest = 0;
    for (let i = 0; i < k; i++) {
      row[i] = weight[r * k + i] * (balance === null ? 1 : balance[i]);
      largest = Math.max(largest, Math.abs(row[i]));
    }
    // A row of zeros stays zero under any scale.
    scales[r] = largest === 0 ? 1 : largest / 127;
    const inverse = 1 / scales[r];
    let sum = 0;
    for (let i = 0; i < k; i++) sum += values[r * k + i] = Math.round(row[i] * inverse);
    sums[r] = sum;
  }
  return { values, scales, sums };
}

/** Float32Array [rows × columns] to [columns × rows]. */
export function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  transpose(matrix, result, rows, columns);
  return result;
}

function transposedBytes(matrix: Int8Array, rows: number, columns: number): Int8Array {
  const result = new Int8Array(matrix.length);
  transpose(matrix, result, rows, columns);
  return result;
}

/** Square blocks, so that both sides stay in the processor's cache. */
const transposeBlock = 32;

function transpose<T extends Float32Array | Int8Array>(from: T, to: T, rows: number, columns: number): void {
  for (let firstRow = 0; firstRow < rows; firstRow += transposeBlock) {
    const endRow = Math.min(firstRow + transposeBlock, rows);
    for (let firstColumn = 0; firstColumn < columns; firstColumn += transposeBlock) {
      const endColumn = Math.min(firstColumn + transposeBlock, columns);
      for (let r = firstRow; r < endRow; r++) {
        for (let c = firstColumn; c < endColumn; c++) to[c * rows + r] = from[r * columns + c];
      }
    }
  }
}
