import { describe, expect, it } from 'vitest';
import { type Weights, weightsFrom } from '../../pipeline/checkpoint/weights.ts';
import { UserError } from '../../pipeline/errors.ts';
import { memorySource } from './memory-source.ts';
import {
  dictionary,
  floats,
  op,
  pickle,
  type TensorPickle,
  tensor,
  torchArchive,
  tuple,
} from './small-checkpoints.ts';

/** An archive of one storage of 0, 1, 2, … as float32, under the key 0. */
function openContent(content: Buffer, length = 12): Weights {
  const numbers = floats(...Array.from({ length }, (_, i) => i));
  return weightsFrom(memorySource(torchArchive(pickle(content), { 0: numbers })));
}

const openTensor = (options: Omit<TensorPickle, 'length'>): Weights =>
  openContent(dictionary({ a: tensor({ length: 12, ...options }) }));

function expectRefusal(openIt: () => Weights, message: string): void {
  expect(openIt).toThrow(UserError);
  expect(openIt).toThrow(message);
}

describe('tensors over a storage', () => {
  // Worked by hand: element (i, j, …) is the storage's element offset + i·stride + j·stride + ….
  it.each<[string, number[], number[], number, number[]]>([
    ['rows', [2, 3], [3, 1], 0, [0, 1, 2, 3, 4, 5]],
    ['rows from the middle', [2, 3], [3, 1], 6, [6, 7, 8, 9, 10, 11]],
    ['a transposed matrix', [3, 2], [1, 3], 0, [0, 3, 1, 4, 2, 5]],
    ['a column', [4], [3], 1, [1, 4, 7, 10]],
    ['a block', [2, 2], [4, 1], 5, [5, 6, 9, 10]],
    ['every other', [2, 2], [6, 2], 1, [1, 3, 7, 9]],
    ['a cube, axes turned', [2, 2, 3], [1, 6, 2], 0, [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]],
    ['windows that overlap', [3, 2], [1, 1], 0, [0, 1, 1, 2, 2, 3]],
    ['one element repeated', [2, 3], [0, 0], 7, [7, 7, 7, 7, 7, 7]],
    ['a scalar', [], [], 11, [11]],
    ['sizes of 1 with odd strides', [1, 3, 1], [99, 1, 5], 2, [2, 3, 4]],
    ['nothing', [3, 0], [7, 7], 0, []],
    ['nothing, at the end', [0], [1], 12, []],
  ])('read %s', (_, dims, strides, offset, expected) => {
    const weights = openTensor({ dims, strides, offset });
    expect(weights.tensors.get('a')).toMatchObject({ dims, type: 'float32' });
    expect([...weights.read('a')]).toEqual(expected);
  });

  it.each<[string, Omit<TensorPickle, 'length'>, string]>([
    ['one element too many', { dims: [13], strides: [1] }, 'reaches element 12 of a storage of 12'],
    ['an offset too large', { dims: [6], strides: [1], offset: 7 }, 'reaches element 12'],
    ['a stride too large', { dims: [2, 2], strides: [12, 1] }, 'reaches element 13'],
    [
      'a negative offset',
      { dims: [1], strides: [1], offset: -1 },
      'its offset from 0 up, found a storage, -1',
    ],
    ['a negative stride', { dims: [2], strides: [-1] }, 'to be whole numbers from 0 up, found -1'],
    ['a negative size', { dims: [-2], strides: [1] }, 'to be whole numbers from 0 up, found -2'],
    ['a size of 2^60', { dims: [2n ** 60n], strides: [0] }, 'found 1152921504606846976'],
    ['a stride of 2^53 − 1', { dims: [3, 3], strides: [2 ** 53 - 1, 2 ** 53 - 1] }, 'of a storage of 12'],
    ['sizes that overflow', { dims: [2 ** 40, 2 ** 40], strides: [0, 0] }, 'more than 2^53 elements'],
    ['a repetition without end', { dims: [2.5e9], strides: [0] }, 'has more numbers than a file of'],
    ['fewer strides than sizes', { dims: [2, 2], strides: [1] }, 'a stride per size'],
    [
      '65 dimensions',
      { dims: Array(65).fill(1), strides: Array(65).fill(1) },
      'at most 64 dimensions, found 65',
    ],
    [
      'an unknown storage type',
      { type: 'QInt8Storage', dims: [1], strides: [1] },
      'asks for "torch.QInt8Storage"',
    ],
  ])('refuse %s', (_, options, message) => {
    expectRefusal(() => openTensor(options), message);
  });

  it('may share a storage, but not see it as two types or lengths', () => {
    const first = tensor({ length: 12, dims: [2], strides: [1] });
    const second = tensor({ length: 12, dims: [2], strides: [1], offset: 1 });
    const weights = openContent(dictionary({ first, second }));
    expect([...weights.read('first'), ...weights.read('second')]).toEqual([0, 1, 1, 2]);
    const half = tensor({ length: 12, type: 'HalfStorage', dims: [1], strides: [1] });
    expectRefusal(
      () => openContent(dictionary({ first, half })),
      'storage "0" is both 12 × float32 and 12 × float16',
    );
    const longer = tensor({ length: 13, dims: [1], strides: [1] });
    expectRefusal(() => openContent(dictionary({ first, longer })), 'both 12 × float32 and 13 × float32');
  });

  it.each<[string, Buffer]>([
    ['a text', op.text('storage')],
    ['too little', tuple(op.text('storage'))],
    [
      'another kind',
      tuple(op.text('module'), op.global('torch', 'FloatStorage'), op.text('0'), op.none, op.integer(1)),
    ],
    [
      'a negative length',
      tuple(op.text('storage'), op.global('torch', 'FloatStorage'), op.text('0'), op.none, op.integer(-1)),
    ],
    [
      'a number as key',
      tuple(op.text('storage'), op.global('torch', 'FloatStorage'), op.none, op.none, op.integer(1)),
    ],
    [
      'a function as type',
      tuple(op.text('storage'), op.global('torch', 'Size'), op.text('0'), op.none, op.integer(1)),
    ],
  ])('refuse a persistent id that is %s', (_, id) => {
    expectRefusal(
      () => openContent(Buffer.concat([id, op.persistentId])),
      "expected a storage's type, key, location",
    );
  });

  it('refuse wrong arguments of each function that a pickle may call', () => {
    const call = (module: string, name: string, args: Buffer): Buffer =>
      Buffer.concat([op.global(module, name), args, op.reduce]);
    for (const [content, message] of [
      [call('torch._utils', '_rebuild_tensor_v2', op.emptyTuple), "expected a tensor's storage"],
      [call('torch._utils', '_rebuild_tensor', tuple(op.none, op.none)), "expected a tensor's storage"],
      [
        call('torch._utils', '_rebuild_parameter', tuple(op.none)),
        "expected a parameter's tensor, found None",
      ],
      [call('torch', 'Size', tuple(op.none)), 'expected a tuple for torch.Size, found None'],
      [
        call('collections', 'OrderedDict', tuple(op.none)),
        'expected nothing or pairs for OrderedDict, found None',
      ],
      [call('torch', 'FloatStorage', op.emptyTuple), 'calls torch.FloatStorage, which is not to be called'],
    ] as const) {
      expectRefusal(() => openContent(content), message);
    }
  });
});

describe('the dictionary of tensors', () => {
  const one = tensor({ length: 12, dims: [1], strides: [1] });

  it.each(['state_dict', 'model_state_dict', 'model'])('is found under %s', (key) => {
    const weights = openContent(dictionary({ epoch: op.integer(3), [key]: dictionary({ a: one }) }));
    expect([...weights.tensors.keys()]).toEqual(['a']);
  });

  it('leaves out what is no tensor, and is found at the top first', () => {
    const weights = openContent(dictionary({ a: one, n: op.integer(1), model: dictionary({ b: one }) }));
    expect([...weights.tensors.keys()]).toEqual(['a']);
  });

  it.each<[string, Buffer, string]>([
    ['a tensor alone', one, 'expected a dictionary of named tensors, found a tensor'],
    ['a list', op.emptyList, 'found a list of 0'],
    ['no tensors', dictionary({ epoch: op.none, n: op.none }), 'found entries "epoch", "n"'],
    [
      'tensors two levels down',
      dictionary({ x: dictionary({ model: dictionary({ a: one }) }) }),
      'found entries "x"',
    ],
    ['a number as name', Buffer.concat([op.emptyDict, op.integer(7), one, op.setItem]), 'found one named 7'],
    [
      'a name with control characters',
      dictionary({ 'a\u001b[2J': one }),
      'printable characters, found "a\\u001b[2J"',
    ],
  ])('is refused: %s', (_, content, message) => {
    expectRefusal(() => openContent(content), message);
  });

  it('may be empty', () => {
    expect(openContent(op.emptyDict).tensors.size).toBe(0);
  });
});
