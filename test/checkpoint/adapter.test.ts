import { describe, expect, it } from 'vitest';
import { type Adapter, bindAdapter } from '../../pipeline/checkpoint/adapter.ts';
import { adapterSettings, adapterTensors, tinyConfig, weightsOf } from './small-models.ts';

const bind = (
  settings: unknown,
  tensors = adapterTensors(3, 1),
  file: Readonly<Record<string, unknown>> = {},
): Adapter => bindAdapter({ config: settings, ...file }, weightsOf(tensors), tinyConfig, 'folder');

describe('bindAdapter', () => {
  it.each([
    ['bert.encoder.layer.', '.output.adapters.[PRX].'],
    ['encoder.layer.', '.output.adapters.[PRX].'],
    ['bert.encoder.layer.', '.output.layer_text_task_adapters.[PRX].'],
    ['encoder.layer.', '.output.layer_text_task_adapters.[PRX].'],
  ])('finds the matrices and the name in %s0%s', (start, end) => {
    const adapter = bind(adapterSettings, adapterTensors(3, 1, start, end));
    expect(adapter).toMatchObject({ name: '[PRX]', source: 'normalized', activation: 'relu' });
    const found = adapter.bottleneck(1, 'output');
    expect(found?.size).toBe(3);
    const wanted = adapterTensors(3, 1)['bert.encoder.layer.1.output.adapters.[PRX].adapter_up.weight'];
    expect(found?.read().up).toEqual(wanted.data);
    expect(adapter.bottleneck(1, 'attention')).toBeNull();
  });

  it('reads adapters whose name has points in it', () => {
    const end = '.output.adapters.AdapterHub/v1.0@ukp.';
    expect(bind(adapterSettings, adapterTensors(3, 1, undefined, end)).name).toBe('AdapterHub/v1.0@ukp');
  });

  it('takes the scaling into what it reads', () => {
    const once = bind(adapterSettings).bottleneck(0, 'output')?.read();
    const twice = bind({ ...adapterSettings, scaling: 2 })
      .bottleneck(0, 'output')
      ?.read();
    expect(twice?.up).toEqual(once?.up.map((value) => 2 * value));
    expect(twice?.upBias).toEqual(once?.upBias.map((value) => 2 * value));
    expect(twice?.down).toEqual(once?.down);
  });

  it('has nothing in layers that are left out', () => {
    const tensors = Object.fromEntries(
      Object.entries(adapterTensors(3, 1)).filter(([name]) => name.includes('layer.1.')),
    );
    const adapter = bind({ ...adapterSettings, leave_out: [0] }, tensors);
    expect(adapter.bottleneck(0, 'output')).toBeNull();
    expect(adapter.bottleneck(1, 'output')?.size).toBe(3);
  });

  it('reads configurations that are given by name', () => {
    expect(bind('pfeiffer').source).toBe('normalized');
    expect(() => bind('lora')).toThrow(/configuration "lora" is not supported.*seq_bn/);
  });

  it.each([
    [{ non_linearity: 'leakyrelu' }, /non_linearity "leakyrelu" is not supported, only gelu/],
    [{ phm_layer: true }, /phm_layer true is not supported, only false/],
    [{ use_gating: true }, /use_gating true/],
    [{ ln_before: true }, /ln_before true/],
    [{ ln_after: true }, /ln_after true/],
    [{ residual_before_ln: 'post_add' }, /residual_before_ln "post_add"/],
    [{ residual_before_ln: false }, /residual_before_ln false/],
    [{ adapter_residual_before_ln: true }, /adapter_residual_before_ln true/],
    [{ original_ln_after: false }, /original_ln_after false/],
    [{ inv_adapter: 'nice' }, /inv_adapter "nice"/],
    [{ scaling: 'learned' }, /scaling "learned" is not supported, only a number/],
    [{ architecture: 'lora' }, /architecture "lora"/],
    [{ architecture: 'prefix_tuning' }, /architecture "prefix_tuning"/],
    [{ leave_out: [2] }, /leave_out \[2\]/],
    [{ is_parallel: 'yes' }, /is_parallel "yes"/],
    [{ output_adapter: false }, /output_adapter false/],
    [{ bottleneck_dance: 1 }, /"bottleneck_dance" is not known/],
  ])('refuses %j by name', (change, message) => {
    expect(() => bind({ ...adapterSettings, ...change })).toThrow(message);
  });

  it.each([
    [{ model_type: 'roberta' }, /for "roberta", the base is bert/],
    [{ hidden_size: 768 }, /hidden size of 768, the base has 8/],
    [{ peft_type: 'LORA' }, /"LORA" adapters of the peft library are not supported. Supported: seq_bn/],
  ])('refuses an adapter of another base or library: %j', (file, message) => {
    expect(() => bind(adapterSettings, adapterTensors(3, 1), file)).toThrow(message);
  });

  it('refuses a base that is not BERT', () => {
    const config = { ...tinyConfig, modelType: 'distilbert' as const };
    expect(() =>
      bindAdapter({ config: adapterSettings }, weightsOf(adapterTensors(3, 1)), config, 'folder'),
    ).toThrow(/adapters of distilbert models are not supported/);
  });

  it('refuses a file that lacks a matrix, has another shape, or holds more', () => {
    const name = 'bert.encoder.layer.1.output.adapters.[PRX].adapter_up.bias';
    const { [name]: _, ...lacking } = adapterTensors(3, 1);
    expect(() => bind(adapterSettings, lacking)).toThrow(/expected a tensor adapter_up.bias beside/);
    const misshapen = { ...adapterTensors(3, 1), [name]: { dims: [4], data: new Float32Array(4) } };
    expect(() => bind(adapterSettings, misshapen)).toThrow(`expected ${name} to have shape [8], found [4]`);
    const lora = {
      ...adapterTensors(3, 1),
      'bert.encoder.layer.0.attention.self.query.loras.x.lora_A': {
        dims: [1],
        data: new Float32Array(1),
      },
    };
    expect(() => bind(adapterSettings, lora)).toThrow(/lora_A" belongs to no adapter of a supported kind/);
  });

  it('refuses matrices in places that the settings do not name, and places without matrices', () => {
    const attention = '.attention.output.adapters.[PRX].';
    const both = { ...adapterTensors(3, 1), ...adapterTensors(3, 2, undefined, attention) };
    expect(() => bind(adapterSettings, both)).toThrow(/attention.* has no place in the adapter/);
    expect(() => bind({ ...adapterSettings, mh_adapter: true })).toThrow(/for the attention of layer 0/);
    const adapter = bind({ ...adapterSettings, mh_adapter: true }, both);
    expect(adapter.bottleneck(0, 'attention')?.size).toBe(3);
  });

  it('refuses two adapters in one file', () => {
    const two = { ...adapterTensors(3, 1), ...adapterTensors(3, 2, undefined, '.output.adapters.other.') };
    expect(() => bind(adapterSettings, two)).toThrow(/weights of one adapter, found \[PRX\], other/);
  });
});
