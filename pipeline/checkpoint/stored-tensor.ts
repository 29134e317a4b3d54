/** A tensor in a file: its sizes, where its numbers stand, the checks on both, and reading it as float32. */

import { type ByteSource, fault, quoted } from './byte-source.ts';
import { bytesPerElement, type FloatType, isFloatType, type TensorType, widen } from './float-formats.ts';

/** A tensor whose place has been checked: every element of it lies inside the file. */
export interface StoredTensor {
  dims: number[];
  type: TensorType;
  /** Byte of the file at which the element with all indices 0 starts. */
  position: number;
  /** Elements from one index to the next, per dimension, none negative; null where row-major without gaps. */
  strides: number[] | null;
}

/** What a reader finds in one file. */
export interface StoredTensors {
  /** The file's format, for people. */
  format: string;
  tensors: Map<string, StoredTensor>;
}

/** More dimensions than PyTorch allows (64) are no tensor. */
export const maxDimensions = 64;

/** Bytes read at once where numbers have to be converted. */
const chunkBytes = 1 << 20;

/**
 * Number of elements.
 *
 * @throws UserError when a size is no whole number from 0 up, or the product is above 2^53 − 1.
 */
export function checkedElementCount(source: ByteSource, name: string, dims: readonly number[]): number {
  if (dims.length > maxDimensions) {
    throw fault(
      source,
      `expected at most ${maxDimensions} dimensions, tensor ${quoted(name)} has ${dims.length}.`,
    );
  }
  for (const size of dims) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw fault(
        source,
        `expected sizes to be whole numbers from 0 up, tensor ${quoted(name)} has [${dims}].`,
      );
    }
  }
  // A zero anywhere makes it empty, however large the rest: [2^40, 2^40, 0] is a tensor without elements.
  if (dims.includes(0)) return 0;
  let count = 1;
  for (const size of dims) {
    count *= size;
    if (!Number.isSafeInteger(count)) {
      throw fault(source, `tensor ${quoted(name)} claims sizes [${dims}], more than 2^53 elements.`);
    }
  }
  return count;
}

/** @throws UserError when a name is empty, endless, or has control characters that would garble a message. */
export function checkTensorName(source: ByteSource, name: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (name === '' || name.length > 1024 || /[\u0000-\u001f\u007f]/.test(name)) {
    throw fault(source, `expected a tensor's name of 1 to 1024 printable characters, found ${quoted(name)}.`);
  }
}

/**
 * Reads a tensor.
 *
 * Memory: the result; 1 MiB where numbers are converted; for a tensor with strides the stretch of the
 * file that it is spread over, which the file really has.
 *
 * @returns Float32Array [product of dims], row-major.
 * @throws UserError when its elements are no floats, or memory does not suffice.
 */
export function readStoredTensor(source: ByteSource, name: string, tensor: StoredTensor): Float32Array {
  const { dims, type, position, strides } = tensor;
  if (!isFloatType(type)) {
    throw fault(source, `expected tensor ${quoted(name)} to hold floats, it holds ${type}.`);
  }
  const count = dims.reduce((product, size) => product * size, 1);
  if (strides === null || count === 0) return readRun(source, name, type, position, count);
  const length = 1 + strides.reduce((sum, stride, axis) => sum + stride * (dims[axis] - 1), 0);
  return gather(readRun(source, name, type, position, length), dims, strides, allocate(source, name, count));
}

/** Elements that stand side by side, as float32. */
function readRun(
  source: ByteSource,
  name: string,
  type: FloatType,
  position: number,
  count: number,
): Float32Array {
  const values = allocate(source, name, count);
  if (type === 'float32') {
    source.read(new Uint8Array(values.buffer), position);
    return values;
  }
  const size = bytesPerElement[type];
  const chunk = new Uint8Array(Math.min(chunkBytes, count * size));
  for (let done = 0; done < count; ) {
    const n = Math.min(count - done, chunkBytes / size);
    const bytes = chunk.subarray(0, n * size);
    source.read(bytes, position + done * size);
    widen(type, bytes, values, done);
    done += n;
  }
  return values;
}

function allocate(source: ByteSource, name: string, count: number): Float32Array {
  try {
    return new Float32Array(count);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw fault(
      source,
      `tensor ${quoted(name)} of ${count} numbers does not fit into memory (${4 * count} bytes).`,
    );
  }
}

/** Puts spread-out elements into row-major order. */
function gather(
  spread: Float32Array,
  dims: readonly number[],
  strides: readonly number[],
  values: Float32Array,
): Float32Array {
  // The last axis runs in the inner loop; the others count up as an odometer does.
  const last = dims.length - 1;
  const width = dims[last];
  const step = strides[last];
  const index = new Array<number>(last).fill(0);
  let from = 0;
  for (let to = 0; to < values.length; ) {
    for (let i = 0; i < width; i++) values[to++] = spread[from + i * step];
    for (let axis = last - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < dims[axis]) break;
      from -= strides[axis] * dims[axis];
      index[axis] = 0;
    }
  }
  return values;
}
