/**
 * Python's pickles, for those parts of the language that a file of weights needs. A pickle is a program
 * for a stack machine; this machine can build None, booleans, numbers, texts, tuples, lists and
 * dictionaries, and can name or call only what its host lends it. Every other instruction and every other
 * name is refused by its name, before anything is done.
 *
 * Source: Python's Lib/pickletools.py (protocols 2 to 4).
 */

import { type Cursor, quoted } from './byte-source.ts';

/** What a pickle can make. Whole numbers beyond 2^53 are bigints; Python 2's byte strings are texts. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleTuple
  | PickleList
  | PickleDict
  | PickleGlobal
  | PickledObject;

export class PickleTuple {
  readonly items: readonly PickleValue[];
  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

export class PickleList {
  items: PickleValue[] = [];
}

export class PickleDict {
  #entries: Map<PickleValue, PickleValue> | undefined;

  /** Made when first asked for: an empty Map takes 200 bytes, and an empty dictionary one byte of a pickle. */
  get entries(): Map<PickleValue, PickleValue> {
    this.#entries ??= new Map();
    return this.#entries;
  }
}

/** A class or function that a pickle names. */
export class PickleGlobal {
  /** module.name */
  readonly name: string;
  /** What calling it makes; null where it may only be named. */
  readonly call: ((args: readonly PickleValue[], cursor: Cursor) => PickleValue) | null;
  constructor(name: string, call: PickleGlobal['call']) {
    this.name = name;
    this.call = call;
  }
}

/** Something of the host's that the machine only hands on. */
export abstract class PickledObject {
  /** For messages: "a tensor". */
  abstract readonly description: string;
}

/** What a pickle may reach. */
export interface PickleHost {
  /** By module.name. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** What a persistent id stands for; null refuses them all. */
  readonly persistent: ((id: PickleValue, cursor: Cursor) => PickleValue) | null;
}

/** A host with nothing to lend: plain data only. */
export const plainData: PickleHost = { globals: new Map(), persistent: null };

/**
 * Instructions one pickle may have. A tensor takes some 25, BERT-base 5,000; each makes at most one small
 * object, so this bounds memory at about 150 MB whatever the pickle says.
 */
const maxInstructions = 1_000_000;

/** Longest whole number, in bytes; PyTorch's magic number has 10. */
const maxIntegerBytes = 16;

/** Longest module or name that is read for a message. */
const maxNameBytes = 1024;

/**
 * Runs the pickle at the cursor up to its STOP; the cursor then stands behind it.
 *
 * @throws UserError for what the machine or the host refuses, and for damage.
 */
export function readPickle(cursor: Cursor, host: PickleHost): PickleValue {
  const stack = new PickleStack(cursor);
  const memo = new Map<number, PickleValue>();
  const recall = (index: number): PickleValue => {
    const value = memo.get(index);
    if (value === undefined) throw cursor.fault(`the pickle recalls value ${index}, which it never kept`);
    return value;
  };
  for (let count = 0; count < maxInstructions; count++) {
    const opcode = cursor.byte();
    switch (String.fromCharCode(opcode)) {
      case '\x80': // PROTO
        checkProtocol(cursor);
        break;
      case '\x95': // FRAME: how far to read ahead, which the cursor decides for itself
        if (cursor.uint64() > cursor.left) throw cursor.fault('a frame of the pickle exceeds the file');
        break;
      case '.': // STOP
        return stack.last();

      case 'N': // NONE
        stack.push(null);
        break;
      case '\x88': // NEWTRUE
        stack.push(true);
        break;
      case '\x89': // NEWFALSE
        stack.push(false);
        break;
      case 'K': // BININT1
        stack.push(cursor.byte());
        break;
      case 'M': // BININT2
        stack.push(cursor.uint16());
        break;
      case 'J': // BININT, signed
        stack.push(cursor.uint32() | 0);
        break;
      case '\x8a': // LONG1
        stack.push(readInteger(cursor, cursor.byte()));
        break;
      case '\x8b': // LONG4
        stack.push(readInteger(cursor, cursor.uint32()));
        break;
      case 'G': // BINFLOAT, big-endian
        stack.push(Buffer.from(cursor.take(8)).readDoubleBE());
        break;
      case '\x8c': // SHORT_BINUNICODE
      case 'U': // SHORT_BINSTRING
        stack.push(readText(cursor, cursor.byte()));
        break;
      case 'X': // BINUNICODE
      case 'T': // BINSTRING
        stack.push(readText(cursor, cursor.uint32()));
        break;
      case 'C': // SHORT_BINBYTES
        stack.push(cursor.take(cursor.byte()).slice());
        break;
      case 'B': // BINBYTES
        stack.push(cursor.take(cursor.uint32()).slice());
        break;

      case '(': // MARK
        stack.mark();
        break;
      case ')': // EMPTY_TUPLE
        stack.push(new PickleTuple([]));
        break;
      case '\x85': // TUPLE1
      case '\x86': // TUPLE2
      case '\x87': // TUPLE3
        stack.push(new PickleTuple(stack.take(opcode - 0x84)));
        break;
      case 't': // TUPLE
        stack.push(new PickleTuple(stack.takeToMark()));
        break;
      case ']': // EMPTY_LIST
        stack.push(new PickleList());
        break;
      case 'a': // APPEND
        append(cursor, stack.take(1), stack.top());
        break;
      case 'e': // APPENDS
        append(cursor, stack.takeToMark(), stack.top());
        break;
      case '}': // EMPTY_DICT
        stack.push(new PickleDict());
        break;
      case 's': // SETITEM
        setItems(cursor, stack.take(2), stack.top());
        break;
      case 'u': // SETITEMS
        setItems(cursor, stack.takeToMark(), stack.top());
        break;

      case 'q': // BINPUT
        memo.set(cursor.byte(), stack.top());
        break;
      case 'r': // LONG_BINPUT
        memo.set(cursor.uint32(), stack.top());
        break;
      case '\x94': // MEMOIZE
        memo.set(memo.size, stack.top());
        break;
      case 'h': // BINGET
        stack.push(recall(cursor.byte()));
        break;
      case 'j': // LONG_BINGET
        stack.push(recall(cursor.uint32()));
        break;

      case 'c': // GLOBAL
        stack.push(findGlobal(cursor, host, readLine(cursor), readLine(cursor)));
        break;
      case '\x93': // STACK_GLOBAL
        stack.push(findGlobal(cursor, host, ...stack.takePair()));
        break;
      case 'R': // REDUCE
        stack.push(call(cursor, ...stack.takePair()));
        break;
      case 'b': // BUILD
        setState(cursor, stack.take(1)[0], stack.top());
        break;
      case 'Q': // BINPERSID
        stack.push(persistent(cursor, host, stack.take(1)[0]));
        break;

      default:
        throw cursor.fault(
          `the pickle has the instruction ${instructionName(opcode)}, which no file of plain weights needs`,
        );
    }
  }
  throw cursor.fault(`expected a pickle of at most ${maxInstructions} instructions`);
}

/** What a value is, in a few words, for messages. */
export function describeValue(value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (typeof value === 'string') return `the text ${quoted(value)}`;
  if (typeof value === 'object') {
    if (value instanceof PickleTuple) return `a tuple of ${value.items.length}`;
    if (value instanceof PickleList) return `a list of ${value.items.length}`;
    if (value instanceof PickleDict) return `a dictionary of ${value.entries.size}`;
    if (value instanceof PickleGlobal) return value.name;
    if (value instanceof PickledObject) return value.description;
    return `${value.length} bytes`;
  }
  return String(value);
}

/** The first few of several values. */
export function describeValues(values: readonly PickleValue[]): string {
  const some = values.slice(0, 8).map(describeValue).join(', ');
  if (values.length <= 8) return values.length === 0 ? 'nothing' : some;
  return `${some} and ${values.length - 8} more`;
}

/** Values waiting to be used, in groups that MARK opens. */
class PickleStack {
  readonly #cursor: Cursor;
  readonly #values: PickleValue[] = [];
  /** Heights at which groups start. */
  readonly #marks: number[] = [];

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  push(value: PickleValue): void {
    this.#values.push(value);
  }

  mark(): void {
    this.#marks.push(this.#values.length);
  }

  top(): PickleValue {
    this.#need(1);
    return this.#values[this.#values.length - 1];
  }

  /** The upper values, lowest first, taken off. */
  take(count: number): PickleValue[] {
    this.#need(count);
    return this.#values.splice(this.#values.length - count);
  }

  takePair(): [lower: PickleValue, upper: PickleValue] {
    const [lower, upper] = this.take(2);
    return [lower, upper];
  }

  takeToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#cursor.fault('the pickle ends a group that it never began');
    return this.#values.splice(mark);
  }

  /** The one value that a whole pickle leaves. */
  last(): PickleValue {
    if (this.#values.length !== 1 || this.#marks.length !== 0) {
      throw this.#cursor.fault(`expected the pickle to leave one value, it leaves ${this.#values.length}`);
    }
    return this.#values[0];
  }

  #need(count: number): void {
    const base = this.#marks.length === 0 ? 0 : this.#marks[this.#marks.length - 1];
    if (this.#values.length - base < count) {
      throw this.#cursor.fault('the pickle uses a value that it never made');
    }
  }
}

function checkProtocol(cursor: Cursor): void {
  const protocol = cursor.byte();
  if (protocol < 2 || protocol > 4) {
    throw cursor.fault(`expected pickle protocol 2, 3 or 4, found ${protocol}`);
  }
}

/** Little-endian two's complement. */
function readInteger(cursor: Cursor, length: number): number | bigint {
  if (length > maxIntegerBytes) {
    throw cursor.fault(`expected whole numbers of at most ${maxIntegerBytes} bytes, found ${length}`);
  }
  let value = 0n;
  cursor.take(length).forEach((byte, i) => {
    value |= BigInt(byte) << BigInt(8 * i);
  });
  value = BigInt.asIntN(8 * length, value);
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function readText(cursor: Cursor, length: number): string {
  const bytes = cursor.take(length);
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw cursor.fault('expected a text in UTF-8');
  }
}

function readLine(cursor: Cursor): string {
  const bytes: number[] = [];
  for (let byte = cursor.byte(); byte !== 10; byte = cursor.byte()) {
    if (bytes.length === maxNameBytes) throw cursor.fault(`expected a name of at most ${maxNameBytes} bytes`);
    bytes.push(byte);
  }
  return Buffer.from(bytes).toString('utf8');
}

function append(cursor: Cursor, items: readonly PickleValue[], list: PickleValue): void {
  if (!(list instanceof PickleList)) throw cursor.fault(`the pickle appends to ${describeValue(list)}`);
  for (const item of items) list.items.push(item);
}

/** @param items Keys and values by turns. A key given again takes the later value, as in Python. */
function setItems(cursor: Cursor, items: readonly PickleValue[], dict: PickleValue): void {
  if (!(dict instanceof PickleDict)) throw cursor.fault(`the pickle sets items of ${describeValue(dict)}`);
  if (items.length % 2 !== 0) throw cursor.fault('the pickle gives a key without a value');
  for (let i = 0; i < items.length; i += 2) dict.entries.set(items[i], items[i + 1]);
}

function findGlobal(cursor: Cursor, host: PickleHost, module: PickleValue, name: PickleValue): PickleGlobal {
  if (typeof module !== 'string' || typeof name !== 'string') {
    throw cursor.fault(
      `expected a module and a name, found ${describeValue(module)}, ${describeValue(name)}`,
    );
  }
  const found = host.globals.get(`${module}.${name}`);
  if (found === undefined) {
    throw cursor.fault(
      `the pickle asks for ${quoted(`${module}.${name}`)}, and pickles are read for tensors, dictionaries, lists and numbers alone. ` +
        'Save the weights by themselves, with torch.save(model.state_dict(), …) or as safetensors',
    );
  }
  return found;
}

function call(cursor: Cursor, callee: PickleValue, args: PickleValue): PickleValue {
  if (!(callee instanceof PickleGlobal) || callee.call === null) {
    throw cursor.fault(`the pickle calls ${describeValue(callee)}, which is not to be called`);
  }
  if (!(args instanceof PickleTuple)) {
    throw cursor.fault(`expected a tuple of arguments for ${callee.name}, found ${describeValue(args)}`);
  }
  return callee.call(args.items, cursor);
}

/** State dictionaries carry their modules' version numbers as an attribute; the weights do not need it. */
function setState(cursor: Cursor, state: PickleValue, target: PickleValue): void {
  if (!(target instanceof PickleDict) || !(state instanceof PickleDict)) {
    throw cursor.fault(`the pickle sets the state of ${describeValue(target)} to ${describeValue(state)}`);
  }
}

function persistent(cursor: Cursor, host: PickleHost, id: PickleValue): PickleValue {
  if (host.persistent === null) throw cursor.fault('expected plain data, the pickle refers to a storage');
  return host.persistent(id, cursor);
}

/** Instructions that are refused, as pickletools calls them. */
const refusedInstructions: Readonly<Record<string, string>> = {
  '0': 'POP',
  '1': 'POP_MARK',
  '2': 'DUP',
  F: 'FLOAT',
  I: 'INT',
  L: 'LONG',
  P: 'PERSID',
  S: 'STRING',
  V: 'UNICODE',
  d: 'DICT',
  g: 'GET',
  i: 'INST',
  l: 'LIST',
  o: 'OBJ',
  p: 'PUT',
  '\x81': 'NEWOBJ',
  '\x82': 'EXT1',
  '\x83': 'EXT2',
  '\x84': 'EXT4',
  '\x8d': 'BINUNICODE8',
  '\x8e': 'BINBYTES8',
  '\x8f': 'EMPTY_SET',
  '\x90': 'ADDITEMS',
  '\x91': 'FROZENSET',
  '\x92': 'NEWOBJ_EX',
  '\x96': 'BYTEARRAY8',
  '\x97': 'NEXT_BUFFER',
  '\x98': 'READONLY_BUFFER',
};

function instructionName(opcode: number): string {
  const hexadecimal = `0x${opcode.toString(16).padStart(2, '0')}`;
  const name = refusedInstructions[String.fromCharCode(opcode)];
  return name === undefined ? hexadecimal : `${name} (${hexadecimal})`;
}
