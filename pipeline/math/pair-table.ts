/**
 * A whole number for each pair of whole numbers that was met: a hash table whose pairs and values lie side by side,
 * so that looking one up costs one turn to memory.
 */

export interface PairTable {
  /** Pairs in it. */
  size(): number;
  /** Adds one to the value of a pair, 0 before. */
  increment(a: number, b: number): void;
  /** The value of a pair; one that is new gets its number, from 1, in the order in which pairs come. */
  numberOf(a: number, b: number): number;
  /** Calls back with each pair and its value, in no order. */
  each(onPair: (a: number, b: number, value: number) => void): void;
}

/** Numbers per slot: the pair, and its value; 0 where the slot is free. */
const SLOT = 3;
/** The table grows when more than this share of its slots is taken. */
const MOST_FILLED = 0.6;

/** All numbers lie within 32 bits. 20 to 40 bytes a pair, and half as much again while it grows. */
export function createPairTable(): PairTable {
  let capacity = 1 << 12;
  let slots = new Int32Array(SLOT * capacity);
  let size = 0;

  const placeOf = (a: number, b: number): number => {
    let slot = hashOf(a, b) & (capacity - 1);
    let at = SLOT * slot;
    while (slots[at + 2] !== 0 && (slots[at] !== a || slots[at + 1] !== b)) {
      slot = (slot + 1) & (capacity - 1);
      at = SLOT * slot;
    }
    return at;
  };
  const put = (at: number, a: number, b: number, value: number): void => {
    slots[at] = a;
    slots[at + 1] = b;
    slots[at + 2] = value;
  };
  const grow = (): void => {
    const old = slots;
    capacity *= 2;
    slots = new Int32Array(SLOT * capacity);
    for (let at = 0; at < old.length; at += SLOT) {
      if (old[at + 2] !== 0) put(placeOf(old[at], old[at + 1]), old[at], old[at + 1], old[at + 2]);
    }
  };

  const insert = (at: number, a: number, b: number, value: number): void => {
    put(at, a, b, value);
    if (++size > MOST_FILLED * capacity) grow();
  };

  return {
    size: () => size,
    increment(a, b) {
      const at = placeOf(a, b);
      if (slots[at + 2] === 0) insert(at, a, b, 1);
      else slots[at + 2]++;
    },
    numberOf(a, b) {
      const at = placeOf(a, b);
      if (slots[at + 2] !== 0) return slots[at + 2];
      insert(at, a, b, size + 1);
      return size;
    },
    each(onPair) {
      for (let at = 0; at < slots.length; at += SLOT) {
        if (slots[at + 2] !== 0) onPair(slots[at], slots[at + 1], slots[at + 2]);
      }
    },
  };
}

/** Mixes two numbers (the finisher of MurmurHash3 over a weighted sum). */
function hashOf(a: number, b: number): number {
  let hash = (Math.imul(a, 0x9e3779b1) + Math.imul(b, 0x85ebca6b)) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
