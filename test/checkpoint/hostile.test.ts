import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openWeights, weightsFrom } from '../../pipeline/checkpoint/weights.ts';
import { UserError } from '../../pipeline/errors.ts';
import { memorySource } from './memory-source.ts';
import {
  dictionary,
  floats,
  littleEndian,
  magic,
  op,
  pickle,
  safetensors,
  streamVersion,
  tensor,
  torchArchive,
  torchStream,
  tuple,
  uint16,
  uint32,
  uint64,
  zip,
} from './small-checkpoints.ts';

const fixtures = fileURLToPath(new URL('fixtures/weights/', import.meta.url));
const checkpoints = readdirSync(fixtures).filter((name) => !name.endsWith('.json'));

/** What an action adds to this process's memory at its end, in bytes, garbage included. */
function memoryTaken(action: () => void): number {
  const used = (): number => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  action();
  return used() - before;
}

const two = { 0: floats(1, 2) };
const billions = 2_500_000_000;
const tensorOf = (length: number, dims: number[], strides: number[]): Buffer =>
  pickle(dictionary({ a: tensor({ length, dims, strides }) }));
const streamStart = Buffer.concat([magic, streamVersion, littleEndian]);

describe('small files that claim 10 GB', () => {
  const claims: [string, Buffer, string][] = [
    [
      'a safetensors header',
      Buffer.concat([uint64(10_000_000_000), Buffer.from('{}')]),
      'claims 10000000000 bytes, the file has 2 after its length',
    ],
    [
      'a safetensors tensor',
      safetensors({ a: { dtype: 'F32', shape: [billions], data_offsets: [0, 4 * billions] } }),
      'claims bytes 0 to 10000000000 of the data, the file has 0',
    ],
    [
      'a storage in an archive',
      torchArchive(tensorOf(billions, [billions], [1]), two),
      'expected 2500000000 × float32 in data/0, 10000000000 bytes, found 8',
    ],
    ['a tensor in an archive', torchArchive(tensorOf(2, [billions], [1]), two), 'reaches element 2499999999'],
    [
      'a repeated element',
      torchArchive(tensorOf(2, [billions], [0]), two),
      'has more numbers than a file of',
    ],
    [
      'repeated elements of several sizes',
      torchArchive(tensorOf(2, [50_000, 50_000], [0, 0]), two),
      'has more numbers than a file of',
    ],
    [
      'a file in an archive',
      zip([
        {
          name: 'a/data.pkl',
          bytes: pickle(op.none),
          claims: {
            size: 0xffffffff,
            extra: Buffer.concat([uint16(1), uint16(16), uint64(1e10), uint64(1e10)]),
          },
        },
      ]),
      'with 10000000000 bytes, the archive',
    ],
    ["an archive's directory", zip([{ name: 'a', bytes: two[0] }], { bytes: 4e9 }), 'it has to end by byte'],
    [
      "an archive's number of files",
      zip([{ name: 'a', bytes: two[0] }], { count: 65534 }),
      'claims 65534 files',
    ],
    [
      'a storage in a stream',
      torchStream(tensorOf(billions, [billions], [1]), { 0: [billions, floats(1)] }),
      'of 2500000000 × float32 ends at byte 100',
    ],
    [
      'a count in a stream',
      torchStream(tensorOf(2, [2], [1]), { 0: [billions, two[0]] }),
      '2500000000 by its count',
    ],
    [
      'a text',
      torchArchive(Buffer.concat([op.protocol(2), Buffer.from('X'), uint32(4e9)])),
      'expected 4000000000 more bytes, found 0',
    ],
    [
      'bytes',
      torchArchive(Buffer.concat([op.protocol(3), Buffer.from('B'), uint32(4e9)])),
      'expected 4000000000 more bytes, found 0',
    ],
    [
      'a whole number',
      torchArchive(Buffer.concat([op.protocol(2), Buffer.of(0x8b), uint32(2 ** 31)])),
      'whole numbers of at most 16 bytes, found 2147483648',
    ],
    [
      'a frame',
      torchArchive(Buffer.concat([op.protocol(4), Buffer.of(0x95), uint64(1e10)])),
      'a frame of the pickle',
    ],
    [
      'a text in a stream',
      Buffer.concat([streamStart, op.protocol(2), Buffer.from('X'), uint32(4e9), Buffer.alloc(100)]),
      'expected 4000000000 more bytes, found 100',
    ],
  ];

  it.each(claims)('%s is refused without memory', (_, bytes, message) => {
    const source = memorySource(bytes);
    const taken = memoryTaken(() => {
      expect(() => weightsFrom(source)).toThrow(UserError);
    });
    expect(() => weightsFrom(memorySource(bytes))).toThrow(message);
    expect(taken).toBeLessThan(16e6);
    // Its head, its end and its directory may be seen several times, and nothing more.
    expect(source.bytesRead).toBeLessThanOrEqual(4 * bytes.length);
  });
});

describe('large files without content', () => {
  /** A file of 10 GB of which only the start is written; the rest takes no room on the disk. */
  function sparse(start: Buffer): string {
    const path = join(mkdtempSync(join(tmpdir(), 'scinertopic-weights-')), 'model.safetensors');
    const file = openSync(path, 'w');
    writeSync(file, start);
    closeSync(file);
    truncateSync(path, 10_000_000_000);
    return path;
  }

  it.each([
    [
      'a header of 9 GB',
      Buffer.concat([uint64(9_000_000_000), Buffer.from('{')]),
      'expected a safetensors header of at most 33554432 bytes, found 9000000000',
    ],
    [
      'a pickle of 9 GB',
      Buffer.concat([streamStart, op.protocol(2), Buffer.from('X'), uint32(4e9)]),
      'expected 4000000000 more bytes, found 33',
    ],
    ['an archive without its end', torchArchive(pickle(op.none)), 'no directory at its end'],
  ])('%s is refused without memory', (_, start, message) => {
    const path = sparse(start);
    const taken = memoryTaken(() => {
      expect(() => openWeights(path)).toThrow(message);
    });
    rmSync(path);
    expect(taken).toBeLessThan(16e6);
  });
});

describe('pickles that grow', () => {
  const run = (...code: Buffer[]): (() => unknown) => {
    const bytes = torchArchive(pickle(...code));
    return () => weightsFrom(memorySource(bytes));
  };

  it('lists of lists of themselves cost their instructions only', () => {
    // Each level holds the one before it twice: 2^60 leaves for whoever would walk them.
    const levels = Array.from({ length: 60 }, (_, i) =>
      Buffer.concat([op.emptyList, op.mark, op.get(i), op.get(i), op.appends, op.put(i + 1)]),
    );
    const taken = memoryTaken(() => {
      expect(run(op.mark, op.emptyList, op.put(0), ...levels, op.tuple)).toThrow('found a tuple of 61');
    });
    expect(taken).toBeLessThan(16e6);
  });

  it('a list inside itself, and a list 300,000 deep, are no trouble', () => {
    expect(run(op.emptyList, op.put(0), op.get(0), op.append)).toThrow('found a list of 1');
    const depth = 300_000;
    const deep = Buffer.concat([Buffer.alloc(depth, ']'), Buffer.alloc(depth - 1, 'a')]);
    expect(run(deep)).toThrow('found a list of 1');
  });

  it('a list that many calls want copied is copied once', () => {
    const pair = Buffer.concat([op.emptyList, op.mark, op.text('a'), op.none, op.appends]);
    const list = Buffer.concat([op.emptyList, op.put(0), op.mark, ...Array(1000).fill(pair), op.appends]);
    const callIt = Buffer.concat([
      op.global('collections', 'OrderedDict'),
      op.get(0),
      Buffer.of(0x85),
      op.reduce,
    ]);
    const again = run(op.mark, list, ...Array(2000).fill(callIt), op.tuple);
    expect(again).toThrow('found a tuple of 2001');
    expect(memoryTaken(() => expect(again).toThrow(UserError))).toBeLessThan(64e6);
  });

  it('sizes by the thousand, shared by many tensors, are refused at once', () => {
    const sizes = Buffer.concat([tuple(...Array(5000).fill(op.integer(1))), op.put(0)]);
    const storage = tuple(
      op.text('storage'),
      op.global('torch', 'FloatStorage'),
      op.text('0'),
      op.none,
      op.integer(1),
    );
    const args = tuple(storage, op.persistentId, op.integer(0), op.get(0), op.get(0));
    const tensors = Array(100).fill(
      Buffer.concat([op.global('torch._utils', '_rebuild_tensor'), args, op.reduce]),
    );
    expect(run(op.mark, sizes, ...tensors, op.tuple)).toThrow('expected at most 64 dimensions, found 5000');
  });

  it('more than a million instructions are refused, whatever they make', () => {
    for (const instruction of ['}', ']', ')', 'N', 'K\0', '(', 'U\0', '}\x94', '}NNs']) {
      const bytes = torchArchive(
        Buffer.concat([
          op.protocol(4),
          Buffer.alloc(1_100_000 * instruction.length, instruction, 'latin1'),
          op.stop,
        ]),
      );
      const taken = memoryTaken(() => {
        expect(() => weightsFrom(memorySource(bytes))).toThrow('at most 1000000 instructions');
      });
      expect(taken).toBeLessThan(2e8);
    }
  });
});

describe('files that are cut off', () => {
  it.each(checkpoints)('%s is refused at every length', (name) => {
    const whole = readFileSync(join(fixtures, name));
    const outcomes = new Set<string>();
    for (let length = 0; length < whole.length; length++) {
      try {
        weightsFrom(memorySource(whole.subarray(0, length)));
        outcomes.add(`opened at ${length}`);
      } catch (error) {
        outcomes.add(error instanceof UserError ? 'refused' : String(error));
      }
    }
    expect([...outcomes]).toEqual(['refused']);
  });
});
