/** Normalised pointwise mutual information: how much oftener terms share documents than chance would have it. */

/** Set of document rows, one bit each. */
export type DocumentBits = Uint32Array;

/**
 * The set of some document rows out of n.
 *
 * @param documents Rows, 0 to n − 1, in any order; a row named twice counts once.
 */
export function documentBits(documents: ArrayLike<number>, n: number): DocumentBits {
  const bits = new Uint32Array((n + 31) >>> 5);
  for (let at = 0; at < documents.length; at++) {
    const row = documents[at];
    if (!(Number.isInteger(row) && row >= 0 && row < n)) {
      throw new RangeError(`Expected document rows from 0 to ${n - 1}, got ${row}.`);
    }
    bits[row >>> 5] |= 1 << (row & 31);
  }
  return bits;
}

/** Number of documents in a set. */
export function bitCount(bits: DocumentBits): number {
  let count = 0;
  for (let word = 0; word < bits.length; word++) count += onesOf(bits[word]);
  return count;
}

/** Number of documents in both sets; both of the same n. */
export function sharedBitCount(a: DocumentBits, b: DocumentBits): number {
  let count = 0;
  for (let word = 0; word < a.length; word++) count += onesOf(a[word] & b[word]);
  return count;
}

/**
 * NPMI of two terms, −1 (never together) over 0 (independent) to 1 (always together).
 * A term of no document says nothing: 0. Two terms of every document are always together: 1.
 *
 * @param a Documents with the first term; likewise b.
 * @param both Documents with both.
 * @param n Documents in all.
 *
 * Source: Bouma 2009, "Normalized (pointwise) mutual information in collocation extraction".
 */
export function npmi(a: number, b: number, both: number, n: number): number {
  if (a === 0 || b === 0) return 0;
  if (both === 0) return -1;
  if (both === n) return 1;
  return Math.log((both * n) / (a * b)) / -Math.log(both / n);
}

/**
 * Mean NPMI over all pairs of terms, by the documents they share.
 *
 * @param terms Documents of each term, as made by documentBits for the same n.
 * @param n Documents in all.
 * @returns −1 to 1; 0 for fewer than two terms.
 *
 * Source: Lau, Newman and Baldwin 2014, with whole documents in place of a sliding window: abstracts are
 * about as long as a window.
 */
export function meanNpmi(terms: readonly DocumentBits[], n: number): number {
  if (terms.length < 2) return 0;
  const counts = terms.map(bitCount);
  let sum = 0;
  for (let i = 1; i < terms.length; i++) {
    for (let j = 0; j < i; j++) sum += npmi(counts[i], counts[j], sharedBitCount(terms[i], terms[j]), n);
  }
  return sum / ((terms.length * (terms.length - 1)) / 2);
}

/** Ones among 32 bits (Hacker's Delight, figure 5-2). */
function onesOf(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  x = (x + (x >>> 4)) & 0x0f0f0f0f;
  return Math.imul(x, 0x01010101) >>> 24;
}
