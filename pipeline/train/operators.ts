/**
 * The differentiable operators that networks are written with: each adds its nodes to the forward graph and
 * knows the nodes of its gradient. Rows are tokens (or whatever is packed), columns are channels; the number
 * of rows is known at run time only.
 *
 * All are checked in float64 against central differences (test/train/operators.test.ts). That is why none
 * uses Erf or LayerNormalization's side outputs, which onnxruntime has in float32 only.
 */

import { float, type GraphBuilder } from '../model/onnx.ts';
import type { Precision, TrainingGraph, Value } from './training-graph.ts';

/** Added to variances, as in PyTorch's LayerNorm. */
const varianceFloor = 1e-5;

const columnsOf = (value: Value): number => {
  const columns = value.dims.at(-1);
  if (typeof columns !== 'number')
    throw new Error(`operators: "${value.name}" needs a fixed number of columns.`);
  return columns;
};

const constant = (graph: GraphBuilder, value: number, precision: Precision): string =>
  graph.initializer({
    dims: [],
    data: precision === 'float32' ? Float32Array.of(value) : Float64Array.of(value),
  });

/** x [rows × a] · weight [a × b] + bias [b]. */
export function linear(net: TrainingGraph, x: Value, weight: Value, bias: Value): Value {
  return net.apply(
    {
      cheap: false,
      compute: (graph, inputs) => graph.node('Gemm', inputs),
      gradient: (graph, output) => [
        graph.node('Gemm', [output, weight.again()], { transB: 1 }),
        graph.node('Gemm', [x.again(), output], { transA: 1 }),
        graph.node('ReduceSum', [output, graph.int64([0])], { keepdims: 0 }),
      ],
    },
    [x, weight, bias],
    [x.dims[0], columnsOf(weight)],
  );
}

/** x + y, of equal dims. */
export function add(net: TrainingGraph, x: Value, y: Value): Value {
  return net.apply(
    {
      cheap: true,
      compute: (graph, inputs) => graph.node('Add', inputs),
      gradient: (_graph, output) => [output, output],
    },
    [x, y],
    x.dims,
  );
}

/** x ⊙ y, of equal dims. */
export function multiply(net: TrainingGraph, x: Value, y: Value): Value {
  return net.apply(
    {
      cheap: true,
      compute: (graph, inputs) => graph.node('Mul', inputs),
      gradient: (graph, output) => [
        graph.node('Mul', [output, y.again()]),
        graph.node('Mul', [output, x.again()]),
      ],
    },
    [x, y],
    x.dims,
  );
}

/**
 * x ⊙ mask, the mask drawn outside (0, or 1 / share kept) and itself without gradient.
 */
export function dropout(net: TrainingGraph, x: Value, mask: Value): Value {
  return net.apply(
    {
      cheap: true,
      compute: (graph, inputs) => graph.node('Mul', inputs),
      gradient: (graph, output) => [graph.node('Mul', [output, mask.again()]), null],
    },
    [x, mask],
    x.dims,
  );
}

export function relu(net: TrainingGraph, x: Value): Value {
  return net.apply(
    {
      cheap: true,
      compute: (graph, inputs) => graph.node('Relu', inputs),
      gradient: (graph, output) => {
        const zero = constant(graph, 0, net.precision);
        return [graph.node('Where', [graph.node('Greater', [x.again(), zero]), output, zero])];
      },
    },
    [x],
    x.dims,
  );
}

export function tanh(net: TrainingGraph, x: Value): Value {
  const result: Value = net.apply(
    {
      cheap: true,
      compute: (graph, inputs) => graph.node('Tanh', inputs),
      gradient: (graph, output) => {
        const y = result.again();
        const slope = graph.node('Sub', [constant(graph, 1, net.precision), graph.node('Mul', [y, y])]);
        return [graph.node('Mul', [output, slope])];
      },
    },
    [x],
    x.dims,
  );
  return result;
}

/** Gated linear unit: the first half of the columns times the sigmoid of the second (Dauphin et al. 2017). */
export function gate(net: TrainingGraph, x: Value): Value {
  const half = columnsOf(x) / 2;
  const halves = (graph: GraphBuilder, name: string): [string, string] => {
    const parts = graph.names('half', 2);
    graph.node('Split', [name, graph.int64([half, half])], { axis: -1 }, parts);
    return [parts[0], graph.node('Sigmoid', [parts[1]])];
  };
  return net.apply(
    {
      cheap: true,
      compute: (graph, inputs) => graph.node('Mul', halves(graph, inputs[0])),
      gradient: (graph, output) => {
        const [content, opening] = halves(graph, x.again());
        const toContent = graph.node('Mul', [output, opening]);
        const closing = graph.node('Sub', [constant(graph, 1, net.precision), opening]);
        const toGate = graph.node('Mul', [graph.node('Mul', [toContent, content]), closing]);
        return [graph.node('Concat', [toContent, toGate], { axis: -1 })];
      },
    },
    [x],
    [...x.dims.slice(0, -1), half],
  );
}

/** Each row brought to mean 0 and variance 1, then scaled and moved per column (Ba et al. 2016). */
export function layerNormalization(net: TrainingGraph, x: Value, scale: Value, offset: Value): Value {
  const mean = (graph: GraphBuilder, name: string): string =>
    graph.node('ReduceMean', [name, graph.int64([-1])], { keepdims: 1 });
  return net.apply(
    {
      cheap: true,
      compute: (graph, inputs) =>
        graph.node('LayerNormalization', inputs, { axis: -1, epsilon: float(varianceFloor) }),
      gradient: (graph, output) => {
        const centred = graph.node('Sub', [x.again(), mean(graph, x.again())]);
        const variance = mean(graph, graph.node('Mul', [centred, centred]));
        const floor = constant(graph, varianceFloor, net.precision);
        const deviation = graph.node('Sqrt', [graph.node('Add', [variance, floor])]);
        const normal = graph.node('Div', [centred, deviation]);
        // With g the gradient at the normalized row: (g − mean(g) − normal · mean(g · normal)) / deviation.
        const inner = graph.node('Mul', [output, scale.again()]);
        const along = graph.node('Mul', [normal, mean(graph, graph.node('Mul', [inner, normal]))]);
        const free = graph.node('Sub', [graph.node('Sub', [inner, mean(graph, inner)]), along]);
        const rows = graph.int64([0]);
        return [
          graph.node('Div', [free, deviation]),
          graph.node('ReduceSum', [graph.node('Mul', [output, normal]), rows], { keepdims: 0 }),
          graph.node('ReduceSum', [output, rows], { keepdims: 0 }),
        ];
      },
    },
    [x, scale, offset],
    x.dims,
  );
}

/** Columns of several values side by side. */
export function concatenate(net: TrainingGraph, parts: readonly Value[]): Value {
  const widths = parts.map(columnsOf);
  return net.apply(
    {
      cheap: true,
      compute: (graph, inputs) => graph.node('Concat', inputs, { axis: -1 }),
      gradient: (graph, output) => {
        const names = graph.names('part', parts.length);
        graph.node('Split', [output, graph.int64(widths)], { axis: -1 }, names);
        return names;
      },
    },
    parts,
    [parts[0].dims[0], widths.reduce((sum, width) => sum + width, 0)],
  );
}

/**
 * Each row with its neighbours beside it: the input of a convolution as one matrix product. Sentences lie
 * end to end in x, and a neighbour beyond the sentence reads zeros, so nothing is padded.
 *
 * @param x [rows × channels].
 * @param neighbours int32 [rows × taps]; row of x to read, or the number of rows for zeros. Taps must be
 *   symmetric: when row i reads j at tap t, row j reads i at tap taps − 1 − t. windowIndices makes such.
 * @returns [rows × taps · channels].
 */
export function window(net: TrainingGraph, x: Value, neighbours: Value): Value {
  const channels = columnsOf(x);
  const taps = columnsOf(neighbours);
  return net.apply(
    {
      cheap: true,
      compute: (graph, inputs) => gatherWindow(graph, inputs[0], inputs[1], channels * taps),
      gradient: (graph, output) => {
        // Tap t of row i came from row j; seen from j, that is tap taps − 1 − t, which reads row i. So the
        // gradient at row j sums, over its own taps, part t of the rows that read it.
        const padded = zeroRowBelow(graph, output);
        const parts = graph.node('Reshape', [padded, graph.int64([-1, channels])]);
        const seen = graph.int64(Array.from({ length: taps }, (_, t) => taps - 1 - t));
        const readers = graph.node('Cast', [graph.node('Gather', [neighbours.again(), seen], { axis: 1 })], {
          to: 7,
        });
        const first = graph.node('Mul', [readers, graph.int64(taps)]);
        const rows = graph.node('Add', [first, graph.int64(Array.from({ length: taps }, (_, t) => t))]);
        const gathered = graph.node('Gather', [parts, rows], { axis: 0 });
        return [graph.node('ReduceSum', [gathered, graph.int64([1])], { keepdims: 0 }), null];
      },
    },
    [x, neighbours],
    [x.dims[0], channels * taps],
  );
}

/** The window's nodes alone, for graphs that are only run forward. */
export function gatherWindow(graph: GraphBuilder, x: string, neighbours: string, columns: number): string {
  const gathered = graph.node('Gather', [zeroRowBelow(graph, x), neighbours], { axis: 0 });
  return graph.node('Reshape', [gathered, graph.int64([-1, columns])]);
}

const zeroRowBelow = (graph: GraphBuilder, x: string): string =>
  graph.node('Pad', [x, graph.int64([0, 0, 1, 0])]);
