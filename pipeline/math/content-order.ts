/**
 * An order of rows that depends on what they hold and not on where they stand: that of a hash of their numbers.
 * Neighbouring rows of it have nothing to do with each other.
 */

/**
 * @param vectors Float32Array [n × d].
 * @returns Int32Array [n]: rows in their new order. Equal rows stay in the order they came in.
 */
export function contentOrder(vectors: Float32Array, n: number, d: number): Int32Array {
  const bits = new Int32Array(vectors.buffer, vectors.byteOffset, n * d);
  const hashes = new Uint32Array(n);
  for (let i = 0; i < n; i++) hashes[i] = hashOf(bits, i * d, d);
  const compare = (i: number, j: number): number => {
    for (let x = 0; x < d; x++) {
      const difference = bits[i * d + x] - bits[j * d + x];
      if (difference !== 0) return difference;
    }
    return i - j;
  };
  const order = Int32Array.from({ length: n }, (_, i) => i);
  return order.sort((i, j) => hashes[i] - hashes[j] || compare(i, j));
}

/** MurmurHash3's 32-bit mix (Appleby 2011) over whole words. */
export function hashOf(words: Int32Array, start: number, length: number): number {
  let hash = length;
  for (let x = start; x < start + length; x++) {
    let word = Math.imul(words[x], 0xcc9e2d51);
    word = (word << 15) | (word >>> 17);
    hash ^= Math.imul(word, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
