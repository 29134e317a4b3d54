/**
 * Safetensors files: 8 bytes of header length, a JSON header, the tensors' bytes without gaps.
 *
 * Source: https://github.com/huggingface/safetensors#format and the checks of its reference reader.
 */

import { type ByteSource, fault, quoted } from './byte-source.ts';
import { bytesPerElement, type TensorType } from './float-formats.ts';
import { parseSafetensorsHeader } from './safetensors-header.ts';
import {
  checkedElementCount,
  checkTensorName,
  type StoredTensor,
  type StoredTensors,
} from './stored-tensor.ts';

const types: ReadonlyMap<string, TensorType> = new Map([
  ['F64', 'float64'],
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I64', 'int64'],
  ['I32', 'int32'],
  ['I16', 'int16'],
  ['I8', 'int8'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
]);

/**
 * Longest header that is read. The reference allows 100 MB; BERT-base has 25 kB, and this suffices for
 * some 300,000 tensors.
 */
const maxHeaderBytes = 2 ** 25;

/** Of the number that says how long the header is. */
const lengthBytes = 8;

/**
 * Finds the tensors of a safetensors file and checks that each lies inside it.
 *
 * @throws UserError when the file is not as the format asks, or has a type of number that is not read.
 */
export function readSafetensors(source: ByteSource): StoredTensors {
  const header = readHeader(source);
  const dataStart = lengthBytes + header.length;
  const dataBytes = source.bytes - dataStart;

  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of parseSafetensorsHeader(source, header)) {
    checkTensorName(source, name);
    const type = types.get(entry.type);
    if (type === undefined) {
      throw fault(
        source,
        `tensor ${quoted(name)} holds ${quoted(entry.type)}; numbers are read as ${[...types.keys()].join(', ')}.`,
      );
    }
    const bytes = checkedElementCount(source, name, entry.dims) * bytesPerElement[type];
    if (entry.end - entry.start !== bytes) {
      throw fault(
        source,
        `tensor ${quoted(name)} of ${type} [${entry.dims}] needs ${bytes} bytes, its offsets are ${entry.start} and ${entry.end}.`,
      );
    }
    if (entry.end > dataBytes) {
      throw fault(
        source,
        `tensor ${quoted(name)} claims bytes ${entry.start} to ${entry.end} of the data, the file has ${dataBytes}. Fetch it again.`,
      );
    }
    tensors.set(name, { dims: entry.dims, type, position: dataStart + entry.start, strides: null });
  }
  checkCover(source, tensors, dataStart);
  return { format: 'safetensors', tensors };
}

function readHeader(source: ByteSource): Uint8Array {
  if (source.bytes < lengthBytes) {
    throw fault(source, `expected the 8 bytes of a safetensors header's length, found ${source.bytes}.`);
  }
  const start = new Uint8Array(lengthBytes);
  source.read(start, 0);
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length > source.bytes - lengthBytes) {
    throw fault(
      source,
      `the safetensors header claims ${length} bytes, the file has ${source.bytes - lengthBytes} after its length. Fetch it again.`,
    );
  }
  if (length > maxHeaderBytes) {
    throw fault(source, `expected a safetensors header of at most ${maxHeaderBytes} bytes, found ${length}.`);
  }
  const header = new Uint8Array(length);
  source.read(header, lengthBytes);
  return header;
}

/** The format asks that tensors neither overlap nor leave a byte of the data to nobody. */
function checkCover(source: ByteSource, tensors: ReadonlyMap<string, StoredTensor>, dataStart: number): void {
  const ranges = [...tensors].map(([name, { dims, type, position }]) => ({
    name,
    start: position,
    end: position + dims.reduce((product, size) => product * size, bytesPerElement[type]),
  }));
  ranges.sort((a, b) => a.start - b.start || a.end - b.end);
  let at = dataStart;
  for (const { name, start, end } of ranges) {
    if (start !== at) {
      const what = start < at ? 'overlaps the tensor before it' : 'leaves a gap before it';
      throw fault(
        source,
        `tensor ${quoted(name)} ${what}: expected it at byte ${at}, its offset says ${start}.`,
      );
    }
    at = end;
  }
  if (at !== source.bytes) {
    throw fault(source, `${source.bytes - at} bytes after the last tensor belong to none.`);
  }
}
