/**
 * The static document encoder: a table of token rows, and an ONNX graph that sums the rows of a document.
 * This file owns the graph and what is stored in it; training the rows is train/'s affair.
 *
 * A table has one or two parts (trained rows; singular vectors of a corpus). Each part's sum is scaled to
 * length 1, the parts are put side by side, and the whole is scaled to length 1. A token that a document has
 * c times counts 1 + ln c times.
 */

import { GraphBuilder, readModel } from './onnx.ts';

/** Rows of v tokens in d dimensions, 8 bits each: `values[t, j] · scales[t]` stands for the number trained. */
export interface QuantizedTable {
  v: number;
  d: number;
  /** Int8Array [v × d]. */
  values: Int8Array;
  /** Float32Array [v]. */
  scales: Float32Array;
}

const largestByte = 127;

/** @param table Float32Array [v × d]. */
export function quantizeTable(table: Float32Array, d: number): QuantizedTable {
  const v = table.length / d;
  const values = new Int8Array(v * d);
  const scales = new Float32Array(v);
  for (let t = 0; t < v; t++) {
    let largest = 0;
    for (let at = t * d; at < (t + 1) * d; at++) largest = Math.max(largest, Math.abs(table[at]));
    if (largest === 0) continue;
    scales[t] = largest / largestByte;
    for (let at = t * d; at < (t + 1) * d; at++) values[at] = Math.round(table[at] / scales[t]);
  }
  return { v, d, values, scales };
}

/** @returns Float32Array [v × d]. */
export function restoreTable({ v, d, values, scales }: QuantizedTable): Float32Array {
  const table = new Float32Array(v * d);
  for (let t = 0; t < v; t++) {
    for (let at = t * d; at < (t + 1) * d; at++) table[at] = values[at] * scales[t];
  }
  return table;
}

/** @returns The bytes of model.onnx: `input_ids` int64 [n × t] to `vectors` float32 [n × d]. */
export function encodeStaticModel(parts: readonly QuantizedTable[]): Uint8Array {
  const graph = new GraphBuilder('static_document_encoder');
  const ids = graph.input('input_ids', 'int64', ['documents', 'tokens']);
  const floats = (...values: number[]): string =>
    graph.initializer({ dims: [values.length], data: Float32Array.from(values) });

  // How often the document has each of its tokens, token by token.
  const equal = graph.node('Equal', [
    graph.node('Unsqueeze', [ids, graph.int64([2])]),
    graph.node('Unsqueeze', [ids, graph.int64([1])]),
  ]);
  const counts = graph.node('ReduceSum', [graph.node('Cast', [equal], { to: 1 }), graph.int64([2])], {
    keepdims: 0,
  });
  // Every occurrence carries its share, so that all of them together count 1 + ln c.
  const weights = graph.node('Div', [graph.node('Add', [graph.node('Log', [counts]), floats(1)]), counts]);

  const scaled = parts.map((part, index) => {
    const values = graph.initializer({ dims: [part.v, part.d], data: part.values }, `values_${index}`);
    const scales = graph.initializer({ dims: [part.v], data: part.scales }, `scales_${index}`);
    const rows = graph.node('Cast', [graph.node('Gather', [values, ids])], { to: 1 });
    const shares = graph.node('Mul', [weights, graph.node('Gather', [scales, ids])]);
    const sum = graph.node('MatMul', [graph.node('Unsqueeze', [shares, graph.int64([1])]), rows]);
    return unitRows(graph, graph.node('Squeeze', [sum, graph.int64([1])]));
  });
  const whole = scaled.length === 1 ? scaled[0] : unitRows(graph, graph.node('Concat', scaled, { axis: 1 }));
  const d = parts.reduce((sum, part) => sum + part.d, 0);
  graph.output(whole, 'float32', ['documents', d], 'vectors');
  return graph.encode();
}

/** Divides rows by their length; rows of zeros stay zero. */
function unitRows(graph: GraphBuilder, rows: string): string {
  const lengths = graph.node('ReduceL2', [rows, graph.int64([1])], { keepdims: 1 });
  const smallest = graph.initializer({ dims: [1], data: Float32Array.of(1e-30) });
  return graph.node('Div', [rows, graph.node('Max', [lengths, smallest])]);
}

/** Reads back what `encodeStaticModel` stored. */
export function decodeStaticModel(bytes: Uint8Array): QuantizedTable[] {
  const { initializers } = readModel(bytes);
  const parts: QuantizedTable[] = [];
  for (;;) {
    const values = initializers.get(`values_${parts.length}`);
    const scales = initializers.get(`scales_${parts.length}`);
    if (values === undefined || scales === undefined) return parts;
    if (!(values.data instanceof Int8Array) || !(scales.data instanceof Float32Array)) {
      throw new Error(`static-encoder: expected int8 values and float32 scales in part ${parts.length}.`);
    }
    parts.push({ v: values.dims[0], d: values.dims[1], values: values.data, scales: scales.data });
  }
}
