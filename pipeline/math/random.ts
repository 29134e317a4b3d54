/** Seeded random numbers: one small generator, passed as an argument wherever chance is needed. */

/** A stream of pseudo-random numbers; equal seeds give equal streams on every machine. */
export interface Random {
  /** Uniform unsigned 32-bit integer. */
  nextUint32(): number;
  /** Uniform in [0, 1), 32 bits of resolution. */
  nextFloat(): number;
  /** Uniform whole number in [0, bound); bound from 1 to 2^32. */
  nextBelow(bound: number): number;
  /** Standard normal. */
  nextNormal(): number;
}

/**
 * sfc32 (Chris Doty-Humphrey, PractRand), seeded from up to three 32-bit words, so that each
 * (seed, epoch, block) has a stream of its own.
 */
export function createRandom(seed: number, stream = 0, substream = 0): Random {
  let a = seed >>> 0;
  let b = stream >>> 0;
  let c = substream >>> 0;
  let counter = 1;
  const nextUint32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  // The author's own warm-up: twelve rounds spread the seed over the whole state.
  for (let round = 0; round < 12; round++) nextUint32();
  const nextFloat = (): number => nextUint32() / 4294967296;
  return {
    nextUint32,
    nextFloat,
    nextBelow: (bound) => Math.floor(nextFloat() * bound),
    nextNormal: () => {
      // Box–Muller; 1 − u keeps the logarithm's argument above zero.
      const radius = Math.sqrt(-2 * Math.log(1 - nextFloat()));
      return radius * Math.cos(2 * Math.PI * nextFloat());
    },
  };
}

/** 0 … n − 1 in random order (Fisher and Yates, as Durstenfeld 1964 has it); n − 1 draws. */
export function shuffled(n: number, random: Random): Int32Array<ArrayBuffer> {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.nextBelow(i + 1);
    const other = order[j];
    order[j] = order[i];
    order[i] = other;
  }
  return order;
}
