import { describe, expect, it } from 'vitest';
import { encodeBertGraph } from '../../pipeline/checkpoint/bert-graph.ts';
import type { BertModel, Head } from '../../pipeline/checkpoint/bert-model.ts';
import { errorFunction } from '../../pipeline/checkpoint/bert-reference.ts';
import {
  checkFloat32,
  compareInt8,
  graphOutputs,
  type ParityTokenizer,
  parityCases,
  passesInt8,
  probeFault,
} from '../../pipeline/checkpoint/parity.ts';
import { openSession, type Session } from '../../pipeline/model/session.ts';
import { bytesOf, tinyAdapter, tinyConfig, tinyModel } from './small-models.ts';

/** A token per letter. */
const tokenizer: ParityTokenizer = {
  clsId: 1,
  sepId: 2,
  encode: (text) => ({
    ids: Int32Array.from([...text], (letter) => 3 + ((letter.codePointAt(0) ?? 0) % 9)),
  }),
};
const head: Head = { kind: 'vector', pooling: 'cls', normalize: false };

const openGraph = (model: BertModel, precision: 'fp32' | 'int8' = 'fp32'): Promise<Session> =>
  openSession(bytesOf(encodeBertGraph(model, head, precision)));

/** The model with one of its tensors changed. */
function changed(model: BertModel, name: string, change: (values: Float32Array) => Float32Array): BertModel {
  const read = (wanted: string): Float32Array => {
    const values = model.weights.read(wanted);
    return wanted === name ? change(values) : values;
  };
  return { ...model, weights: { ...model.weights, read } };
}

describe('parityCases', () => {
  it('has sequences of one, two and three tokens, and the longest that the model takes', () => {
    const { few, many } = parityCases(tinyConfig, tokenizer, 8, 0);
    expect(few.map(({ ids }) => ids.length)).toEqual([1, 2, 3, 8, 8]);
    expect(Math.max(...many.map(({ ids }) => ids.length))).toBe(8);
    for (const { ids } of many) {
      expect(ids[0]).toBe(tokenizer.clsId);
      expect(ids[ids.length - 1]).toBe(tokenizer.sepId);
    }
  });

  it('spends no more on the reference the larger the model is', () => {
    const large = { ...tinyConfig, hidden: 1024, heads: 16, layers: 24, intermediate: 4096, positions: 512 };
    const tokens = (config: typeof tinyConfig): number =>
      parityCases(config, tokenizer, 512, 4).few.reduce((sum, { ids }) => sum + ids.length, 0);
    expect(tokens(large)).toBeLessThan(200);
    expect(tokens({ ...tinyConfig, positions: 512 })).toBeGreaterThan(2000);
  });

  it('checks every adapter in both parts', () => {
    const { few, many } = parityCases(tinyConfig, tokenizer, 8, 3);
    expect(new Set(few.map(({ task }) => task))).toEqual(new Set([0, 1, 2, 3]));
    expect(new Set(many.map(({ task }) => task))).toEqual(new Set([0, 1, 2, 3]));
  });
});

describe('checkFloat32', () => {
  const model = tinyModel([tinyAdapter(3, 1), tinyAdapter(2, 2)]);
  const { few } = parityCases(tinyConfig, tokenizer, 8, 2);

  it('passes the graph of the same weights', async () => {
    const session = await openGraph(model);
    const { parity, probes } = await checkFloat32(model, head, session, few);
    // A title by the base, and a sequence by each adapter.
    expect(probes.map(({ task }) => task)).toEqual([0, 1, 2]);
    expect(await probeFault(session, probes, 'fp32')).toBe(null);
    await session.close();
    expect(parity).toMatchObject({ sentences: 7, longest: 8 });
    expect(parity.largest_difference).toBeLessThan(1e-5);
  });

  it.each([
    'embeddings.position_embeddings.weight',
    'encoder.layer.0.attention.self.key.weight',
    'encoder.layer.1.output.LayerNorm.bias',
  ])('catches a graph whose %s is another', async (name) => {
    const session = await openGraph(changed(model, name, (values) => values.map((x) => x * 1.1 + 0.01)));
    await expect(checkFloat32(model, head, session, few)).rejects.toThrow(/differs from the reference/);
    await session.close();
  });

  it('catches adapters in another order', async () => {
    const session = await openGraph({ ...model, adapters: [...model.adapters].reverse() });
    await expect(checkFloat32(model, head, session, few)).rejects.toThrow(
      /adapter [12].*nothing was written/,
    );
    await session.close();
  });

  it('says that a checkpoint with infinite weights is damaged', async () => {
    const damaged = changed(model, 'encoder.layer.0.output.dense.bias', (values) => values.fill(Infinity));
    const session = await openGraph(damaged);
    await expect(checkFloat32(damaged, head, session, few)).rejects.toThrow(/no finite numbers/);
    await session.close();
  });
});

describe('compareInt8', () => {
  const model = tinyModel();
  const { many } = parityCases(tinyConfig, tokenizer, 8, 0);

  it('tells the lowest cosine of all outputs', async () => {
    const session = await openGraph(model);
    const outputs = await graphOutputs(session, many);
    const same = await compareInt8(session, many, outputs, 0);
    expect(same).toMatchObject({ lowest_cosine: 1, sentences: many.length, longest: 8 });
    expect(passesInt8(same)).toBe(true);

    const turned = outputs.map((output, i) => (i === 3 ? output.map((value) => -value) : output));
    const other = await compareInt8(session, many, turned, 0);
    await session.close();
    expect(other.lowest_cosine).toBeCloseTo(-1, 6);
    expect(passesInt8(other)).toBe(false);
  });

  it('counts the clear tokens whose largest number stands elsewhere', async () => {
    const session = await openGraph(model);
    const outputs = await graphOutputs(session, many);
    // Each vector of eight numbers read as two tokens of four labels; the first token of the first is changed.
    const first = Float32Array.from(outputs[0]);
    const best = first.indexOf(Math.max(...first.subarray(0, 4)));
    first[(best + 1) % 4] = first[best] + 3;
    const parity = await compareInt8(session, many, [first, ...outputs.slice(1)], 4);
    await session.close();
    expect(parity.equal_labels).toBeLessThan(1);
    expect(parity.equal_labels).toBeGreaterThanOrEqual(1 - 1 / many.length);
    expect(passesInt8({ ...parity, lowest_cosine: 1 })).toBe(false);
    // By a hair more it is a matter of rounding, and the token does not count.
    first[(best + 1) % 4] = first[best] + 1e-3;
    const near = await openGraph(model);
    expect((await compareInt8(near, many, [first, ...outputs.slice(1)], 4)).equal_labels).toBe(1);
    await near.close();
  });
});

describe('errorFunction', () => {
  it.each([
    [0, 0],
    [1e-9, 1.128379167095513e-9],
    [0.5, 0.5204998778130465],
    [-1, -0.8427007929497149],
    [3, 0.9999779095030014],
    [5.5, 0.9999999999999927],
    [40, 1],
  ])('of %d is %d', (x, wanted) => {
    expect(Math.abs(errorFunction(x) - wanted)).toBeLessThan(1e-14);
  });
});
