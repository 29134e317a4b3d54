/**
 * What PyTorch's pickles may name: storages, the functions that make a tensor of one, OrderedDict and
 * torch.Size. A tensor made here is a description; its numbers stay in the file.
 *
 * Source: torch/_utils.py and torch/serialization.py of PyTorch 2.x.
 */

import { type ByteSource, type Cursor, fault, quoted } from './byte-source.ts';
import { bytesPerElement, type TensorType } from './float-formats.ts';
import {
  describeValue,
  describeValues,
  PickleDict,
  PickledObject,
  PickleGlobal,
  type PickleHost,
  PickleList,
  PickleTuple,
  type PickleValue,
} from './pickle.ts';
import { checkedElementCount, maxDimensions, type StoredTensor } from './stored-tensor.ts';

/** A stretch of numbers that the file keeps under a key. */
export interface TorchStorage {
  readonly key: string;
  readonly type: TensorType;
  /** Elements. */
  readonly length: number;
}

/** Part of a storage; all of it, but for the views that old PyTorch had. */
class StorageView extends PickledObject {
  readonly description = 'a storage';
  readonly storage: TorchStorage;
  /** First element. */
  readonly start: number;
  /** Elements. */
  readonly length: number;

  constructor(storage: TorchStorage, start: number, length: number) {
    super();
    this.storage = storage;
    this.start = start;
    this.length = length;
  }
}

/** A tensor as its pickle describes it; nothing but the types has been checked. */
export class PickledTensor extends PickledObject {
  readonly description = 'a tensor';
  readonly view: StorageView;
  /** Element of the view at which the tensor starts. */
  readonly offset: number;
  readonly dims: readonly number[];
  readonly strides: readonly number[];

  constructor(view: StorageView, offset: number, dims: readonly number[], strides: readonly number[]) {
    super();
    this.view = view;
    this.offset = offset;
    this.dims = dims;
    this.strides = strides;
  }
}

const storageTypes: Readonly<Record<string, TensorType>> = {
  'torch.FloatStorage': 'float32',
  'torch.HalfStorage': 'float16',
  'torch.BFloat16Storage': 'bfloat16',
  'torch.DoubleStorage': 'float64',
  'torch.LongStorage': 'int64',
  'torch.IntStorage': 'int32',
  'torch.ShortStorage': 'int16',
  'torch.CharStorage': 'int8',
  'torch.ByteStorage': 'uint8',
  'torch.BoolStorage': 'bool',
};

const globals: ReadonlyMap<string, PickleGlobal> = new Map(
  [
    ...Object.keys(storageTypes).map((name) => new PickleGlobal(name, null)),
    new PickleGlobal('torch._utils._rebuild_tensor', rebuildTensor),
    new PickleGlobal('torch._utils._rebuild_tensor_v2', rebuildTensor),
    new PickleGlobal('torch._utils._rebuild_parameter', rebuildParameter),
    new PickleGlobal('torch.Size', makeSize),
    new PickleGlobal('collections.OrderedDict', makeOrderedDict),
  ].map((entry) => [entry.name, entry]),
);

/**
 * A host for one file's pickle.
 *
 * @returns The host, and the storages by key that the pickle has asked it for.
 */
export function torchHost(): { host: PickleHost; storages: Map<string, TorchStorage> } {
  const storages = new Map<string, TorchStorage>();
  const persistent = (id: PickleValue, cursor: Cursor): PickleValue => storageOf(id, storages, cursor);
  return { host: { globals, persistent }, storages };
}

/**
 * Checks a tensor against its storage.
 *
 * @param storagePosition Byte of the file at which the storage's elements start; all of them are there.
 * @throws UserError when a size, stride or offset leads out of the storage, or its elements are more than
 *   the file could hold (a stride of 0 repeats an element without end).
 */
export function placeTensor(
  source: ByteSource,
  name: string,
  tensor: PickledTensor,
  storagePosition: number,
): StoredTensor {
  const { view, offset, strides } = tensor;
  const dims = [...tensor.dims];
  const { type } = view.storage;
  const count = checkedElementCount(source, name, dims);
  const what = `tensor ${quoted(name)} of sizes [${dims}], strides [${strides}] and offset ${offset}`;
  if (strides.length !== dims.length || !strides.every(isSize) || !isSize(offset)) {
    throw fault(source, `${what}: expected an offset, and a stride per size, of whole numbers from 0 up.`);
  }
  const position = storagePosition + (view.start + offset) * bytesPerElement[type];
  if (count === 0) return { dims, type, position: storagePosition, strides: null };
  const last = strides.reduce((sum, stride, axis) => sum + stride * (dims[axis] - 1), offset);
  if (last >= view.length) {
    throw fault(source, `${what} reaches element ${last} of a storage of ${view.length}.`);
  }
  if (count * bytesPerElement[type] > source.bytes) {
    throw fault(source, `${what} has more numbers than a file of ${source.bytes} bytes can hold.`);
  }
  return { dims, type, position, strides: isRowMajor(dims, strides) ? null : [...strides] };
}

/** Strides along a size of 1 are never used, and PyTorch puts anything there. */
function isRowMajor(dims: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    if (dims[axis] === 1) continue;
    if (strides[axis] !== expected) return false;
    expected *= dims[axis];
  }
  return true;
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** ('storage', type, key, location, length), and in the older stream a sixth: None, or what part is meant. */
function storageOf(id: PickleValue, storages: Map<string, TorchStorage>, cursor: Cursor): StorageView {
  const [kind, typeName, key, , length, part] = id instanceof PickleTuple ? id.items : [];
  const type = typeName instanceof PickleGlobal ? storageTypes[typeName.name] : undefined;
  if (kind !== 'storage' || type === undefined || typeof key !== 'string' || !isSize(length)) {
    throw cursor.fault(
      `expected a storage's type, key, location and length, found ${id instanceof PickleTuple ? describeValues(id.items) : describeValue(id)}`,
    );
  }
  const known = storages.get(key);
  if (known !== undefined && (known.type !== type || known.length !== length)) {
    throw cursor.fault(
      `storage ${quoted(key)} is both ${known.length} × ${known.type} and ${length} × ${type}`,
    );
  }
  const storage = known ?? { key, type, length };
  storages.set(key, storage);
  if (part === undefined || part === null) return new StorageView(storage, 0, length);

  const [, start, partLength] = part instanceof PickleTuple ? part.items : [];
  if (!isSize(start) || !isSize(partLength) || start + partLength > length) {
    throw cursor.fault(
      `expected a part of storage ${quoted(key)} of ${length}, found ${describeValue(part)}`,
    );
  }
  return new StorageView(storage, start, partLength);
}

/**
 * (storage, offset, sizes, strides), in version 2 followed by requires_grad, hooks and flags. Gradients and
 * hooks do not change the numbers; flags (conjugated, negated) would, and are refused.
 */
function rebuildTensor(args: readonly PickleValue[], cursor: Cursor): PickledTensor {
  const [view, offset, sizes, strides, , , flags] = args;
  if (!(view instanceof StorageView) || !isSize(offset)) {
    throw cursor.fault(
      `expected a tensor's storage and its offset from 0 up, found ${describeValue(view)}, ${describeValue(offset)}`,
    );
  }
  if (flags !== undefined && flags !== null && !(flags instanceof PickleDict && flags.entries.size === 0)) {
    throw cursor.fault(`expected a tensor without flags, found ${describeValue(flags)}`);
  }
  return new PickledTensor(view, offset, sizesOf(sizes, cursor), sizesOf(strides, cursor));
}

function sizesOf(value: PickleValue | undefined, cursor: Cursor): number[] {
  const items = value instanceof PickleTuple ? value.items : [];
  if (items.length > maxDimensions) {
    throw cursor.fault(`expected at most ${maxDimensions} dimensions, found ${items.length}`);
  }
  if (value instanceof PickleTuple && items.every(isSize)) return [...items];
  const found = value instanceof PickleTuple ? describeValues(items) : describeValue(value);
  throw cursor.fault(`expected a tensor's sizes and strides to be whole numbers from 0 up, found ${found}`);
}

/** (tensor, requires_grad, hooks) */
function rebuildParameter(args: readonly PickleValue[], cursor: Cursor): PickledTensor {
  if (args[0] instanceof PickledTensor) return args[0];
  throw cursor.fault(`expected a parameter's tensor, found ${describeValue(args[0])}`);
}

function makeSize(args: readonly PickleValue[], cursor: Cursor): PickleTuple {
  if (args.length === 1 && args[0] instanceof PickleTuple) return args[0];
  throw cursor.fault(`expected a tuple for torch.Size, found ${describeValues(args)}`);
}

/** Python 3 makes it empty and sets items later; Python 2 hands over a list of [key, value] lists. */
function makeOrderedDict(args: readonly PickleValue[], cursor: Cursor): PickleDict {
  const dict = new PickleDict();
  if (args.length === 0) return dict;
  const [list] = args;
  if (args.length > 1 || !(list instanceof PickleList)) {
    throw cursor.fault(`expected nothing or pairs for OrderedDict, found ${describeValues(args)}`);
  }
  // The list is used up: a short pickle could otherwise have a long one copied any number of times.
  const pairs = list.items;
  list.items = [];
  for (const pair of pairs) {
    if (!(pair instanceof PickleList) || pair.items.length !== 2) {
      throw cursor.fault(`expected pairs for OrderedDict, found ${describeValue(pair)}`);
    }
    dict.entries.set(pair.items[0], pair.items[1]);
  }
  return dict;
}
