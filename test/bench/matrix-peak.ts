/**
 * What this machine's matrix products reach at best, in float32 and in uint8 × int8: single operators of
 * onnxruntime on the shapes that BERT-base has, weights packed and in the cache. An encoder can come near it,
 * never above.
 */

import { createRandom } from '../../pipeline/math/random.ts';
import { GraphBuilder } from '../../pipeline/model/onnx.ts';
import { openSession, type TensorValue } from '../../pipeline/model/session.ts';
import { median, timed } from './timing.ts';

export type Precision = 'fp32' | 'int8';

export interface PeakJob {
  /** Times each product is measured. */
  repeats: number;
}

export interface Product {
  rows: number;
  inner: number;
  columns: number;
}

export interface PeakRow extends Product {
  precision: Precision;
  /** 10⁹ multiplications and additions (two for each multiply-add) per CPU second, of the best repeat. */
  best: number;
  median: number;
}

/** An abstract's and the longest sequence's products with the two matrices of a feed-forward block. */
const products: readonly Product[] = [
  { rows: 192, inner: 768, columns: 3072 },
  { rows: 512, inner: 3072, columns: 768 },
];

/** Operations in one repeat: tens of milliseconds. */
const operationsPerRepeat = 2e10;

export async function peakTask({ repeats }: PeakJob): Promise<PeakRow[]> {
  const rows: PeakRow[] = [];
  for (const precision of ['fp32', 'int8'] as const) {
    for (const product of products) {
      const rates = await rateOf(product, precision, repeats);
      rows.push({ ...product, precision, best: Math.max(...rates), median: median(rates) });
    }
  }
  return rows;
}

/** Operations per CPU second in units of 10⁹, of each repeat. */
async function rateOf(product: Product, precision: Precision, repeats: number): Promise<number[]> {
  const session = await openSession(graphOf(product, precision), { threads: 1 });
  const feeds = { x: inputOf(product, precision) };
  const operations = 2 * product.rows * product.inner * product.columns;
  const runs = Math.ceil(operationsPerRepeat / operations);
  // The first run of a session plans its memory.
  await session.run(feeds);
  const rates: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const { timing } = await timed(async () => {
      for (let run = 0; run < runs; run++) await session.run(feeds);
    });
    rates.push((runs * operations) / timing.cpuSeconds / 1e9);
  }
  await session.close();
  return rates;
}

/** One product; of its result one row is handed out, so that copying it costs nothing. */
function graphOf({ rows, inner, columns }: Product, precision: Precision): Uint8Array {
  const graph = new GraphBuilder('product');
  const dims = [inner, columns];
  const random = createRandom(rows, inner, columns);
  let result: string;
  if (precision === 'fp32') {
    const x = graph.input('x', 'float32', [rows, inner]);
    const data = Float32Array.from({ length: inner * columns }, () => random.nextNormal());
    result = graph.node('MatMul', [x, graph.initializer({ dims, data })]);
  } else {
    const x = graph.input('x', 'uint8', [rows, inner]);
    const data = Int8Array.from({ length: inner * columns }, () => random.nextBelow(255) - 127);
    result = graph.node('MatMulInteger', [x, graph.initializer({ dims, data }), graph.byte(128)]);
  }
  const row = graph.node('Slice', [result, graph.int64([0]), graph.int64([1]), graph.int64([0])]);
  graph.output(row, precision === 'fp32' ? 'float32' : 'int32', [1, columns]);
  return graph.encode();
}

function inputOf({ rows, inner }: Product, precision: Precision): TensorValue {
  const random = createRandom(inner, rows);
  const [dims, length] = [[rows, inner], rows * inner];
  return precision === 'fp32'
    ? { dims, data: Float32Array.from({ length }, () => random.nextNormal()) }
    : { dims, data: Uint8Array.from({ length }, () => random.nextBelow(256)) };
}
