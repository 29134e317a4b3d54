import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openWeights, type Weights, weightsFrom } from '../../pipeline/checkpoint/weights.ts';
import { UserError } from '../../pipeline/errors.ts';
import { memorySource } from './memory-source.ts';
import { floats, safetensors } from './small-checkpoints.ts';

const fixtures = fileURLToPath(new URL('fixtures/weights/', import.meta.url));
const shared = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url));

interface Expected {
  torch: string;
  safetensors: string;
  files: Record<string, Record<string, { type: string; dims: number[]; float32?: string }>>;
}
const expected: Expected = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8'));

const fromHex = (hex: string): Float32Array =>
  new Float32Array(Uint8Array.from(Buffer.from(hex, 'hex')).buffer);

/** Every float tensor by name. */
function allFloats(weights: Weights): Map<string, Float32Array> {
  const floats = [...weights.tensors].filter(([, { type }]) => type.includes('float'));
  return new Map(floats.map(([name]) => [name, weights.read(name)]));
}

describe('files that PyTorch and safetensors wrote', () => {
  it('were written by the versions that the fixture names', () => {
    expect([expected.torch, expected.safetensors]).toEqual(['2.13.0+cpu', '0.8.0']);
    expect(Object.keys(expected.files)).toHaveLength(10);
  });

  it.each(Object.entries(expected.files))('%s reads as the library reads it', (file, tensors) => {
    const weights = openWeights(join(fixtures, file));
    expect([...weights.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort());
    for (const [name, { type, dims, float32 }] of Object.entries(tensors)) {
      expect(weights.tensors.get(name)).toMatchObject({ type, dims });
      if (float32 !== undefined) expect([name, weights.read(name)]).toEqual([name, fromHex(float32)]);
      else
        expect(() => weights.read(name)).toThrow(
          `expected tensor "${name}" to hold floats, it holds ${type}`,
        );
    }
    weights.close();
  });

  it('are told apart by content, whatever their names', () => {
    const formats = ['plain.safetensors', 'plain.zip.bin', 'plain.stream.bin'].map((file) => {
      const path = join(mkdtempSync(join(tmpdir(), 'scinertopic-weights-')), 'weights.h5');
      writeFileSync(path, readFileSync(join(fixtures, file)));
      const weights = openWeights(path);
      weights.close();
      return weights.format;
    });
    expect(formats).toEqual(['safetensors', 'PyTorch archive', 'PyTorch stream']);
  });

  it.each([
    ['a pickle', 0x80],
    ['gzip', 0x8b1f],
  ])('are safetensors even where the length of the header begins as %s does', (_, length) => {
    const header = JSON.stringify({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } });
    const weights = weightsFrom(memorySource(safetensors(header.padEnd(length), floats(1.5, -2))));
    expect(weights.format).toBe('safetensors');
    expect(weights.read('a')).toEqual(Float32Array.of(1.5, -2));
  });

  it('that hold a program or a whole module are refused by name', () => {
    expect(() => openWeights(join(fixtures, 'program.zip.bin'))).toThrow('TorchScript program');
    expect(() => openWeights(join(fixtures, 'whole-module.zip.bin'))).toThrow(
      'asks for "torch.nn.modules.container.Sequential"',
    );
  });
});

describe.skipIf(!existsSync(shared))('the same model in several formats (../shared/fixtures)', () => {
  const read = (file: string): Map<string, Float32Array> => {
    const weights = openWeights(join(shared, file));
    const floats = allFloats(weights);
    weights.close();
    return floats;
  };

  it.each([
    ['specter2-tiny/base/', 'model.safetensors', ['pytorch_model.bin', 'pytorch_model.legacy.bin'], 39],
    [
      'specter2-tiny/adapter/',
      'adapter.safetensors',
      ['pytorch_adapter.bin', 'pytorch_adapter.legacy.bin'],
      8,
    ],
    ['ner-tiny/', 'model.safetensors', ['pytorch_model.bin', 'pytorch_model.legacy.bin'], 39],
  ])('%s gives equal numbers', (folder, first, others, count) => {
    const reference = read(folder + first);
    expect(reference.size).toBe(count);
    for (const other of others) {
      const floats = read(folder + other);
      expect([...floats.keys()].sort()).toEqual([...reference.keys()].sort());
      for (const [name, values] of floats) expect([name, values]).toEqual([name, reference.get(name)]);
    }
  });

  it('half precision gives the float32 numbers rounded to 11 bits', () => {
    const reference = read('specter2-tiny/base/model.safetensors');
    const halves = read('specter2-tiny/base/pytorch_model.bertprefix_fp16.bin');
    expect(halves.size).toBe(reference.size);
    for (const [name, values] of halves) {
      const exact = reference.get(name.replace(/^bert\./, '')) ?? new Float32Array(0);
      expect(values.length).toBe(exact.length);
      const worst = values.reduce((most, value, i) => {
        // Half the distance of neighbours: 2^-11 of the number, 2^-25 among the subnormal.
        return Math.max(most, Math.abs(value - exact[i]) / Math.max(Math.abs(exact[i]) * 2 ** -11, 2 ** -25));
      }, 0);
      expect(worst).toBeLessThanOrEqual(1);
    }
  });
});

describe('openWeights', () => {
  it('names the path of what is missing or a folder', () => {
    expect(() => openWeights('/nowhere/model.safetensors')).toThrow(UserError);
    expect(() => openWeights('/nowhere/model.safetensors')).toThrow('/nowhere/model.safetensors');
    expect(() => openWeights(tmpdir())).toThrow('found a folder');
  });

  it('says which tensor is missing, and which are there', () => {
    const source = memorySource(safetensors({ a: { dtype: 'F32', shape: [0], data_offsets: [0, 0] } }));
    const weights = weightsFrom(source);
    expect(() => weights.read('b')).toThrow('weights: expected tensor "b"; there are 1: "a".');
    expect(() => weights.read('__proto__')).toThrow(UserError);
    weights.close();
    expect(source.closed).toBe(true);
  });

  it('tells of a file that shrank after it was opened', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'scinertopic-weights-')), 'model.safetensors');
    const bytes = readFileSync(join(fixtures, 'plain.safetensors'));
    writeFileSync(path, bytes);
    const weights = openWeights(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 700));
    expect(() => weights.read('matrix')).toThrow(UserError);
    weights.close();
  });
});

describe('files that are no weights', () => {
  it.each([
    ['an empty file', '', 'the file is empty'],
    [
      'a Git LFS pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n',
      'git lfs pull',
    ],
    ['an error page', '\n <!DOCTYPE html><html>404</html>', 'this is a web page'],
    ['HDF5', '\x89HDF\r\n\x1a\n\0\0\0\0', 'this is HDF5, as TensorFlow'],
    ['GGUF', 'GGUF\x03\0\0\0', 'this is GGUF'],
    ['a tar archive', `${'\0'.repeat(257)}ustar${'\0'.repeat(250)}`, 'this is a tar archive'],
    ['gzip', '\x1f\x8b\x08\0', 'compressed with gzip'],
    ['an empty zip archive', `PK\x05\x06${'\0'.repeat(18)}`, 'zip archive without files'],
    ['anything else', 'weights, I promise', 'found a file of 18 bytes that starts with "weights, I promi"'],
  ])('%s is named, and what to do', (_, content, message) => {
    const open = (): Weights => weightsFrom(memorySource(Buffer.from(content, 'latin1')));
    expect(open).toThrow(UserError);
    expect(open).toThrow(message);
  });
});
