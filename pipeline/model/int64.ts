/** Whole numbers as ONNX graphs take them. */

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Ids, none negative, as int64. The low halves are written directly: BigInt() for every token would cost more
 * than a small model's whole sum.
 */
export function toInt64(ids: ArrayLike<number>): BigInt64Array {
  const wide = new BigInt64Array(ids.length);
  const halves = new Int32Array(wide.buffer);
  const low = littleEndian ? 0 : 1;
  for (let t = 0; t < ids.length; t++) halves[2 * t + low] = ids[t];
  return wide;
}
