import { describe, expect, it } from 'vitest';
import { Cursor } from '../../pipeline/checkpoint/byte-source.ts';
import {
  PickleDict,
  PickleGlobal,
  PickleList,
  PickleTuple,
  type PickleValue,
  plainData,
  readPickle,
} from '../../pipeline/checkpoint/pickle.ts';
import { UserError } from '../../pipeline/errors.ts';
import { memorySource } from './memory-source.ts';
import { op, pickle, tuple, uint32, uint64 } from './small-checkpoints.ts';

const cursorOver = (bytes: Buffer): Cursor => new Cursor(memorySource(bytes), 0, bytes.length, 'test');
const run = (...instructions: Buffer[]): PickleValue =>
  readPickle(cursorOver(pickle(...instructions)), plainData);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

function expectRefusal(message: string, ...instructions: Buffer[]): void {
  expect(() => run(...instructions)).toThrow(UserError);
  expect(() => run(...instructions)).toThrow(message);
}

/** Python's own values, as JavaScript shows them. */
function shown(value: PickleValue): unknown {
  if (value instanceof PickleTuple || value instanceof PickleList) return value.items.map(shown);
  if (value instanceof PickleDict) return new Map([...value.entries].map(([k, v]) => [shown(k), shown(v)]));
  return value;
}

describe('readPickle', () => {
  // Each by hand from pickletools' description of the instruction.
  it.each<[string, string, unknown]>([
    ['None', '4e', null],
    ['booleans', '88 89 86', [true, false]],
    ['one byte', '4b ff', 255],
    ['two bytes', '4d 0102', 513],
    ['four bytes, signed', '4a ffffffff', -1],
    ['a long of no bytes', '8a 00', 0],
    ['a negative long', '8a 01 80', -128],
    ['a long of nine bytes', '8a 09 000000000000000001', 2n ** 64n],
    ['a long with a long count', '8b 02000000 ff00', 255],
    ['the largest exact long', '8a 07 ffffffffffff1f', 2 ** 53 - 1],
    ['the first long beyond', '8a 07 00000000000020', 2n ** 53n],
    ['a float', '47 3ff8000000000000', 1.5],
    ['texts', '58 02000000 c3a9 8c 01 61 86', ['é', 'a']],
    ['Python 2 strings', '55 01 61 54 01000000 62 86', ['a', 'b']],
    ['bytes', '43 02 0001', Uint8Array.of(0, 1)],
    ['bytes with a long count', '42 01000000 07', Uint8Array.of(7)],
    ['tuples of 0 to 3', '28 29 4e85 4e4e86 4e4e4e87 74', [[], [null], [null, null], [null, null, null]]],
    ['a tuple of any number', '28 4b01 4b02 4b03 4b04 74', [1, 2, 3, 4]],
    ['a list', '5d 4b01 61 28 4b02 4b03 65', [1, 2, 3]],
    [
      'a dictionary',
      '7d 4b01 4b02 73 28 4b03 4b04 75',
      new Map([
        [1, 2],
        [3, 4],
      ]),
    ],
    ['a key twice', '7d 4b01 4b02 73 4b01 4b05 73', new Map([[1, 5]])],
    ['kept values', '5d 71 07 68 07 68 07 86 86', [[], [[], []]]],
    ['kept values, long', '4b05 72 00000100 6a 00000100 86', [5, 5]],
    ['kept values in turn', '28 4b05 94 4b06 94 68 01 68 00 74', [5, 6, 6, 5]],
    ['a frame', '95 0200000000000000 4e', null],
  ])('makes %s', (_, code, expected) => {
    expect(shown(run(hex(code)))).toEqual(expected);
  });

  it('hands out the kept value itself, not a copy', () => {
    const pair = run(hex('5d 94 68 00 86'));
    expect(pair).toBeInstanceOf(PickleTuple);
    if (pair instanceof PickleTuple) expect(pair.items[0]).toBe(pair.items[1]);
  });

  it('takes protocols 2, 3 and 4 alone', () => {
    for (const protocol of [2, 3, 4]) {
      expect(readPickle(cursorOver(Buffer.of(0x80, protocol, 0x4e, 0x2e)), plainData)).toBe(null);
    }
    for (const protocol of [0, 1, 5, 255]) {
      const bytes = Buffer.of(0x80, protocol, 0x4e, 0x2e);
      expect(() => readPickle(cursorOver(bytes), plainData)).toThrow(
        `expected pickle protocol 2, 3 or 4, found ${protocol}`,
      );
    }
  });

  it('stops at STOP and leaves the cursor behind it', () => {
    const cursor = cursorOver(Buffer.concat([pickle(op.none), pickle(op.true)]));
    expect(readPickle(cursor, plainData)).toBe(null);
    expect(cursor.position).toBe(4);
    expect(readPickle(cursor, plainData)).toBe(true);
    expect(cursor.left).toBe(0);
  });

  it.each([
    ['POP', '0'],
    ['POP_MARK', '1'],
    ['DUP', '2'],
    ['INST', 'i'],
    ['OBJ', 'o'],
    ['NEWOBJ', '\x81'],
    ['NEWOBJ_EX', '\x92'],
    ['EXT1', '\x82'],
    ['EXT4', '\x84'],
    ['PERSID', 'P'],
    ['INT', 'I'],
    ['UNICODE', 'V'],
    ['BINUNICODE8', '\x8d'],
    ['EMPTY_SET', '\x8f'],
    ['NEXT_BUFFER', '\x97'],
  ])('refuses the instruction %s by name', (name, opcode) => {
    expectRefusal(`has the instruction ${name} (0x`, Buffer.from(opcode, 'latin1'));
  });

  it('has 40 instructions and refuses the 216 other bytes', () => {
    let refused = 0;
    for (let opcode = 0; opcode < 256; opcode++) {
      const hexadecimal = `0x${opcode.toString(16).padStart(2, '0')}`;
      try {
        run(op.mark, Buffer.of(opcode), Buffer.alloc(16));
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        if (new RegExp(`has the instruction .*${hexadecimal}`).test(String(error))) refused++;
      }
    }
    expect(refused).toBe(216);
  });

  it.each([
    ['os', 'system'],
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['__builtin__', 'getattr'],
    ['torch.storage', '_load_from_bytes'],
    ['torch', 'load'],
    ['numpy.core.multiarray', '_reconstruct'],
    ['torch.FloatStorage', ''],
    ['', '__proto__'],
    ['constructor', 'constructor'],
  ])('refuses %s.%s by name, however it is asked for', (module, name) => {
    const message = `the pickle asks for "${module}.${name}"`;
    expectRefusal(message, op.global(module, name), tuple(op.text('echo')), op.reduce);
    expectRefusal(message, op.text(module), op.text(name), op.stackGlobal, op.emptyTuple, op.reduce);
  });

  it('calls only what the host says may be called', () => {
    const host = {
      globals: new Map([
        ['a.only', new PickleGlobal('a.only', null)],
        ['a.sum', new PickleGlobal('a.sum', (args) => args.length)],
      ]),
      persistent: null,
    };
    const withHost = (...code: Buffer[]): PickleValue => readPickle(cursorOver(pickle(...code)), host);
    expect(withHost(op.global('a', 'sum'), tuple(op.none, op.none), op.reduce)).toBe(2);
    expect(() => withHost(op.global('a', 'only'), op.emptyTuple, op.reduce)).toThrow(
      'calls a.only, which is not',
    );
    expect(() => withHost(op.global('a', 'sum'), op.emptyList, op.reduce)).toThrow(
      'expected a tuple of arguments',
    );
    expect(() => withHost(op.text('a.sum'), op.emptyTuple, op.reduce)).toThrow('calls the text "a.sum"');
    expect(() => withHost(op.none, op.persistentId)).toThrow('refers to a storage');
  });

  it('sets the state of dictionaries alone, and drops it', () => {
    expect(
      shown(run(op.emptyDict, op.emptyDict, op.text('__class__'), op.none, op.setItem, op.build)),
    ).toEqual(new Map());
    expectRefusal('sets the state of a list of 0', op.emptyList, op.emptyDict, op.build);
    expectRefusal(
      'sets the state of a dictionary of 0 to a tuple of 0',
      op.emptyDict,
      op.emptyTuple,
      op.build,
    );
  });

  it.each<[string, Buffer[], string]>([
    ['a value that was never made', [op.append], 'uses a value that it never made'],
    ['a value from below the group', [op.emptyList, op.mark, hex('85')], 'uses a value that it never made'],
    ['a group that never began', [op.tuple], 'ends a group that it never began'],
    ['a group that never ends', [op.none, op.mark], 'expected the pickle to leave one value'],
    ['several values at the end', [op.none, op.none], 'to leave one value, it leaves 2'],
    ['no value at the end', [], 'to leave one value, it leaves 0'],
    ['a value that was never kept', [op.get(9)], 'recalls value 9, which it never kept'],
    ['a key without a value', [op.emptyDict, op.mark, op.none, op.setItems], 'a key without a value'],
    ['appending to a tuple', [op.emptyTuple, op.none, op.append], 'appends to a tuple of 0'],
    ['items of a list', [op.emptyList, op.none, op.none, op.setItem], 'sets items of a list of 0'],
    [
      'a global of numbers',
      [op.none, op.none, op.stackGlobal],
      'expected a module and a name, found None, None',
    ],
    ['text that is no UTF-8', [hex('8c 01 ff')], 'expected a text in UTF-8'],
    ['a long of 17 bytes', [hex('8a 11'), Buffer.alloc(17)], 'whole numbers of at most 16 bytes, found 17'],
    ['a frame beyond the end', [Buffer.of(0x95), uint64(99)], 'a frame of the pickle exceeds the file'],
    ['a text beyond the end', [Buffer.from('X'), uint32(4e9)], 'expected 4000000000 more bytes, found 1'],
    ['an endless name', [Buffer.from(`c${'a'.repeat(2000)}`)], 'expected a name of at most 1024 bytes'],
  ])('refuses %s', (_, code, message) => {
    expectRefusal(message, ...code);
  });

  it('names values of every kind in its complaints', () => {
    const told = (value: Buffer): string => {
      try {
        run(value, op.none, op.append);
        return '';
      } catch (error) {
        return String(error).replace(/.*appends to (.*) \(test.*/, '$1');
      }
    };
    expect(
      [
        op.none,
        op.true,
        op.integer(-7),
        op.integer(2n ** 60n),
        op.text('a\n'),
        tuple(op.none),
        op.emptyDict,
      ].map(told),
    ).toEqual([
      'None',
      'true',
      '-7',
      '1152921504606846976',
      'the text "a\\n"',
      'a tuple of 1',
      'a dictionary of 0',
    ]);
    expect(told(hex('43 02 0001'))).toBe('2 bytes');
  });
});
