import { describe, expect, it } from 'vitest';
import { type Weights, weightsFrom } from '../../pipeline/checkpoint/weights.ts';
import { UserError } from '../../pipeline/errors.ts';
import { memorySource } from './memory-source.ts';
import {
  dictionary,
  floats,
  littleEndian,
  magic,
  op,
  pickle,
  streamVersion,
  tensor,
  torchStream,
  tuple,
  uint64,
} from './small-checkpoints.ts';

const open = (bytes: Buffer): Weights => weightsFrom(memorySource(bytes));

function expectRefusal(bytes: Buffer, message: string): void {
  expect(() => open(bytes)).toThrow(UserError);
  expect(() => open(bytes)).toThrow(message);
}

const two = pickle(
  dictionary({
    a: tensor({ key: 'x', length: 2, dims: [2], strides: [1] }),
    b: tensor({ key: 'y', type: 'HalfStorage', length: 1, dims: [], strides: [] }),
  }),
);
const half = Buffer.of(0x00, 0x3c);

describe('a PyTorch stream', () => {
  it('reads storages in the order of its key list', () => {
    const weights = open(torchStream(two, { y: [1, half], x: [2, floats(1, 2)] }));
    expect(weights.format).toBe('PyTorch stream');
    expect([...weights.read('a')]).toEqual([1, 2]);
    expect([...weights.read('b')]).toEqual([1]);
  });

  it('reads views of a storage, whose offsets count from the view', () => {
    const view = tuple(op.text('v'), op.integer(2), op.integer(3));
    const part = (offset: number, length: number): Buffer =>
      torchStream(
        pickle(dictionary({ a: tensor({ length: 6, view, offset, dims: [length], strides: [1] }) })),
        { 0: [6, floats(0, 1, 2, 3, 4, 5)] },
      );
    expect([...open(part(0, 3)).read('a')]).toEqual([2, 3, 4]);
    expect([...open(part(1, 2)).read('a')]).toEqual([3, 4]);
    expectRefusal(part(1, 3), 'reaches element 3 of a storage of 3');
  });

  it('reads None for no view, and refuses views that leave their storage', () => {
    const withView = (view: Buffer): Buffer =>
      torchStream(pickle(dictionary({ a: tensor({ length: 2, view, dims: [1], strides: [1] }) })), {
        0: [2, floats(8, 9)],
      });
    expect([...open(withView(op.none)).read('a')]).toEqual([8]);
    const view = (start: number, length: number): Buffer =>
      tuple(op.text('v'), op.integer(start), op.integer(length));
    for (const wrong of [view(1, 2), view(-1, 1), view(0, -1), view(3, 0), op.integer(1), op.emptyTuple]) {
      expectRefusal(withView(wrong), 'expected a part of storage "0" of 2');
    }
  });

  it('reads an OrderedDict of pairs, as Python 2 wrote it', () => {
    const item = tensor({ length: 1, dims: [1], strides: [1] });
    const list = Buffer.concat([op.emptyList, op.mark, op.text('a'), item, op.appends]);
    const pairs = Buffer.concat([op.emptyList, list, op.append]);
    const content = pickle(op.global('collections', 'OrderedDict'), pairs, Buffer.of(0x85), op.reduce);
    expect([...open(torchStream(content, { 0: [1, floats(4)] })).read('a')]).toEqual([4]);
    const wrong = pickle(op.global('collections', 'OrderedDict'), tuple(tuple(op.none)), op.reduce);
    expectRefusal(torchStream(wrong, {}), 'expected nothing or pairs for OrderedDict');
  });

  it('ignores bytes after the last storage, as PyTorch does', () => {
    const bytes = torchStream(two, { y: [1, half], x: [2, floats(1, 2)] });
    expect([...open(Buffer.concat([bytes, Buffer.from('more')])).read('a')]).toEqual([1, 2]);
  });

  it.each<[string, Buffer, string]>([
    ['another pickle', pickle(dictionary({ a: op.none })), 'found a plain pickle of a dictionary of 1'],
    ['another version', Buffer.concat([magic, pickle(op.integer(1002))]), 'expected version 1001 of the'],
    [
      'big-endian numbers',
      Buffer.concat([magic, streamVersion, pickle(dictionary({ little_endian: op.false }))]),
      'expected numbers written by a little-endian machine',
    ],
    [
      'no word of the byte order',
      Buffer.concat([magic, streamVersion, pickle(op.emptyDict)]),
      'expected numbers written by a little-endian machine',
    ],
    [
      'keys that are no list',
      Buffer.concat([magic, streamVersion, littleEndian, two, pickle(op.none)]),
      'expected the list of storages, found None',
    ],
    ['a storage too few', torchStream(two, { x: [2, floats(1, 2)] }), '"y" is missing'],
    ['an unknown storage', torchStream(two, { z: [2, floats(1, 2)] }), 'once, found the text "z"'],
    [
      'a count unlike the pickle’s',
      torchStream(two, { x: [3, floats(1, 2)], y: [1, half] }),
      '2 elements by the pickle, 3 by its count',
    ],
    [
      'a count of 2^64 − 1',
      torchStream(two, { y: [1, half], x: [2n ** 64n - 1n, floats(1, 2)] }),
      'expected a size below 2^53',
    ],
    ['a storage that is cut off', torchStream(two, { y: [1, half], x: [2, floats(1)] }), 'Fetch it again'],
    [
      'a persistent id in the key list',
      Buffer.concat([magic, streamVersion, littleEndian, two, pickle(op.none, op.persistentId)]),
      'expected plain data, the pickle refers to a storage',
    ],
    ['a program', torchStream(pickle(op.global('os', 'system')), {}), 'asks for "os.system"'],
    ['a program before the magic number', pickle(op.global('os', 'system')), 'asks for "os.system"'],
  ])('with %s is refused', (_, bytes, message) => {
    expectRefusal(bytes, message);
  });

  it('with a key twice is refused', () => {
    const keys = pickle(op.emptyList, op.mark, op.text('x'), op.text('x'), op.appends);
    const data = [uint64(2), floats(1, 2), uint64(2), floats(1, 2)];
    const bytes = Buffer.concat([magic, streamVersion, littleEndian, two, keys, ...data]);
    expectRefusal(bytes, 'expected each storage of the pickle once, found the text "x"');
  });
});
