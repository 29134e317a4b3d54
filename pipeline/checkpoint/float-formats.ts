/** Number formats of stored tensors, and the widening (or, of float64, rounding) of each float to float32. */

/** What a tensor's elements are. */
export type TensorType =
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'float64'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool';

export const bytesPerElement: Readonly<Record<TensorType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float64: 8,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

export type FloatType = 'float32' | 'float16' | 'bfloat16' | 'float64';

export function isFloatType(type: TensorType): type is FloatType {
  return type === 'float32' || type === 'float16' || type === 'bfloat16' || type === 'float64';
}

/**
 * Converts little-endian floats to float32; exact, except that float64 is rounded to the nearest (and
 * beyond float32's range becomes infinite), as PyTorch's `.float()` does.
 *
 * @param bytes A whole number of elements, from an address that suits them (the start of a buffer does).
 * @param target Receives them from index `start` on.
 */
export function widen(type: FloatType, bytes: Uint8Array, target: Float32Array, start: number): void {
  const n = bytes.byteLength / bytesPerElement[type];
  switch (type) {
    case 'float32':
      target.set(new Float32Array(bytes.buffer, bytes.byteOffset, n), start);
      return;
    case 'float64':
      target.set(new Float64Array(bytes.buffer, bytes.byteOffset, n), start);
      return;
    case 'bfloat16': {
      // bfloat16 is the upper half of a float32. Written as bits, so that NaNs keep theirs.
      const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, n);
      const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
      for (let i = 0; i < n; i++) bits[start + i] = halves[i] << 16;
      return;
    }
    case 'float16': {
      const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, n);
      const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
      halfTable ??= float32BitsOfHalves();
      const table = halfTable;
      for (let i = 0; i < n; i++) bits[start + i] = table[halves[i]];
      return;
    }
  }
}

/** Uint32Array [65536]: the float32, as bits, of each float16; 256 KiB, made when first needed. */
let halfTable: Uint32Array | undefined;

/** Source: IEEE 754-2008, binary16 (1 sign, 5 exponent, 10 fraction bits) and binary32 (1, 8, 23). */
function float32BitsOfHalves(): Uint32Array {
  const bits = new Uint32Array(65536);
  const value = new Float32Array(1);
  const valueBits = new Uint32Array(value.buffer);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 0) {
      // Zero or subnormal: fraction · 2^-24, exact in float32.
      value[0] = fraction * 2 ** -24;
      bits[half] = sign | valueBits[0];
    } else {
      // Infinity and NaN take the widest exponent; all else moves from bias 15 to bias 127.
      const wide = exponent === 31 ? 255 : exponent - 15 + 127;
      bits[half] = sign | (wide << 23) | (fraction << 13);
    }
  }
  return bits;
}
