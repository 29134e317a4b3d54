import { expect, it } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import { openSession } from '../../pipeline/model/session.ts';
import type { TensorData, TensorValue } from '../../pipeline/model/tensor.ts';
import { windowIndices } from '../../pipeline/model/window.ts';
import {
  add,
  concatenate,
  dropout,
  gate,
  layerNormalization,
  linear,
  multiply,
  relu,
  tanh,
  window,
} from '../../pipeline/train/operators.ts';
import { gradientName, TrainingGraph, type Value } from '../../pipeline/train/training-graph.ts';

type Shapes = Record<string, readonly number[]>;

/**
 * Largest difference between the backward graph's gradients and central differences of Σ c ⊙ y in float64,
 * relative to the largest gradient, over every entry of every float input.
 */
async function gradientError(
  shapes: Shapes,
  build: (net: TrainingGraph, values: Record<string, Value>) => Value,
  given: Record<string, TensorValue> = {},
): Promise<number> {
  const random = createRandom(7);
  const net = new TrainingGraph('checked', 'float64');
  const values: Record<string, Value> = {};
  const feeds: Record<string, TensorValue> = { ...given };
  for (const [name, dims] of Object.entries(shapes)) {
    values[name] = net.input(name, dims);
    const data = new Float64Array(dims.reduce((product, size) => product * size, 1));
    feeds[name] = { dims, data: data.map(() => random.nextNormal()) };
  }
  for (const [name, tensor] of Object.entries(given)) values[name] = net.input(name, tensor.dims, 'int32');
  const y = build(net, values);
  const wanted = Object.keys(shapes).map((name) => values[name]);
  const graphs = net.finish({ result: y }, wanted);
  const forward = await openSession(graphs.forward);
  const backward = await openSession(graphs.backward);
  const results = await forward.run(feeds);
  const weights = new Float64Array(results.result.data.length).map(() => random.nextNormal());
  const loss = (data: TensorData) => weights.reduce((sum, weight, i) => sum + weight * Number(data[i]), 0);

  const backwardFeeds: Record<string, TensorValue> = {
    [gradientName('result')]: { dims: results.result.dims, data: weights },
  };
  for (const name of graphs.saved) backwardFeeds[name] = results[name];
  for (const name of graphs.shared) backwardFeeds[name] = feeds[name];
  const gradients = await backward.run(backwardFeeds);

  let worst = 0;
  let largest = 0;
  const step = 1e-5;
  for (const name of Object.keys(shapes)) {
    const { data } = feeds[name];
    const found = gradients[gradientName(name)];
    expect(found.dims).toEqual(shapes[name]);
    for (let i = 0; i < data.length; i++) {
      const kept = Number(data[i]);
      data[i] = kept + step;
      const above = loss((await forward.run(feeds, ['result'])).result.data);
      data[i] = kept - step;
      const below = loss((await forward.run(feeds, ['result'])).result.data);
      data[i] = kept;
      const expected = (above - below) / (2 * step);
      worst = Math.max(worst, Math.abs(Number(found.data[i]) - expected));
      largest = Math.max(largest, Math.abs(expected));
    }
  }
  await forward.close();
  await backward.close();
  expect(largest).toBeGreaterThan(0.1);
  return worst / largest;
}

const lengths = [3, 1, 5];
const neighbours = (dilation: number): TensorValue => ({
  dims: [9, 3],
  data: windowIndices(lengths, dilation),
});

it('linear: gradients of rows, weight and bias', async () => {
  const error = await gradientError({ x: [5, 3], w: [3, 4], b: [4] }, (net, { x, w, b }) =>
    linear(net, x, w, b),
  );
  expect(error).toBeLessThan(1e-8);
});

it('add: gradients of both', async () => {
  expect(await gradientError({ x: [4, 3], y: [4, 3] }, (net, { x, y }) => add(net, x, y))).toBeLessThan(1e-8);
});

it('add: a value used twice gets both gradients', async () => {
  expect(await gradientError({ x: [4, 3] }, (net, { x }) => add(net, x, tanh(net, x)))).toBeLessThan(1e-8);
});

it('multiply: gradients of both', async () => {
  expect(await gradientError({ x: [4, 3], y: [4, 3] }, (net, { x, y }) => multiply(net, x, y))).toBeLessThan(
    1e-8,
  );
});

it('dropout: the mask scales the gradient as it scales the value', async () => {
  // The mask is fed like data here; asking for its gradient too must fail, since it has none.
  const net = new TrainingGraph('masked', 'float64');
  const [x, mask] = [net.input('x', ['n', 2]), net.input('mask', ['n', 2])];
  const { forward, backward, saved, shared } = net.finish({ y: dropout(net, x, mask) }, [x]);
  expect([saved, shared]).toEqual([[], ['mask']]);
  const maskTensor = { dims: [1, 2], data: Float64Array.of(0, 2) };
  const there = await openSession(forward);
  const back = await openSession(backward);
  const { y } = await there.run({ x: { dims: [1, 2], data: Float64Array.of(3, 5) }, mask: maskTensor });
  expect([...y.data]).toEqual([0, 10]);
  const dy = { dims: [1, 2], data: Float64Array.of(1, 1) };
  const found = await back.run({ [gradientName('y')]: dy, mask: maskTensor });
  expect([...found[gradientName('x')].data]).toEqual([0, 2]);
  const other = new TrainingGraph('masked', 'float64');
  const [x2, mask2] = [other.input('x', ['n', 2]), other.input('mask', ['n', 2])];
  expect(() => other.finish({ y: dropout(other, x2, mask2) }, [x2, mask2])).toThrow(
    'no output depends on "mask"',
  );
});

it('relu', async () => {
  expect(await gradientError({ x: [6, 5] }, (net, { x }) => relu(net, x))).toBeLessThan(1e-8);
});

it('tanh', async () => {
  expect(await gradientError({ x: [6, 5] }, (net, { x }) => tanh(net, x))).toBeLessThan(1e-8);
});

it('gate', async () => {
  expect(await gradientError({ x: [5, 6] }, (net, { x }) => gate(net, x))).toBeLessThan(1e-8);
});

it('layer normalization: gradients of rows, scale and offset', async () => {
  const error = await gradientError({ x: [5, 6], s: [6], o: [6] }, (net, { x, s, o }) =>
    layerNormalization(net, x, s, o),
  );
  expect(error).toBeLessThan(1e-8);
});

it('concatenate: each part gets its own columns', async () => {
  const error = await gradientError({ x: [4, 2], y: [4, 3] }, (net, { x, y }) => concatenate(net, [x, y]));
  expect(error).toBeLessThan(1e-8);
});

it.each([1, 2, 4])('window of dilation %i over sentences of 3, 1 and 5 rows', async (dilation) => {
  const error = await gradientError({ x: [9, 2] }, (net, { x, at }) => window(net, x, at), {
    at: neighbours(dilation),
  });
  expect(error).toBeLessThan(1e-8);
});

it('window reads zeros beyond the sentence, never the next one', () => {
  expect([...windowIndices([2, 1], 1)]).toEqual([3, 0, 1, 0, 1, 3, 3, 2, 3]);
  expect([...windowIndices([2, 0, 3], 2)]).toEqual([5, 0, 5, 5, 1, 5, 5, 2, 4, 5, 3, 5, 2, 4, 5]);
});

it('a whole gated residual block', async () => {
  const shapes = { x: [9, 3], s: [3], o: [3], w: [9, 6], b: [6], v: [3, 2], c: [2] };
  const error = await gradientError(
    shapes,
    (net, { x, s, o, w, b, v, c, at }) => {
      const seen = window(net, layerNormalization(net, x, s, o), at);
      return linear(net, add(net, x, gate(net, linear(net, seen, w, b))), v, c);
    },
    { at: neighbours(1) },
  );
  expect(error).toBeLessThan(1e-8);
});
