/** Sorting order of many non-negative numbers in linear time. */

const DIGIT_BITS = 16;
const BUCKETS = 1 << DIGIT_BITS;
const DIGITS = 64 / DIGIT_BITS;

/**
 * The order that sorts `values` ascending; equal values keep their order.
 *
 * @param values Non-negative, Infinity allowed, never NaN or −0: then a double's bits, read as a whole
 *   number, sort as the number itself.
 * @returns Int32Array [n] of indices.
 */
export function ascendingOrder(values: Float64Array): Int32Array {
  const n = values.length;
  // Views of the doubles' bits as sixteen-bit digits, least significant first on every machine Node runs on.
  const digits = new Uint16Array(values.buffer, values.byteOffset, n * DIGITS);
  let order = new Int32Array(n);
  let next = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  const offsets = new Int32Array(BUCKETS);
  for (let digit = 0; digit < DIGITS; digit++) {
    offsets.fill(0);
    for (let i = 0; i < n; i++) offsets[digits[i * DIGITS + digit]]++;
    let total = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = offsets[bucket];
      offsets[bucket] = total;
      total += count;
    }
    for (let i = 0; i < n; i++) next[offsets[digits[order[i] * DIGITS + digit]]++] = order[i];
    [order, next] = [next, order];
  }
  return order;
}
