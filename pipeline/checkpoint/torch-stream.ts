/**
 * PyTorch's files before version 1.6, of which the hub has many: pickles of a magic number, a version, the
 * writing machine's properties, the object and the storages' keys, then the storages, each an int64 count
 * and its elements.
 *
 * Source: torch/serialization.py (_legacy_save, _legacy_load) of PyTorch 2.x.
 */

import { type ByteSource, Cursor, fault, quoted } from './byte-source.ts';
import { bytesPerElement } from './float-formats.ts';
import { describeValue, PickleDict, PickleList, plainData, readPickle } from './pickle.ts';
import { placeStateDict } from './state-dict.ts';
import type { StoredTensors } from './stored-tensor.ts';
import { type TorchStorage, torchHost } from './torch-objects.ts';

const magicNumber = 0x1950a86a20f9469cfc6cn;
const version = 1001;

/** Longest stretch of pickles that is read; BERT-base's has 20 kB. */
const maxPickleBytes = 2 ** 25;

/** Of the count before each storage. */
const countBytes = 8;

/**
 * Finds the tensors of a PyTorch stream. Bytes after the last storage are left alone, as PyTorch does.
 *
 * @throws UserError when the stream is damaged, is some other pickle, or asks for more than tensors.
 */
export function readTorchStream(source: ByteSource): StoredTensors {
  const cursor = new Cursor(source, 0, Math.min(source.bytes, maxPickleBytes), 'PyTorch stream');
  const magic = readPickle(cursor, plainData);
  if (magic !== magicNumber) {
    throw fault(
      source,
      `expected weights as torch.save writes them, found a plain pickle of ${describeValue(magic)}.`,
    );
  }
  const found = readPickle(cursor, plainData);
  if (found !== version) {
    throw cursor.fault(`expected version ${version} of the PyTorch stream, found ${describeValue(found)}`);
  }
  const machine = readPickle(cursor, plainData);
  if (!(machine instanceof PickleDict) || machine.entries.get('little_endian') !== true) {
    throw cursor.fault('expected numbers written by a little-endian machine, the file does not say so');
  }

  const { host, storages } = torchHost();
  const root = readPickle(cursor, host);
  const keys = readPickle(cursor, plainData);
  if (!(keys instanceof PickleList)) {
    throw cursor.fault(`expected the list of storages, found ${describeValue(keys)}`);
  }
  const positions = new Map<string, number>();
  let position = cursor.position;
  for (const key of keys.items) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined || positions.has(storage.key)) {
      throw cursor.fault(`expected each storage of the pickle once, found ${describeValue(key)}`);
    }
    position += countBytes;
    positions.set(storage.key, position);
    position = checkedEnd(source, storage, position);
  }
  const missing = [...storages.keys()].find((key) => !positions.has(key));
  if (missing !== undefined) {
    throw cursor.fault(`expected each storage of the pickle once, ${quoted(missing)} is missing`);
  }
  const tensors = placeStateDict(source, root, positions);
  return { format: 'PyTorch stream', tensors };
}

/**
 * @param position Of the storage's first element, behind its count.
 * @returns The byte after the last element.
 */
function checkedEnd(source: ByteSource, storage: TorchStorage, position: number): number {
  const { key, type, length } = storage;
  const end = position + length * bytesPerElement[type];
  if (end > source.bytes) {
    throw fault(
      source,
      `storage ${quoted(key)} of ${length} × ${type} ends at byte ${end}, the file has ${source.bytes}. Fetch it again.`,
    );
  }
  const count = new Cursor(
    source,
    position - countBytes,
    position,
    `count of storage ${quoted(key)}`,
  ).uint64();
  if (count !== length) {
    throw fault(
      source,
      `storage ${quoted(key)} has ${length} elements by the pickle, ${count} by its count.`,
    );
  }
  return end;
}
