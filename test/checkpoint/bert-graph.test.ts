import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeBertGraph } from '../../pipeline/checkpoint/bert-graph.ts';
import type { BertModel, Head } from '../../pipeline/checkpoint/bert-model.ts';
import { referenceOutputs } from '../../pipeline/checkpoint/bert-reference.ts';
import { bertParameters } from '../../pipeline/checkpoint/bert-weights.ts';
import {
  bytesOf,
  type Expected,
  fixtureFolder,
  largestDifference,
  openAdapter,
  openModel,
  readJson,
  runGraph,
  sharedFolder,
  smallModels,
  tinyAdapter,
  tinyModel,
} from './small-models.ts';

const heads: Readonly<Record<Expected['head'], Head>> = {
  hidden: { kind: 'hidden' },
  logits: { kind: 'logits' },
  mean: { kind: 'vector', pooling: 'mean', normalize: true },
};

async function referenceOf(
  model: BertModel,
  head: Head,
  inputs: readonly (readonly number[])[],
  task = 0,
): Promise<Float64Array[]> {
  const cases = inputs.map((ids) => ({ ids: Int32Array.from(ids), task }));
  return referenceOutputs(model, head, cases);
}

describe('encodeBertGraph', () => {
  it.each(smallModels)('gives what transformers gives for %s, and so does the reference', async (name) => {
    const folder = fixtureFolder(name);
    const expected = readJson(`${folder}/expected.json`) as Expected;
    const model = openModel(folder);
    const head = heads[expected.head];
    const graph = await runGraph(model, head, 'fp32', expected.inputs);
    const reference = await referenceOf(model, head, expected.inputs);
    for (const [i, output] of expected.outputs.entries()) {
      expect(largestDifference(graph[i], output.flat())).toBeLessThan(1e-4);
      expect(largestDifference(reference[i], output.flat())).toBeLessThan(2e-5);
    }
  });

  it.each(['cls', 'mean', 'max'] as const)('pools hidden states by %s', async (pooling) => {
    const folder = fixtureFolder('distilbert-fp16');
    const model = openModel(folder);
    const { inputs, outputs } = readJson(`${folder}/expected.json`) as Expected;
    const found = await runGraph(model, { kind: 'vector', pooling, normalize: false }, 'fp32', inputs);
    for (const [i, rows] of outputs.entries()) {
      const wanted = rows[0].map((first, j) => {
        const column = rows.map((row) => row[j]);
        if (pooling === 'cls') return first;
        return pooling === 'max' ? Math.max(...column) : column.reduce((a, b) => a + b) / column.length;
      });
      expect(largestDifference(found[i], wanted)).toBeLessThan(1e-4);
    }
  });

  it.each(['gelu', 'gelu_tanh', 'quick_gelu', 'relu', 'silu', 'tanh'] as const)(
    'computes %s as the reference does, and keeps its direction with int8 weights',
    async (activation) => {
      const plain = tinyModel();
      const model = { ...plain, config: { ...plain.config, activation } };
      const inputs = [[1, 5, 9, 2], [1]];
      const head: Head = { kind: 'vector', pooling: 'mean', normalize: false };
      const found = await runGraph(model, head, 'fp32', inputs);
      const quantized = await runGraph(model, head, 'int8', inputs);
      const reference = await referenceOf(model, head, inputs);
      for (const [i] of inputs.entries()) {
        expect(largestDifference(found[i], reference[i])).toBeLessThan(1e-5);
        expect(cosine(quantized[i], [...reference[i]])).toBeGreaterThan(0.999);
      }
    },
  );

  it('normalizes vectors to length 1', async () => {
    const head: Head = { kind: 'vector', pooling: 'cls', normalize: true };
    const [vector] = await runGraph(tinyModel(), head, 'fp32', [[1, 5, 2]]);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 6);
  });

  it('gives a task without adapter matrices exactly what the graph without adapters gives', async () => {
    const inputs = [[1], [1, 4, 2], [1, 7, 3, 9, 2]];
    const head: Head = { kind: 'hidden' };
    const bare = await runGraph(tinyModel(), head, 'fp32', inputs);
    const base = await runGraph(tinyModel([tinyAdapter(3, 1)]), head, 'fp32', inputs, 0);
    const own = await runGraph(tinyModel([tinyAdapter(3, 1)]), head, 'fp32', inputs, 1);
    for (const [i, expected] of bare.entries()) {
      expect([...base[i]]).toEqual([...expected]);
      expect(largestDifference(own[i], expected)).toBeGreaterThan(0.1);
    }
  });

  it.each([
    ['seq_bn', {}],
    ['par_bn', { is_parallel: true, original_ln_before: false, scaling: 4 }],
    ['output part of double_seq_bn', { original_ln_before: false, non_linearity: 'swish' }],
    ['seq_bn with a layer left out', { leave_out: [0] }],
  ])('keeps adapters of different sizes apart: %s', async (_, settings) => {
    const leftOut = 'leave_out' in settings;
    const adapters = [3, 1, 5].map((size, i) =>
      // What is left out has no tensors.
      leftOut ? leaveOutFirstLayer(size, i + 1) : tinyAdapter(size, i + 1, settings),
    );
    const inputs = [[1], [1, 4, 6, 2]];
    const head: Head = { kind: 'hidden' };
    const together = tinyModel(adapters);
    for (const [i, adapter] of adapters.entries()) {
      const found = await runGraph(together, head, 'fp32', inputs, i + 1);
      const alone = await runGraph(tinyModel([adapter]), head, 'fp32', inputs, 1);
      const reference = await referenceOf(together, head, inputs, i + 1);
      for (const [k] of inputs.entries()) {
        expect(largestDifference(found[k], reference[k])).toBeLessThan(1e-5);
        expect(largestDifference(found[k], alone[k])).toBeLessThan(1e-5);
      }
    }
  });

  it('gives the same bytes twice', () => {
    for (const precision of ['fp32', 'int8'] as const) {
      const bytes = (): Uint8Array =>
        bytesOf(encodeBertGraph(tinyModel([tinyAdapter(2, 1)]), { kind: 'hidden' }, precision));
      expect(Buffer.compare(bytes(), bytes())).toBe(0);
    }
  });

  it('keeps the direction of every token with int8 weights', async () => {
    for (const name of ['bert-bf16', 'bert-2019', 'distilbert-fp16']) {
      const folder = fixtureFolder(name);
      const { inputs, outputs } = readJson(`${folder}/expected.json`) as Expected;
      const found = await runGraph(openModel(folder), { kind: 'hidden' }, 'int8', inputs);
      for (const [i, rows] of outputs.entries()) {
        rows.forEach((row, t) => {
          expect(cosine(found[i].subarray(t * row.length), row)).toBeGreaterThan(0.995);
        });
      }
    }
  });

  it('quantizes every token by itself: a sequence gives a token the same product whatever stands beside it', async () => {
    // With no layer there is nothing but attention to carry one token's numbers to another, so that one
    // adapter-free layer whose values are zero leaves tokens alone.
    const model = tinyModel();
    const weights = {
      ...model.weights,
      read: (name: string) =>
        name.includes('.value.') ? model.weights.read(name).fill(0) : model.weights.read(name),
    };
    const head: Head = { kind: 'hidden' };
    const [short, long] = await runGraph({ ...model, weights }, head, 'int8', [
      [1, 4],
      [1, 4, 9, 3, 8, 7, 2],
    ]);
    expect([...long.subarray(0, short.length)]).toEqual([...short]);
  });
});

function leaveOutFirstLayer(size: number, seed: number) {
  const whole = tinyAdapter(size, seed);
  return {
    ...whole,
    bottleneck: (layer: number, place: 'attention' | 'output') =>
      layer === 0 ? null : whole.bottleneck(layer, place),
  };
}

function cosine(a: ArrayLike<number>, b: readonly number[]): number {
  let [product, squaresA, squaresB] = [0, 0, 0];
  b.forEach((value, i) => {
    product += a[i] * value;
    squaresA += a[i] ** 2;
    squaresB += value ** 2;
  });
  return product / Math.sqrt(squaresA * squaresB);
}

// Outputs of transformers 4.57.6 and adapters 1.2.0 in ../shared/fixtures; skipped in a checkout without it.
describe.skipIf(!existsSync(sharedFolder))('encodeBertGraph on the shared checkpoints', () => {
  const specter = `${sharedFolder}specter2-tiny/`;
  const expected = existsSync(sharedFolder)
    ? (readJson(`${specter}expected.json`) as {
        inputs: number[][];
        outputs: Record<string, number[][][]>;
      })
    : { inputs: [], outputs: {} };
  const head: Head = { kind: 'hidden' };

  it.each(['model.safetensors', 'pytorch_model.bin', 'pytorch_model.legacy.bin'])(
    'meets the base from %s',
    async (file) => {
      const found = await runGraph(openModel(`${specter}base`, file), head, 'fp32', expected.inputs);
      for (const [i, rows] of expected.outputs.base.entries()) {
        expect(largestDifference(found[i], rows.flat())).toBeLessThan(1e-4);
      }
    },
  );

  it('meets the base from half-precision weights, as far as they are the same weights', async () => {
    const whole = openModel(`${specter}base`);
    const half = openModel(`${specter}base`, 'pytorch_model.bertprefix_fp16.bin');
    for (const { name } of bertParameters(whole.config)) {
      const [exact, halved] = [whole.weights.read(name), half.weights.read(name)];
      // Half of the last of eleven binary digits, and the steps of the smallest numbers.
      const far = halved.filter(
        (value, i) => Math.abs(value - exact[i]) > Math.abs(exact[i]) / 2048 + 2 ** -25,
      );
      expect(far.length).toBe(0);
    }
    const found = await runGraph(half, head, 'fp32', expected.inputs);
    const reference = await referenceOf(half, head, expected.inputs);
    for (const [i, rows] of expected.outputs.base.entries()) {
      expect(largestDifference(found[i], reference[i])).toBeLessThan(1e-5);
      expect(largestDifference(found[i], rows.flat())).toBeLessThan(5e-3);
    }
  });

  it.each([
    ['pfeiffer', 'adapter', 'adapter.safetensors'],
    ['pfeiffer', 'adapter', 'pytorch_adapter.bin'],
    ['pfeiffer', 'adapter', 'pytorch_adapter.legacy.bin'],
    ['pfeiffer', 'adapter', 'pytorch_adapter.noprefix.bin'],
    ['houlsby', 'adapter-houlsby', 'pytorch_adapter.bin'],
    ['parallel', 'adapter-parallel', 'pytorch_adapter.bin'],
  ])('meets %s from %s/%s, and the base beside it', async (variant, folder, file) => {
    const base = openModel(`${specter}base`);
    const model = { ...base, adapters: [openAdapter(specter + folder, base.config, file)] };
    expect(model.adapters[0].name).toBe('[PRX]');
    for (const [task, name] of ['base', variant].entries()) {
      const found = await runGraph(model, head, 'fp32', expected.inputs, task);
      const vectors = await runGraph(
        model,
        { kind: 'vector', pooling: 'cls', normalize: false },
        'fp32',
        expected.inputs,
        task,
      );
      for (const [i, rows] of expected.outputs[name].entries()) {
        expect(largestDifference(found[i], rows.flat())).toBeLessThan(1e-4);
        expect(largestDifference(vectors[i], rows[0])).toBeLessThan(1e-4);
      }
    }
  });

  it.each(['model.safetensors', 'pytorch_model.bin', 'pytorch_model.legacy.bin'])(
    'meets the logits of ner-tiny from %s',
    async (file) => {
      const folder = `${sharedFolder}ner-tiny`;
      const { cases } = readJson(`${folder}/expected.json`) as {
        cases: { ids: number[]; logits: number[][] }[];
      };
      const inputs = cases.map(({ ids }) => ids);
      const found = await runGraph(openModel(folder, file), { kind: 'logits' }, 'fp32', inputs);
      for (const [i, { logits }] of cases.entries()) {
        expect(largestDifference(found[i], logits.flat())).toBeLessThan(1e-4);
      }
    },
  );
});
