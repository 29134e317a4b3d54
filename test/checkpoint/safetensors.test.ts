import { describe, expect, it } from 'vitest';
import { type Weights, weightsFrom } from '../../pipeline/checkpoint/weights.ts';
import { UserError } from '../../pipeline/errors.ts';
import { memorySource } from './memory-source.ts';
import { floats, safetensors, uint64 } from './small-checkpoints.ts';

const open = (bytes: Buffer): Weights => weightsFrom(memorySource(bytes));

function expectRefusal(bytes: Buffer, message: string): void {
  expect(() => open(bytes)).toThrow(UserError);
  expect(() => open(bytes)).toThrow(message);
}

const entry = (shape: unknown, start: unknown, end: unknown, dtype: unknown = 'F32'): object => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

describe('safetensors', () => {
  it('gives tensors in any order of the data, scalars and empty ones too', () => {
    const weights = open(
      safetensors(
        {
          __metadata__: { format: 'pt' },
          second: entry([2], 4, 12),
          first: entry([], 0, 4),
          none: entry([3, 0], 4, 4),
        },
        floats(1, 2, 3),
      ),
    );
    expect(weights.format).toBe('safetensors');
    expect([...weights.tensors.keys()]).toEqual(['second', 'first', 'none']);
    expect([...weights.read('first')]).toEqual([1]);
    expect([...weights.read('second')]).toEqual([2, 3]);
    expect(weights.read('none')).toHaveLength(0);
    expect(weights.tensors.get('first')?.dims).toEqual([]);
  });

  it('accepts a header padded with spaces, escapes in names, and no tensors at all', () => {
    const text = '{"a\\u00e9\\"" : {"shape":[ 1 ],"data_offsets":[0,4],"dtype":"F32"} }   ';
    expect([...open(safetensors(text, floats(1))).tensors.keys()]).toEqual(['aé"']);
    expect(open(safetensors('{}')).tensors.size).toBe(0);
  });

  it('treats names that JavaScript knows as names', () => {
    const text = '{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    const weights = open(safetensors(text, floats(7)));
    expect([...weights.read('__proto__')]).toEqual([7]);
  });

  it.each<[string, object, string]>([
    ['a gap before', { a: entry([1], 4, 8) }, 'leaves a gap before it: expected it at byte'],
    ['bytes after the last', { a: entry([1], 0, 4) }, '4 bytes after the last tensor belong to none'],
    ['an overlap', { a: entry([2], 0, 8), b: entry([1], 4, 8) }, 'tensor "b" overlaps the tensor before it'],
    ['an end outside', { a: entry([3], 0, 12) }, 'claims bytes 0 to 12 of the data, the file has 8'],
    ['offsets backwards', { a: entry([1], 8, 4) }, 'needs 4 bytes, its offsets are 8 and 4'],
    ['a size that the offsets deny', { a: entry([3], 0, 8) }, 'of float32 [3] needs 12 bytes'],
    ['a type that is not read', { a: entry([8], 0, 8, 'F8_E4M3') }, 'tensor "a" holds "F8_E4M3"'],
    ['an unknown entry', { a: { ...entry([2], 0, 8), strides: [1] } }, 'has the unknown entry "strides"'],
    [
      'no offsets',
      { a: { dtype: 'F32', shape: [2] } },
      'expected dtype, shape and two data_offsets for tensor',
    ],
    ['three offsets', { a: { ...entry([2], 0, 8), data_offsets: [0, 4, 8] } }, 'two data_offsets'],
    ['an empty name', { '': entry([2], 0, 8) }, "expected a tensor's name of 1 to 1024 printable"],
    ['a name with a line feed', { 'a\nb': entry([2], 0, 8) }, 'found "a\\nb"'],
    ['metadata that is no text', { __metadata__: { a: 1 } }, 'expected ", found "1'],
    ['a list in place of an entry', { a: [] }, 'expected {, found "[]'],
  ])('refuses %s', (_, header, message) => {
    expectRefusal(safetensors(header, floats(1, 2)), message);
  });

  it.each([
    ['negative sizes', '[-1]'],
    ['fractions', '[1.0]'],
    ['exponents', '[1e3]'],
    ['leading zeros', '[01]'],
    ['texts', '["1"]'],
    ['sizes of 2^53', '[9007199254740992]'],
    ['sizes beyond any', '[99999999999999999999]'],
    ['lists of lists', '[[1]]'],
  ])('refuses %s in a shape', (_, shape) => {
    const text = `{"a":{"dtype":"F32","shape":${shape},"data_offsets":[0,4]}}`;
    expectRefusal(safetensors(text, floats(1)), 'expected a whole number from 0 to 2^53 − 1');
  });

  it('refuses sizes whose product overflows', () => {
    const text = '{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}';
    expectRefusal(safetensors(text), 'more than 2^53 elements');
    // The largest product that a double holds exactly, though not times four bytes.
    const exact = '{"a":{"dtype":"F32","shape":[9007199254740991],"data_offsets":[0,0]}}';
    expectRefusal(safetensors(exact), 'needs 36028797018963964 bytes');
    const empty = '{"a":{"dtype":"F32","shape":[9007199254740991,9007199254740991,0],"data_offsets":[0,0]}}';
    expect(open(safetensors(empty)).read('a')).toHaveLength(0);
  });

  it('refuses the same name twice, and the same entry twice', () => {
    const one = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
    expectRefusal(safetensors(`{"a":${one},"a":${one}}`, floats(1)), 'the tensor "a" is given twice');
    // The same name by an escape.
    expectRefusal(safetensors(`{"a":${one},"\\u0061":${one}}`, floats(1)), 'the tensor "a" is given twice');
    const twice = '{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    expectRefusal(safetensors(twice, floats(1)), 'the entry of tensor "a" "dtype" is given twice');
  });

  it.each([
    ['{', 'expected ", found the end of the header'],
    ['{"a', 'a string does not end'],
    ['{"a":1}', 'expected {, found "1}"'],
    ['{} x', 'expected the end of the header, found "x"'],
    ['{}{}', 'expected the end of the header'],
    ['{"\\x":{}}', 'expected a string as JSON writes it'],
    ['{,}', 'expected ", found'],
    ['{"__metadata__":{},}', 'expected ", found'],
  ])('refuses the header %s', (text, message) => {
    expectRefusal(safetensors(text), message);
  });

  it('refuses a header that is no UTF-8 or longer than the file', () => {
    expectRefusal(Buffer.concat([uint64(3), Buffer.of(0x7b, 0xff, 0x7d)]), 'to be UTF-8 text');
    expectRefusal(Buffer.concat([uint64(3), Buffer.from('{}')]), 'claims 3 bytes, the file has 2');
    expectRefusal(
      Buffer.concat([uint64(2n ** 64n - 1n), Buffer.from('{}')]),
      'the file has 2 after its length',
    );
  });
});
