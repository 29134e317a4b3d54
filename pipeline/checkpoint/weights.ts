/** Opens a file of weights, whatever its format, and reads its tensors one by one. */

import { type ByteSource, fault, openByteSource, quoted } from './byte-source.ts';
import { fileKindOf } from './file-kind.ts';
import type { TensorType } from './float-formats.ts';
import { readSafetensors } from './safetensors.ts';
import { readStoredTensor, type StoredTensors } from './stored-tensor.ts';
import { readTorchArchive } from './torch-archive.ts';
import { readTorchStream } from './torch-stream.ts';

export interface TensorShape {
  /** [] for a scalar. */
  dims: number[];
  type: TensorType;
}

/** Named tensors of a checkpoint. */
export interface Weights {
  /** For people: "safetensors". */
  readonly format: string;
  readonly tensors: ReadonlyMap<string, TensorShape>;
  /**
   * A tensor's numbers, row-major; read from the file at each call.
   *
   * @throws UserError when there is no such tensor, or its elements are no floats.
   */
  read(name: string): Float32Array;
  close(): void;
}

/**
 * Opens one file. Its content tells the format, not its name: safetensors, PyTorch's zip archive, or the
 * stream of PyTorch before 1.6. All sizes in it are checked here; no tensor is read yet.
 *
 * @throws UserError when the file is missing, damaged, or no file of weights, saying what it is.
 */
export function openWeights(path: string): Weights {
  const source = openByteSource(path);
  try {
    return weightsFrom(source);
  } catch (error) {
    source.close();
    throw error;
  }
}

/** The same for bytes from elsewhere; closing the weights closes them. */
export function weightsFrom(source: ByteSource): Weights {
  const { format, tensors } = readTensors(source);
  return {
    format,
    tensors,
    read: (name) => {
      const tensor = tensors.get(name);
      if (tensor !== undefined) return readStoredTensor(source, name, tensor);
      throw fault(source, missingTensor(name, [...tensors.keys()]));
    },
    close: () => source.close(),
  };
}

/** Says which tensor is not there, and which are. */
export function missingTensor(name: string, names: readonly string[]): string {
  const some = names.slice(0, 5).map(quoted).join(', ');
  return `expected tensor ${quoted(name)}; there are ${names.length}: ${some}${names.length > 5 ? ', …' : ''}.`;
}

function readTensors(source: ByteSource): StoredTensors {
  const kind = fileKindOf(source);
  switch (kind) {
    case 'safetensors':
      return readSafetensors(source);
    case 'zip':
      return readTorchArchive(source);
    case 'pickle':
      return readTorchStream(source);
  }
}
