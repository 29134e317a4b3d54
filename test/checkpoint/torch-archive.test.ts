import { describe, expect, it } from 'vitest';
import { type Weights, weightsFrom } from '../../pipeline/checkpoint/weights.ts';
import { UserError } from '../../pipeline/errors.ts';
import { memorySource } from './memory-source.ts';
import {
  dictionary,
  floats,
  op,
  pickle,
  tensor,
  torchArchive,
  uint16,
  uint32,
  uint64,
  type ZipFile,
  zip,
} from './small-checkpoints.ts';

const open = (bytes: Buffer): Weights => weightsFrom(memorySource(bytes));

function expectRefusal(bytes: Buffer, message: string): void {
  expect(() => open(bytes)).toThrow(UserError);
  expect(() => open(bytes)).toThrow(message);
}

const pair = pickle(dictionary({ a: tensor({ length: 2, dims: [2], strides: [1] }) }));
const pairData = floats(1, 2);

describe('a PyTorch archive', () => {
  it('reads with any name of its folder, with folders listed, comments, and without zip64', () => {
    const files: ZipFile[] = [
      { name: 'my model v1/', bytes: Buffer.alloc(0) },
      { name: 'my model v1/data.pkl', bytes: pair },
      { name: 'my model v1/data/0', bytes: pairData },
    ];
    const weights = open(zip(files, { comment: Buffer.from('saved by hand') }));
    expect(weights.format).toBe('PyTorch archive');
    expect([...weights.read('a')]).toEqual([1, 2]);
  });

  it('reads sizes and places from zip64 fields', () => {
    const far = 0xffffffff;
    const header = 30 + 'a/data.pkl'.length + pair.length;
    const other = Buffer.concat([uint16(0x7875), uint16(2), uint16(0)]);
    const extra = Buffer.concat([other, uint16(1), uint16(24), uint64(8), uint64(8), uint64(header)]);
    const files: ZipFile[] = [
      { name: 'a/data.pkl', bytes: pair },
      { name: 'a/data/0', bytes: pairData, claims: { size: far, header: far, extra } },
    ];
    expect([...open(zip(files)).read('a')]).toEqual([1, 2]);
    const short = { ...files[1], claims: { size: far, header: far, extra: extra.subarray(0, -12) } };
    expectRefusal(zip([files[0], short]), 'expected a size below 2^53 in the zip64 field of "a/data/0"');
  });

  it.each<[string, Buffer, string]>([
    ['without data.pkl', zip([{ name: 'a/data.txt', bytes: pair }]), 'found a zip archive with "a/data.txt"'],
    ['with data.pkl too deep', zip([{ name: 'a/b/data.pkl', bytes: pair }]), 'with one FOLDER/data.pkl'],
    [
      'with two of them',
      zip([
        { name: 'a/data.pkl', bytes: pair },
        { name: 'b/data.pkl', bytes: pair },
      ]),
      'found a zip archive with "a/", "b/"',
    ],
    ['without a storage', torchArchive(pair), 'has no file data/0 for its storage'],
    [
      'with a short storage',
      torchArchive(pair, { 0: floats(1) }),
      'expected 2 × float32 in data/0, 8 bytes, found 4',
    ],
    ['with a long storage', torchArchive(pair, { 0: floats(1, 2, 3) }), '8 bytes, found 12'],
    [
      'of big-endian numbers',
      torchArchive(pair, { 0: pairData }, [{ name: 'archive/byteorder', bytes: Buffer.from('big') }]),
      'byteorder says "big"',
    ],
    [
      'of TorchScript',
      torchArchive(pair, { 0: pairData }, [{ name: 'archive/constants.pkl', bytes: pair }]),
      'TorchScript program',
    ],
    [
      'of TorchScript code',
      torchArchive(pair, { 0: pairData }, [{ name: 'archive/code/__torch__.py', bytes: pair }]),
      'TorchScript program',
    ],
    [
      'with a name twice',
      torchArchive(pair, { 0: pairData }, [{ name: 'archive/data/0', bytes: pairData }]),
      'has two files named "archive/data/0"',
    ],
    [
      'with a compressed file',
      torchArchive(pair, { 0: pairData }, [{ name: 'archive/bomb', bytes: pair, claims: { method: 8 } }]),
      'the file "archive/bomb" in the archive is compressed',
    ],
    [
      'with an encrypted file',
      torchArchive(pair, { 0: pairData }, [{ name: 'archive/secret', bytes: pair, claims: { flags: 1 } }]),
      'the file "archive/secret" in the archive is encrypted',
    ],
    [
      'with files one upon another',
      torchArchive(pair, { 0: pairData }, [{ name: 'archive/more', bytes: pair, claims: { header: 0 } }]),
      'the files "archive/data.pkl" and "archive/more" overlap',
    ],
    [
      'with a file that grows into the next',
      zip([
        { name: 'archive/data.pkl', bytes: pair, claims: { size: pair.length + 1 } },
        { name: 'archive/data/0', bytes: pairData },
      ]),
      'the files "archive/data.pkl" and "archive/data/0" overlap',
    ],
    [
      'with two sizes for one file',
      torchArchive(pair, { 0: pairData }, [{ name: 'archive/x', bytes: pair, claims: { stored: 1 } }]),
      `is said to have ${pair.length} bytes and to take 1`,
    ],
    [
      'with a file beyond its end',
      torchArchive(pair, { 0: pairData }, [{ name: 'archive/x', bytes: pair, claims: { header: 4e9 } }]),
      'the file "archive/x" is said to be at byte 4000000000',
    ],
    [
      'with a file that has no header of its own',
      torchArchive(pair, { 0: pairData }, [{ name: 'archive/x', bytes: pair, claims: { header: 3 } }]),
      'expected the header of "archive/x" at byte 3',
    ],
    [
      'of the last of several disks',
      zip([{ name: 'a/data.pkl', bytes: pair }], { disk: 1 }),
      'expected a zip archive in one piece',
    ],
    [
      'with too few entries',
      zip([{ name: 'a/data.pkl', bytes: pair }], { count: 0 }),
      'follow the last of 0 entries',
    ],
    ['with too many entries', zip([{ name: 'a/data.pkl', bytes: pair }], { count: 3 }), 'claims 3 files in'],
    [
      'with a directory beyond its end',
      zip([{ name: 'a/data.pkl', bytes: pair }], { position: 4e9 }),
      'it has to end by',
    ],
    [
      'with a directory elsewhere',
      zip([{ name: 'a/data.pkl', bytes: pair }], { position: 0 }),
      'expected the next file of the zip archive',
    ],
    [
      'that refers to a zip64 record which is not there',
      zip([{ name: 'a/data.pkl', bytes: pair }], { position: 0xffffffff }),
      'expected the zip64 directory record',
    ],
    ['that is cut off', torchArchive(pair, { 0: pairData }).subarray(0, -1), 'no directory at its end'],
  ])('%s is refused', (_, bytes, message) => {
    expectRefusal(bytes, message);
  });

  it('is refused where the pickle asks for a program', () => {
    const attack = pickle(op.global('os', 'system'), op.text('id'), Buffer.of(0x85), op.reduce);
    expectRefusal(torchArchive(attack), 'asks for "os.system"');
  });

  it('takes the first directory record from the end that fits its comment', () => {
    // A comment that itself looks like an end record whose comment would run beyond the file.
    const decoy = Buffer.concat([uint32(0x06054b50), Buffer.alloc(16), uint16(500)]);
    const archive = zip(
      [
        { name: 'a/data.pkl', bytes: pair },
        { name: 'a/data/0', bytes: pairData },
      ],
      { comment: decoy },
    );
    expect([...open(archive).read('a')]).toEqual([1, 2]);
  });
});
