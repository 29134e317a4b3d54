import { describe, expect, it } from 'vitest';
import { bindBertWeights } from '../../pipeline/checkpoint/bert-weights.ts';
import { type GivenTensor, tinyConfig, tinyTensors, weightsOf } from './small-models.ts';

const query = 'encoder.layer.1.attention.self.query.weight';

const bind = (tensors: Readonly<Record<string, GivenTensor>>, config = tinyConfig) =>
  bindBertWeights(weightsOf(tensors), config, 'folder');

const renamed = (rename: (name: string) => string): Record<string, GivenTensor> =>
  Object.fromEntries(Object.entries(tinyTensors()).map(([name, tensor]) => [rename(name), tensor]));

describe('bindBertWeights', () => {
  it.each(['', 'bert.', 'model.', '0.auto_model.', 'module.bert.'])('finds tensors under "%s"', (prefix) => {
    const found = bind(renamed((name) => prefix + name));
    expect(found.read(query)).toEqual(tinyTensors()[query].data);
    expect(found.unused).toEqual([]);
  });

  it('finds layer norms by their older names', () => {
    const found = bind(
      renamed((name) =>
        name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'),
      ),
    );
    const name = 'encoder.layer.0.output.LayerNorm.bias';
    expect(found.read(name)).toEqual(tinyTensors()[name].data);
  });

  it('finds the head of a tagger beside its encoder', () => {
    const config = { ...tinyConfig, task: 'token-classification' as const, labels: ['O', 'B-X', 'I-X'] };
    const tensors = Object.fromEntries(
      Object.entries(tinyTensors(config)).map(([name, tensor]) => [
        name.startsWith('classifier') ? name : `bert.${name}`,
        tensor,
      ]),
    );
    expect(bind(tensors, config).read('classifier.weight')).toEqual(tensors['classifier.weight'].data);
  });

  it('lists tensors that have no part in the model, save those known to have none', () => {
    const one: GivenTensor = { dims: [1], data: Float32Array.of(1) };
    const found = bind({
      ...renamed((name) => `bert.${name}`),
      'bert.pooler.dense.weight': one,
      'cls.predictions.bias': one,
      'bert.embeddings.position_ids': one,
      'crf.transitions': one,
    });
    expect(found.unused).toEqual(['crf.transitions']);
  });

  it('names a tensor that is missing, with the shape it should have', () => {
    const { [query]: _, ...rest } = tinyTensors();
    expect(() => bind(rest)).toThrow(`folder: expected a tensor ${query} of shape [8 × 8], found none`);
  });

  it('names a tensor of another shape, with both shapes', () => {
    const tensors = { ...tinyTensors(), [query]: { dims: [8, 4], data: new Float32Array(32) } };
    expect(() => bind(tensors)).toThrow(
      `expected ${query} to have shape [8 × 8] as config.json says, found [8 × 4]`,
    );
  });

  it('refuses whole numbers where weights are expected', () => {
    const tensors = {
      ...tinyTensors(),
      [query]: { dims: [8, 8], data: new Float32Array(64), type: 'int8' as const },
    };
    expect(() => bind(tensors)).toThrow(/floating-point numbers, found int8/);
  });

  it('refuses weights of another model, and of two', () => {
    expect(() => bind({ 'wte.weight': { dims: [1], data: new Float32Array(1) } })).toThrow(
      /expected the weights of BERT or DistilBERT/,
    );
    const two = { ...renamed((name) => `query.${name}`), ...renamed((name) => `context.${name}`) };
    expect(() => bind(two)).toThrow(/weights of one model, found 2/);
  });
});
