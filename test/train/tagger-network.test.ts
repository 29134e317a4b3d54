import { expect, it } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import { bioLabels } from '../../pipeline/model/bio.ts';
import * as convolution from '../../pipeline/model/convolution-tagger.ts';
import { emissionsOutput, markRowsInput, wordRowsInput } from '../../pipeline/model/convolution-tagger.ts';
import { readModel } from '../../pipeline/model/onnx.ts';
import { openSession } from '../../pipeline/model/session.ts';
import type { TensorValue } from '../../pipeline/model/tensor.ts';
import { windowIndices } from '../../pipeline/model/window.ts';
import { marksPerWord } from '../../pipeline/model/word-features.ts';
import { feedsOf } from '../../pipeline/train/network-feeds.ts';
import type { EncodedSentences } from '../../pipeline/train/tagger-data.ts';
import { measureReach, taggerModel } from '../../pipeline/train/tagger-model.ts';
import {
  createTaggerParameters,
  marksInput,
  maskInputs,
  neighboursInput,
  networkGraphs,
  networkOutput,
  parameterDims,
  type TaggerShape,
  wordsInput,
} from '../../pipeline/train/tagger-network.ts';
import { openScorer } from '../../pipeline/train/train-tagger.ts';
import { gradientName } from '../../pipeline/train/training-graph.ts';

const random = createRandom(1);
const labels = bioLabels(['x']);
const lengths = [4, 1, 6];
const rows = 11;

it('the whole network has the gradients of central differences in float64', async () => {
  const shape: TaggerShape = {
    wordDimensions: 3,
    markBuckets: 5,
    markDimensions: 2,
    hidden: 4,
    dilations: [1, 2],
    outputs: 3,
    labels,
  };
  const graphs = networkGraphs(shape, true, 'float64');
  const normals = (dims: readonly number[]): TensorValue => ({
    dims,
    data: Float64Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.nextNormal()),
  });
  const inGraph = [...parameterDims(shape)].filter(([name]) => name !== 'marks');
  const feeds: Record<string, TensorValue> = {
    [wordsInput]: normals([rows, 3]),
    [marksInput]: normals([rows, 2]),
  };
  for (const [name, dims] of inGraph) feeds[name] = normals(dims);
  for (const { name, columns } of maskInputs(shape)) feeds[name] = normals([rows, columns]);
  for (const dilation of shape.dilations) {
    feeds[neighboursInput(dilation)] = { dims: [rows, 3], data: windowIndices(lengths, dilation) };
  }
  const forward = await openSession(graphs.forward);
  const backward = await openSession(graphs.backward);
  const results = await forward.run(feeds);
  const weights = normals(results[networkOutput].dims);
  const loss = async () => {
    const { data } = (await forward.run(feeds, [networkOutput]))[networkOutput];
    return (weights.data as Float64Array).reduce((sum, weight, k) => sum + weight * Number(data[k]), 0);
  };
  const backwardFeeds: Record<string, TensorValue> = { [gradientName(networkOutput)]: weights };
  for (const name of graphs.saved) backwardFeeds[name] = results[name];
  for (const name of graphs.shared) backwardFeeds[name] = feeds[name];
  const gradients = await backward.run(backwardFeeds);
  let [worst, largest] = [0, 0];
  for (const name of [...inGraph.map(([parameter]) => parameter), marksInput]) {
    const values = feeds[name].data as Float64Array;
    for (let k = 0; k < values.length; k++) {
      const kept = values[k];
      values[k] = kept + 1e-5;
      const above = await loss();
      values[k] = kept - 1e-5;
      const slope = (above - (await loss())) / 2e-5;
      values[k] = kept;
      worst = Math.max(worst, Math.abs(Number(gradients[gradientName(name)].data[k]) - slope));
      largest = Math.max(largest, Math.abs(slope));
    }
  }
  expect(worst / largest).toBeLessThan(1e-7);
});

const shape: TaggerShape = {
  wordDimensions: 8,
  markBuckets: 32,
  markDimensions: 4,
  hidden: 32,
  dilations: [1, 1, 2],
  outputs: 3,
  labels,
};
const table = { d: 8, values: Float32Array.from({ length: 20 * 8 }, () => random.nextNormal()) };
const parameters = createTaggerParameters(shape, createRandom(2));
const data: EncodedSentences = {
  n: 3,
  lengths: Int32Array.from(lengths),
  firsts: Int32Array.of(0, 4, 5),
  // Row 20 stands for a word without a vector.
  words: Int32Array.from({ length: rows }, () => random.nextBelow(21)),
  marks: Int32Array.from({ length: rows * marksPerWord }, () => random.nextBelow(32)),
  labellings: [{ from: 0, labelling: { kind: 'gold', labels: new Uint8Array(rows) } }],
};

async function emissionsOf(model: Uint8Array): Promise<Float32Array> {
  const session = await openSession(model);
  const feeds: Record<string, TensorValue> = {
    [wordRowsInput]: { dims: [rows], data: data.words },
    [markRowsInput]: { dims: [rows, marksPerWord], data: data.marks },
  };
  for (const dilation of new Set(shape.dilations)) {
    feeds[convolution.neighboursInput(dilation)] = {
      dims: [rows, 3],
      data: windowIndices(lengths, dilation),
    };
  }
  const results = await session.run(feeds);
  await session.close();
  return results[emissionsOutput].data as Float32Array;
}

it('the model in whole numbers says nearly what the trained weights say', async () => {
  const scorer = await openScorer(shape, table);
  const expected = await scorer.emissions(parameters, data);
  await scorer.close();
  const float = await emissionsOf(taggerModel(shape, table, parameters, undefined));
  const whole = taggerModel(shape, table, parameters, await measureReach(shape, table, parameters, data));
  const int8 = await emissionsOf(whole);
  const size = Math.sqrt(expected.reduce((sum, value) => sum + value * value, 0) / expected.length);
  const distance = (found: Float32Array) =>
    Math.sqrt(found.reduce((sum, value, k) => sum + (value - expected[k]) ** 2, 0) / expected.length) / size;
  expect(distance(float)).toBeLessThan(0.02);
  expect(distance(int8)).toBeLessThan(0.05);
  expect(distance(int8)).toBeGreaterThan(0);
  const { initializers, operators } = readModel(whole);
  expect(operators.filter((operator) => operator === 'MatMulIntegerToFloat')).toHaveLength(3);
  expect(initializers.get('words')?.data).toBeInstanceOf(Int8Array);
  const weights = initializers.get('layer0.weight')?.data as Int8Array;
  expect(Math.max(...weights.map(Math.abs))).toBe(64);
});

it('reads zeros for words without a vector and for marks left out', () => {
  const packed = {
    lengths: Int32Array.of(2),
    words: Int32Array.of(20, 3),
    marks: new Int32Array(2 * marksPerWord).fill(-1),
  };
  const feeds = feedsOf(shape, table, packed, parameters);
  const words = feeds[wordsInput].data;
  expect([...words.subarray(0, 8)]).toEqual(new Array(8).fill(0));
  expect([...words.subarray(8)]).toEqual([...table.values.subarray(24, 32)]);
  expect([...feeds[marksInput].data]).toEqual(new Array(8).fill(0));
});
