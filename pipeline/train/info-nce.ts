/**
 * The contrastive loss as an ONNX graph: row i of one side must find row i of the other among all rows of
 * the batch, and the other way round. Forward and backward in one run, three matrix products in all.
 *
 * Source: van den Oord et al. 2018 (InfoNCE); both directions as in Radford et al. 2021 (CLIP).
 */

import { float, GraphBuilder } from '../model/onnx.ts';
import { openSession, type TensorValue } from '../model/session.ts';

export interface InfoNce {
  /**
   * @param first, second Unit rows, [b × d] each, row-major.
   * @returns The mean loss, and its gradient with respect to both sides.
   */
  step(
    first: Float32Array | Float64Array,
    second: Float32Array | Float64Array,
    d: number,
  ): Promise<{ loss: number; firstGradient: TensorValue['data']; secondGradient: TensorValue['data'] }>;
  close(): Promise<void>;
}

/**
 * @param temperature Divides the cosines; above 0.
 * @param options.precision float64 is for checking gradients.
 */
export async function openInfoNce(
  temperature: number,
  { precision = 'float32', threads = 1 }: { precision?: 'float32' | 'float64'; threads?: number } = {},
): Promise<InfoNce> {
  const session = await openSession(infoNceGraph(temperature, precision), { threads });
  return {
    async step(first, second, d) {
      const b = first.length / d;
      const dims = [b, d];
      const result = await session.run({ first: { dims, data: first }, second: { dims, data: second } });
      return {
        loss: Number(result.loss.data[0]),
        firstGradient: result.first_gradient.data,
        secondGradient: result.second_gradient.data,
      };
    },
    close: () => session.close(),
  };
}

function infoNceGraph(temperature: number, precision: 'float32' | 'float64'): Uint8Array {
  const graph = new GraphBuilder('info_nce');
  const scalar = (value: number): string =>
    graph.initializer({
      dims: [],
      data: precision === 'float32' ? Float32Array.of(value) : Float64Array.of(value),
    });
  const first = graph.input('first', precision, ['b', 'd']);
  const second = graph.input('second', precision, ['b', 'd']);
  const inverse = scalar(1 / temperature);

  // Cosines are at most 1, so subtracting 1 keeps every exponent at or below 0: one matrix of exponentials
  // serves the softmax of rows and of columns.
  const scaled = graph.node('Mul', [first, inverse]);
  const logits = graph.node('Gemm', [scaled, second], { transB: 1, alpha: float(1), beta: float(0) });
  const exponentials = graph.node('Exp', [graph.node('Sub', [logits, inverse])]);
  const rowSums = graph.node('ReduceSum', [exponentials, graph.int64([1])], { keepdims: 1 });
  const columnSums = graph.node('ReduceSum', [exponentials, graph.int64([0])], { keepdims: 1 });

  const half = scalar(0.5);
  const shares = graph.node('Add', [
    graph.node('Div', [half, rowSums]),
    graph.node('Div', [half, columnSums]),
  ]);
  const probabilities = graph.node('Mul', [exponentials, shares]);
  const b = graph.node('Cast', [graph.node('Gather', [graph.node('Shape', [first]), graph.int64(0)])], {
    to: precision === 'float32' ? 1 : 11,
  });
  const scale = graph.node('Div', [inverse, b]);
  const gradient = (name: string, other: string, transpose: number): void => {
    const expected = graph.node('Gemm', [probabilities, other], { transA: transpose });
    const difference = graph.node('Sub', [expected, other]);
    graph.output(graph.node('Mul', [difference, scale]), precision, ['b', 'd'], name);
  };
  gradient('first_gradient', second, 0);
  gradient('second_gradient', first, 1);

  const matched = graph.node('ReduceSum', [graph.node('Mul', [scaled, second]), graph.int64([1])], {
    keepdims: 0,
  });
  const logSums = graph.node('Add', [
    graph.node('Log', [graph.node('Reshape', [rowSums, graph.int64([-1])])]),
    graph.node('Log', [graph.node('Reshape', [columnSums, graph.int64([-1])])]),
  ]);
  const losses = graph.node('Sub', [
    graph.node('Add', [graph.node('Mul', [logSums, half]), inverse]),
    matched,
  ]);
  graph.output(graph.node('ReduceMean', [losses], { keepdims: 0 }), precision, [], 'loss');
  return graph.encode();
}
