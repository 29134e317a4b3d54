/**
 * Writes and reads ONNX files: a graph builder over a small protobuf writer, and a reader for the parts
 * this project needs back (initializers, metadata, names). Running a graph is session.ts's affair.
 *
 * Field numbers are those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
 */

import {
  type ElementType,
  elementCount,
  elementTypeOf,
  type TensorData,
  type TensorValue,
} from './tensor.ts';

/** A size, or the name of a size that is known at run time only. */
export type Dimension = number | string;

/** A whole number becomes INT, an array INTS; a real number has to say so: `float(0.5)`. */
export type Attribute = number | readonly number[] | string | FloatAttribute | TensorValue;
export interface FloatAttribute {
  float: number;
}
export const float = (value: number): FloatAttribute => ({ float: value });

const elementBytes = { float32: 4, uint8: 1, int8: 1, int32: 4, int64: 8, float64: 8 } as const;
const elementCodes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, float64: 11, bool: 9 } as const;
type GraphType = ElementType | 'bool';

/** A tensor whose numbers are made only when the file is written, so that no two large ones are held at once. */
export interface DeferredTensor {
  dims: readonly number[];
  type: ElementType;
  /** @returns As many elements as the product of dims, of that type; the same at every call. */
  read(): TensorData;
}

/** A model ready to be written. */
export interface EncodedModel {
  byteLength: number;
  /** Hands over the file's bytes in order. A piece is valid during the call only. */
  write(sink: (bytes: Uint8Array) => void): void;
}

/** Opset 21 is the last with IR version 10, which onnxruntime reads since 1.18. */
const opset = 21;
const irVersion = 10;

/** Collects nodes in the order they are added (which must be an order they can run in) and encodes them. */
export class GraphBuilder {
  readonly #name: string;
  readonly #nodes: Message[] = [];
  readonly #initializers: Message[] = [];
  readonly #inputs: Message[] = [];
  readonly #outputs: Message[] = [];
  readonly #metadata: Message[] = [];
  readonly #taken = new Set<string>();
  readonly #constants = new Map<string, string>();
  #fresh = 0;
  #contributed = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** Declares an input and returns its name. */
  input(name: string, type: GraphType, dims: readonly Dimension[]): string {
    this.#claim(name);
    this.#inputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** Declares an already computed value as an output, under its own name or (through Identity) another. */
  output(value: string, type: GraphType, dims: readonly Dimension[], name: string = value): void {
    if (name !== value) this.node('Identity', [value], {}, [name]);
    this.#outputs.push(valueInfo(name, type, dims));
  }

  /** Stores a tensor in the file and returns its name. */
  initializer(tensor: TensorValue, name: string = this.#freshName('weight')): string {
    this.#claim(name);
    this.#initializers.push(tensorMessage(name, tensor));
    return name;
  }

  /** Stores a tensor that is read when the file is written, and returns its name. */
  deferred(tensor: DeferredTensor, name: string = this.#freshName('weight')): string {
    this.#claim(name);
    this.#initializers.push(deferredMessage(name, tensor));
    return name;
  }

  /** Stores a scalar or a vector of whole numbers (axes, shapes, indices) as int64, each value once. */
  int64(value: number | readonly number[]): string {
    const dims = typeof value === 'number' ? [] : [value.length];
    const data = BigInt64Array.from(typeof value === 'number' ? [value] : value, (entry) => BigInt(entry));
    return this.#constant(`int64 ${JSON.stringify(value)}`, { dims, data });
  }

  /** Stores one float32 number, each value once. */
  scalar(value: number): string {
    return this.#constant(`float32 ${value}`, { dims: [], data: Float32Array.of(value) });
  }

  /** Stores one uint8 number, each value once. */
  byte(value: number): string {
    return this.#constant(`uint8 ${value}`, { dims: [], data: Uint8Array.of(value) });
  }

  /** Adds a node and returns its first output. '' stands for an input or output left out. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    outputs: readonly string[] = [this.#freshName(operator)],
  ): string {
    return this.#append(operator, '', inputs, attributes, outputs);
  }

  /** Adds a node of onnxruntime's own operator set, com.microsoft. */
  contributedNode(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    outputs: readonly string[] = [this.#freshName(operator)],
  ): string {
    this.#contributed = true;
    return this.#append(operator, 'com.microsoft', inputs, attributes, outputs);
  }

  /** Names for a node with several outputs. */
  names(operator: string, count: number): string[] {
    return Array.from({ length: count }, () => this.#freshName(operator));
  }

  metadata(key: string, value: string): void {
    this.#metadata.push(message(text(1, key), text(2, value)));
  }

  /** The file's bytes. */
  encode(): Uint8Array {
    const { byteLength, write } = this.finish();
    const bytes = new Uint8Array(byteLength);
    let at = 0;
    write((piece) => {
      bytes.set(piece, at);
      at += piece.length;
    });
    return bytes;
  }

  /** The file in pieces, for models too large to be held twice. */
  finish(): EncodedModel {
    const graph = message(
      ...this.#nodes.map((entry) => nested(1, entry)),
      text(2, this.#name),
      ...this.#initializers.map((entry) => nested(5, entry)),
      ...this.#inputs.map((entry) => nested(11, entry)),
      ...this.#outputs.map((entry) => nested(12, entry)),
    );
    const operatorSets = [message(text(1, ''), integer(2, opset))];
    if (this.#contributed) operatorSets.push(message(text(1, 'com.microsoft'), integer(2, 1)));
    const model = message(
      integer(1, irVersion),
      text(2, 'scinertopic'),
      nested(7, graph),
      ...operatorSets.map((entry) => nested(8, entry)),
      ...this.#metadata.map((entry) => nested(14, entry)),
    );
    return {
      byteLength: model.length,
      write: (sink) => {
        for (const part of model.parts) sink(part instanceof Uint8Array ? part : part.read());
      },
    };
  }

  #append(
    operator: string,
    domain: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
    outputs: readonly string[],
  ): string {
    for (const name of inputs) {
      if (name !== '' && !this.#taken.has(name)) {
        throw new Error(
          `onnx: ${operator} in graph ${this.#name} reads "${name}", which nothing before it makes.`,
        );
      }
    }
    for (const name of outputs) if (name !== '') this.#claim(name);
    this.#nodes.push(
      message(
        ...inputs.map((name) => text(1, name)),
        ...outputs.map((name) => text(2, name)),
        text(4, operator),
        ...Object.entries(attributes).map(([name, value]) => nested(5, attributeMessage(name, value))),
        ...(domain === '' ? [] : [text(7, domain)]),
      ),
    );
    return outputs[0];
  }

  #constant(key: string, tensor: TensorValue): string {
    const name =
      this.#constants.get(key) ?? this.initializer(tensor, this.#freshName(elementTypeOf(tensor.data)));
    this.#constants.set(key, name);
    return name;
  }

  #claim(name: string): void {
    if (this.#taken.has(name))
      throw new Error(`onnx: the name "${name}" is given twice in graph ${this.#name}.`);
    this.#taken.add(name);
  }

  #freshName(prefix: string): string {
    let name: string;
    do name = `${prefix}_${this.#fresh++}`;
    while (this.#taken.has(name));
    return name;
  }
}

/** What a model file holds beside its nodes. */
export interface ModelContent {
  inputs: string[];
  outputs: string[];
  /** Operator names in file order. */
  operators: string[];
  initializers: Map<string, TensorValue>;
  metadata: Map<string, string>;
}

/**
 * Reads a model that this project wrote.
 *
 * @throws Error when a tensor is of another element type or is not stored as raw data.
 */
export function readModel(bytes: Uint8Array): ModelContent {
  const content: ModelContent = {
    inputs: [],
    outputs: [],
    operators: [],
    initializers: new Map(),
    metadata: new Map(),
  };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 14) {
      const entry = [...fieldsOf(field.bytes)];
      content.metadata.set(textOf(entry, 1), textOf(entry, 2));
    }
    if (field.number !== 7) continue;
    for (const part of fieldsOf(field.bytes)) {
      if (part.number === 1) content.operators.push(textOf([...fieldsOf(part.bytes)], 4));
      else if (part.number === 5) {
        const [name, tensor] = readTensor(part.bytes);
        content.initializers.set(name, tensor);
      } else if (part.number === 11) content.inputs.push(textOf([...fieldsOf(part.bytes)], 1));
      else if (part.number === 12) content.outputs.push(textOf([...fieldsOf(part.bytes)], 1));
    }
  }
  return content;
}

// Messages -------------------------------------------------------------------------------------

function valueInfo(name: string, type: GraphType, dims: readonly Dimension[]): Message {
  const shape = message(
    ...dims.map((size) => nested(1, message(typeof size === 'number' ? integer(1, size) : text(2, size)))),
  );
  const tensorType = message(integer(1, elementCodes[type]), nested(2, shape));
  return message(text(1, name), nested(2, message(nested(1, tensorType))));
}

function tensorMessage(name: string, tensor: TensorValue): Message {
  const { dims, data } = tensor;
  if (elementCount(dims) !== data.length) {
    throw new Error(
      `onnx: "${name}" of dims [${dims}] needs ${elementCount(dims)} elements, got ${data.length}.`,
    );
  }
  // A copy, so that a weight that goes on changing does not change a graph already built.
  const raw = bytesOf(data).slice();
  return tensorHead(name, dims, elementTypeOf(data), lengthDelimited(9, [raw], raw.byteLength));
}

function deferredMessage(name: string, { dims, type, read }: DeferredTensor): Message {
  const length = elementCount(dims) * elementBytes[type];
  const part: DeferredBytes = {
    read: () => {
      const data = read();
      if (elementTypeOf(data) !== type || data.byteLength !== length) {
        throw new Error(
          `onnx: "${name}" of dims [${dims}] needs ${length} bytes of ${type}, got ${data.byteLength} of ${elementTypeOf(data)}.`,
        );
      }
      return bytesOf(data);
    },
  };
  return tensorHead(name, dims, type, lengthDelimited(9, [part], length));
}

function tensorHead(name: string, dims: readonly number[], type: ElementType, raw: Message): Message {
  return message(...dims.map((size) => integer(1, size)), integer(2, elementCodes[type]), text(8, name), raw);
}

const bytesOf = (data: TensorData): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

function attributeMessage(name: string, value: Attribute): Message {
  if (typeof value === 'number') {
    if (!Number.isInteger(value))
      throw new Error(`onnx: attribute ${name} is ${value}; say float(${value}).`);
    return message(text(1, name), integer(3, value), integer(20, 2));
  }
  if (typeof value === 'string') return message(text(1, name), text(4, value), integer(20, 3));
  if ('float' in value) return message(text(1, name), fixedFloat(2, value.float), integer(20, 1));
  if ('dims' in value) return message(text(1, name), nested(5, tensorMessage('', value)), integer(20, 4));
  return message(text(1, name), ...value.map((entry) => integer(8, entry)), integer(20, 7));
}

// Wire format ----------------------------------------------------------------------------------

/** Encoded bytes in pieces, joined once at the end: a table of megabytes is not copied at every level. */
interface Message {
  parts: (Uint8Array | DeferredBytes)[];
  length: number;
}

interface DeferredBytes {
  read(): Uint8Array;
}

function message(...fields: Message[]): Message {
  return {
    parts: fields.flatMap((field) => field.parts),
    length: fields.reduce((sum, field) => sum + field.length, 0),
  };
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function integer(field: number, value: number): Message {
  const [tag, number] = [varint(field * 8), varint(value)];
  return { parts: [tag, number], length: tag.length + number.length };
}

function fixedFloat(field: number, value: number): Message {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  const tag = varint(field * 8 + 5);
  return { parts: [tag, bytes], length: tag.length + 4 };
}

function lengthDelimited(field: number, parts: Message['parts'], length: number): Message {
  const [tag, size] = [varint(field * 8 + 2), varint(length)];
  return { parts: [tag, size, ...parts], length: tag.length + size.length + length };
}

const nested = (field: number, inner: Message): Message => lengthDelimited(field, inner.parts, inner.length);

function text(field: number, value: string): Message {
  const bytes = Buffer.from(value, 'utf8');
  return lengthDelimited(field, [bytes], bytes.length);
}

interface Field {
  number: number;
  /** Of varint fields. */
  value: bigint;
  /** Of length-delimited fields. */
  bytes: Uint8Array;
}

const noBytes = new Uint8Array(0);

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const readVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at >= bytes.length) throw new Error('onnx: the file ends inside a number.');
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(readVarint());
    const wire = tag & 7;
    const number = tag >>> 3;
    if (wire === 0) {
      yield { number, value: readVarint(), bytes: noBytes };
      continue;
    }
    if (wire !== 1 && wire !== 2 && wire !== 5)
      throw new Error(`onnx: wire type ${wire} at byte ${at}; is this an ONNX file?`);
    const length = wire === 2 ? Number(readVarint()) : wire === 1 ? 8 : 4;
    if (at + length > bytes.length) throw new Error(`onnx: the file ends inside field ${number}.`);
    yield { number, value: 0n, bytes: bytes.subarray(at, at + length) };
    at += length;
  }
}

function textOf(fields: Field[], number: number): string {
  const found = fields.find((field) => field.number === number);
  return found === undefined ? '' : Buffer.from(found.bytes).toString('utf8');
}

function readTensor(bytes: Uint8Array): [string, TensorValue] {
  const fields = [...fieldsOf(bytes)];
  const name = textOf(fields, 8);
  const dims: number[] = [];
  for (const field of fields) {
    if (field.number !== 1) continue;
    // Packed (many numbers in one field) or one number per field: both are valid protobuf.
    if (field.bytes === noBytes) dims.push(Number(field.value));
    else for (const size of packed(field.bytes)) dims.push(size);
  }
  const code = Number(fields.find((field) => field.number === 2)?.value ?? 0n);
  const raw = fields.find((field) => field.number === 9)?.bytes ?? noBytes;
  const data = typedArray(name, code, raw);
  if (data.length !== elementCount(dims)) {
    throw new Error(
      `onnx: "${name}" has ${data.length} elements of raw data where dims [${dims}] need ${elementCount(dims)}.`,
    );
  }
  return [name, { dims, data }];
}

function packed(bytes: Uint8Array): number[] {
  const values: number[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte >= 128) continue;
    values.push(Number(value));
    value = 0n;
    shift = 0n;
  }
  return values;
}

function typedArray(name: string, code: number, raw: Uint8Array): TensorData {
  // A copy starts at an aligned address. (Buffer's own slice() would not copy.)
  const { buffer } = Uint8Array.from(raw);
  switch (code) {
    case elementCodes.float32:
      return new Float32Array(buffer);
    case elementCodes.float64:
      return new Float64Array(buffer);
    case elementCodes.int8:
      return new Int8Array(buffer);
    case elementCodes.uint8:
      return new Uint8Array(buffer);
    case elementCodes.int32:
      return new Int32Array(buffer);
    case elementCodes.int64:
      return new BigInt64Array(buffer);
    default:
      throw new Error(`onnx: "${name}" has element type ${code}, which this reader does not know.`);
  }
}
