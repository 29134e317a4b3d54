import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type FloatType, widen } from '../../pipeline/checkpoint/float-formats.ts';

const expected: Record<string, string[]> = JSON.parse(
  readFileSync(new URL('fixtures/weights/expected.json', import.meta.url), 'utf8'),
);

const everyPattern = Uint16Array.from({ length: 65536 }, (_, i) => i);

function widened(type: FloatType, values: Uint16Array | Float64Array | Float32Array): Float32Array {
  const target = new Float32Array(values.length);
  widen(type, new Uint8Array(values.buffer), target, 0);
  return target;
}

/** IEEE 754 by its definition: (−1)^sign · fraction · 2^exponent. */
function halfByDefinition(bits: number): number {
  const sign = bits >> 15 === 1 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

describe('widen', () => {
  it('gives all 65,536 float16 their value, zeros their sign', () => {
    expect(widened('float16', everyPattern)).toEqual(Float32Array.from(everyPattern, halfByDefinition));
  });

  it('gives the float16 that PyTorch gives', () => {
    const finite = everyPattern.filter((bits) => ((bits >> 10) & 31) !== 31);
    const sample = widened(
      'float16',
      finite.filter((_, i) => i % 997 === 0),
    );
    const hex = Array.from(sample, (_, i) => Buffer.from(sample.buffer, 4 * i, 4).toString('hex'));
    expect(hex).toEqual(expected['every 997th finite float16']);
    expect(hex.length).toBeGreaterThan(60);
  });

  it('takes a bfloat16 as the upper half of a float32, NaN patterns kept', () => {
    const bits = new Uint32Array(widened('bfloat16', everyPattern).buffer);
    expect(bits).toEqual(Uint32Array.from(everyPattern, (half) => half * 65536));
  });

  it('rounds float64 to the nearest float32', () => {
    const values = Float64Array.of(1 / 3, 1 + 2 ** -24, 1 + 3 * 2 ** -24, 1e39, -1e39, 1e-46, Number.NaN, -0);
    const { POSITIVE_INFINITY, NEGATIVE_INFINITY, NaN: none } = Number;
    expect(Array.from(widened('float64', values))).toEqual([
      Math.fround(1 / 3),
      1,
      1 + 2 ** -22,
      POSITIVE_INFINITY,
      NEGATIVE_INFINITY,
      0,
      none,
      -0,
    ]);
  });

  it('writes from the given index on, and nowhere else', () => {
    const target = new Float32Array(6).fill(9);
    widen('bfloat16', new Uint8Array(Uint16Array.of(0x3f80, 0x4000).buffer), target, 2);
    expect([...target]).toEqual([9, 9, 1, 2, 9, 9]);
    widen('float32', new Uint8Array(Float32Array.of(5).buffer), target, 5);
    expect([...target]).toEqual([9, 9, 1, 2, 9, 5]);
  });
});
