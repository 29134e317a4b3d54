/**
 * Reads bottleneck adapters of the `adapters` library (adapter_config.json and one file of weights), as
 * SPECTER2's are. Three kinds are implemented: `seq_bn` (once `pfeiffer`), `double_seq_bn` (`houlsby`) and
 * `par_bn` (parallel). Any setting that would change their arithmetic is refused by name.
 *
 * A block of the transformer ends in LN(h + input), h being what its last matrix gives. With an adapter:
 *
 *     s = LN(h + input)    seq_bn, by the block's own LayerNorm
 *     s = h                double_seq_bn
 *     s = input            par_bn
 *     LN(h + input + scaling · (W_up · activation(W_down · s + b_down) + b_up))
 *
 * Source: adapters 1.2.0, methods/modeling.py (Adapter, ParallelAdapter).
 */

import { UserError } from '../errors.ts';
import { type Activation, activationNames, activationOf, type BertConfig } from './bert-config.ts';
import type { Weights } from './weights.ts';

/** What the bottleneck reads: LN(h + input), h, or the block's input. */
export type BottleneckSource = 'normalized' | 'raw' | 'input';

/** The end of a layer's attention, and the end of the layer. */
export type AdapterPlace = 'attention' | 'output';

export interface Adapter {
  /** Its own name, from its file. */
  name: string;
  source: BottleneckSource;
  activation: Activation;
  /** @returns Null where the adapter has nothing: its places and left-out layers. */
  bottleneck(layer: number, place: AdapterPlace): Bottleneck | null;
}

export interface Bottleneck {
  /** Rows of W_down. */
  size: number;
  read(): BottleneckWeights;
}

/** The scaling is in `up` and `upBias` already. */
export interface BottleneckWeights {
  /** W_down [size × hidden] and its bias [size]. */
  down: Float32Array;
  downBias: Float32Array;
  /** W_up [hidden × size] and its bias [hidden]. */
  up: Float32Array;
  upBias: Float32Array;
}

/** What adapter_config.json says, as far as it changes the arithmetic. */
interface Settings {
  source: BottleneckSource;
  activation: Activation;
  scaling: number;
  places: readonly AdapterPlace[];
  leftOut: ReadonlySet<number>;
}

/** Fields that set how the adapter was made or trained, or belong to kinds that other fields switch off. */
const ignoredFields: readonly string[] = [
  'architecture',
  'dropout',
  'factorized_phm_W',
  'factorized_phm_rule',
  'hypercomplex_nonlinearity',
  'init_weights',
  'init_weights_seed',
  'inv_adapter_reduction_factor',
  'learn_phm',
  'phm_bias',
  'phm_c_init',
  'phm_dim',
  'phm_init_range',
  'phm_rank',
  // The sizes of the matrices themselves say it.
  'reduction_factor',
  'shared_W_phm',
  'shared_phm_rule',
  'stochastic_depth',
];

/** Fields with one value that is implemented. */
const requiredValues: Readonly<Record<string, unknown>> = {
  adapter_residual_before_ln: false,
  cross_adapter: false,
  inv_adapter: null,
  ln_after: false,
  ln_before: false,
  original_ln_after: true,
  phm_layer: false,
  residual_before_ln: true,
  use_gating: false,
};

const readFields = [
  'is_parallel',
  'leave_out',
  'mh_adapter',
  'non_linearity',
  'original_ln_before',
  'output_adapter',
  'scaling',
];

/** Names that files may give in place of the settings, and what they stand for. */
const sequential = { original_ln_before: true, mh_adapter: false, non_linearity: 'relu' };
const doubleSequential = { original_ln_before: false, mh_adapter: true, non_linearity: 'swish' };
const namedConfigurations: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map([
  ['seq_bn', sequential],
  ['pfeiffer', sequential],
  ['double_seq_bn', doubleSequential],
  ['houlsby', doubleSequential],
]);

const supported = 'seq_bn (pfeiffer), double_seq_bn (houlsby) and par_bn bottleneck adapters';

/**
 * @param value What adapter_config.json holds.
 * @param where Named in errors: the adapter's folder.
 * @throws UserError when the adapter is of another kind, is for another model, or lacks a tensor.
 */
export function bindAdapter(value: unknown, weights: Weights, config: BertConfig, where: string): Adapter {
  const file = recordOf(value, where, 'adapter_config.json');
  checkModel(file, config, where);
  const settings = settingsOf(file.config, config, where);
  const { name, tensors } = indexTensors(weights, where);
  const bottlenecks = new Map<string, Bottleneck>();
  for (let layer = 0; layer < config.layers; layer++) {
    if (settings.leftOut.has(layer)) continue;
    for (const place of settings.places) {
      const key = keyOf(layer, place);
      const parts = tensors.get(key);
      if (parts === undefined) {
        throw new UserError(
          `${where}: expected matrices of the adapter for the ${place} of layer ${layer}, found none. The file is not whole, or adapter_config.json belongs to another adapter.`,
        );
      }
      tensors.delete(key);
      bottlenecks.set(key, bindBottleneck(weights, parts, settings.scaling, config.hidden, where));
    }
  }
  for (const parts of tensors.values()) {
    throw new UserError(
      `${where}: ${[...parts.values()][0]} has no place in the adapter that adapter_config.json describes.`,
    );
  }
  return {
    name,
    source: settings.source,
    activation: settings.activation,
    bottleneck: (layer, place) => bottlenecks.get(keyOf(layer, place)) ?? null,
  };
}

/** An adapter made for another base would give vectors that look right and are not. */
function checkModel(file: Readonly<Record<string, unknown>>, config: BertConfig, where: string): void {
  const { model_type: modelType, hidden_size: hidden, peft_type: peft } = file;
  if (peft !== undefined) {
    throw new UserError(
      `${where}: ${JSON.stringify(peft)} adapters of the peft library are not supported. Supported: ${supported} of the adapters library.`,
    );
  }
  if (config.modelType !== 'bert') {
    throw new UserError(`${where}: adapters of ${config.modelType} models are not supported, only of bert.`);
  }
  if (modelType !== undefined && modelType !== null && modelType !== 'bert') {
    throw new UserError(`${where}: the adapter is for ${JSON.stringify(modelType)}, the base is bert.`);
  }
  if (hidden !== undefined && hidden !== null && hidden !== config.hidden) {
    throw new UserError(
      `${where}: the adapter is for a hidden size of ${JSON.stringify(hidden)}, the base has ${config.hidden}.`,
    );
  }
}

/** Everything the settings say is read, required or known to be without effect; anything else is refused. */
function settingsOf(value: unknown, config: BertConfig, where: string): Settings {
  const named = typeof value === 'string' ? namedConfigurations.get(value) : undefined;
  if (typeof value === 'string' && named === undefined) {
    throw new UserError(
      `${where}: adapter configuration ${JSON.stringify(value)} is not supported. Supported: ${supported}.`,
    );
  }
  const fields = named ?? recordOf(value, where, 'config in adapter_config.json');
  const refuse = (field: string, wanted: string): never => {
    throw new UserError(
      `${where}: adapter setting ${field} ${JSON.stringify(fields[field])} is not supported, only ${wanted}. Supported: ${supported}.`,
    );
  };
  if (typeof fields.architecture === 'string') refuse('architecture', 'none (a bottleneck)');
  for (const [field, found] of Object.entries(fields)) {
    if (Object.hasOwn(requiredValues, field)) {
      if (found !== requiredValues[field]) refuse(field, JSON.stringify(requiredValues[field]));
    } else if (!readFields.includes(field) && !ignoredFields.includes(field)) {
      throw new UserError(
        `${where}: adapter setting ${JSON.stringify(field)} is not known. Supported: ${supported}.`,
      );
    }
  }
  const truth = (field: string, missing: boolean): boolean => {
    const found = fields[field] ?? missing;
    return typeof found === 'boolean' ? found : refuse(field, 'true or false');
  };
  const normalized = truth('original_ln_before', false);
  const source = truth('is_parallel', false) ? 'input' : normalized ? 'normalized' : 'raw';
  const activation =
    typeof fields.non_linearity === 'string' ? activationOf(fields.non_linearity) : undefined;
  const { scaling = 1 } = fields;
  const places: AdapterPlace[] = [];
  if (truth('mh_adapter', false)) places.push('attention');
  if (truth('output_adapter', true)) places.push('output');
  if (places.length === 0) refuse('output_adapter', 'true where mh_adapter is false');
  return {
    source,
    activation: activation ?? refuse('non_linearity', activationNames.join(', ')),
    scaling:
      typeof scaling === 'number' && Number.isFinite(scaling) ? scaling : refuse('scaling', 'a number'),
    places,
    leftOut: leftOutLayers(fields.leave_out ?? [], config) ?? refuse('leave_out', 'a list of layer numbers'),
  };
}

function leftOutLayers(value: unknown, config: BertConfig): Set<number> | undefined {
  if (!Array.isArray(value)) return undefined;
  const layers = new Set<number>();
  for (const layer of value) {
    if (!Number.isInteger(layer) || layer < 0 || layer >= config.layers) return undefined;
    layers.add(layer);
  }
  return layers;
}

/** Parts of a bottleneck, as their names end. */
const partNames = ['adapter_down.0.weight', 'adapter_down.0.bias', 'adapter_up.weight', 'adapter_up.bias'];

const tensorName =
  /^(?:.+\.)?encoder\.layer\.(\d{1,4})\.(attention\.)?output\.(?:adapters|layer_text_task_adapters|attention_text_task_adapters)\.(.+)\.(adapter_(?:down\.0|up)\.(?:weight|bias))$/;

/** Tensor names by place and part. Weights of prediction heads, which vectors do not pass, are left alone. */
function indexTensors(
  weights: Weights,
  where: string,
): { name: string; tensors: Map<string, Map<string, string>> } {
  const names = new Set<string>();
  const tensors = new Map<string, Map<string, string>>();
  for (const stored of weights.tensors.keys()) {
    if (/^heads\./.test(stored)) continue;
    const match = tensorName.exec(stored);
    if (match === null) {
      throw new UserError(
        `${where}: tensor ${JSON.stringify(stored)} belongs to no adapter of a supported kind. Supported: ${supported}.`,
      );
    }
    const [, layer, attention, name, part] = match;
    names.add(name);
    const key = keyOf(Number(layer), attention === undefined ? 'output' : 'attention');
    const parts = tensors.get(key) ?? new Map<string, string>();
    parts.set(part, stored);
    tensors.set(key, parts);
  }
  const [name] = names;
  if (name === undefined || names.size > 1) {
    throw new UserError(
      `${where}: expected the weights of one adapter, found ${names.size === 0 ? 'none' : [...names].join(', ')}.`,
    );
  }
  return { name, tensors };
}

const keyOf = (layer: number, place: AdapterPlace): string => `${layer} ${place}`;

function bindBottleneck(
  weights: Weights,
  parts: ReadonlyMap<string, string>,
  scaling: number,
  hidden: number,
  where: string,
): Bottleneck {
  const size = weights.tensors.get(parts.get('adapter_down.0.bias') ?? '')?.dims[0] ?? 0;
  const shapes = [[size, hidden], [size], [hidden, size], [hidden]];
  const [down, downBias, up, upBias] = partNames.map((part, p) => {
    const stored = parts.get(part);
    if (stored === undefined) {
      throw new UserError(
        `${where}: expected a tensor ${part} beside ${[...parts.values()][0]}, found none.`,
      );
    }
    const dims = weights.tensors.get(stored)?.dims ?? [];
    if (size === 0 || dims.length !== shapes[p].length || dims.some((entry, i) => entry !== shapes[p][i])) {
      throw new UserError(
        `${where}: expected ${stored} to have shape [${shapes[p].join(' × ')}], found [${dims.join(' × ')}].`,
      );
    }
    return stored;
  });
  return {
    size,
    read: () => ({
      down: weights.read(down),
      downBias: weights.read(downBias),
      up: scaled(weights.read(up), scaling),
      upBias: scaled(weights.read(upBias), scaling),
    }),
  };
}

const scaled = (values: Float32Array, scaling: number): Float32Array =>
  scaling === 1 ? values : values.map((value) => value * scaling);

function recordOf(value: unknown, where: string, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`${where}: expected ${what} to be a JSON object, found ${JSON.stringify(value)}.`);
  }
  return value as Readonly<Record<string, unknown>>;
}
