/** Finds the named tensors in what a pickle made. */

import { type ByteSource, fault, quoted } from './byte-source.ts';
import { describeValue, PickleDict, type PickleValue } from './pickle.ts';
import { checkTensorName, type StoredTensor } from './stored-tensor.ts';
import { PickledTensor, placeTensor } from './torch-objects.ts';

/** Where training programs put the weights beside the optimizer's state and other things, first found first. */
const wrappers = ['state_dict', 'model_state_dict', 'model'] as const;

/**
 * The tensors of a state dictionary, or of a training checkpoint's. Entries that are no tensors (version
 * numbers, settings) are not weights and stay unread.
 *
 * @param positions Byte of the file at which each storage's elements start, by its key.
 * @throws UserError when there is no dictionary of tensors, or a tensor leaves its storage.
 */
export function placeStateDict(
  source: ByteSource,
  root: PickleValue,
  positions: ReadonlyMap<string, number>,
): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, value] of stateDictOf(source, root).entries) {
    if (!(value instanceof PickledTensor)) continue;
    if (typeof name !== 'string') {
      throw fault(source, `expected tensors to be named by texts, found one named ${describeValue(name)}.`);
    }
    checkTensorName(source, name);
    const { key } = value.view.storage;
    const position = positions.get(key);
    if (position === undefined) throw new Error(`${source.path}: storage ${quoted(key)} has no place.`);
    tensors.set(name, placeTensor(source, name, value, position));
  }
  return tensors;
}

function stateDictOf(source: ByteSource, root: PickleValue): PickleDict {
  if (!(root instanceof PickleDict)) {
    throw fault(
      source,
      `expected a dictionary of named tensors, found ${describeValue(root)}. Save the weights with torch.save(model.state_dict(), …).`,
    );
  }
  if (holdsTensors(root) || root.entries.size === 0) return root;
  for (const wrapper of wrappers) {
    const inner = root.entries.get(wrapper);
    if (inner instanceof PickleDict && holdsTensors(inner)) return inner;
  }
  const keys = [...root.entries.keys()].slice(0, 10).map((key) => keyText(key));
  throw fault(
    source,
    `expected named tensors, at the top or under ${wrappers.join(', ')}; found entries ${keys.join(', ')}${root.entries.size > 10 ? ', …' : ''}.`,
  );
}

function holdsTensors(dict: PickleDict): boolean {
  for (const value of dict.entries.values()) if (value instanceof PickledTensor) return true;
  return false;
}

function keyText(key: PickleValue): string {
  return typeof key === 'string' ? quoted(key) : describeValue(key);
}
