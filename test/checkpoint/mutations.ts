/** Damages bytes as faults and attackers do: seeded, so that what fails can be seen again. */

import type { Random } from '../../pipeline/math/random.ts';
import { uint32, uint64 } from './small-checkpoints.ts';

/** Numbers at which lengths, counts and offsets go wrong. */
const numbers = [
  0n,
  1n,
  2n,
  127n,
  128n,
  255n,
  256n,
  32767n,
  65535n,
  65536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  10_000_000_000n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** Instructions of pickles, and characters of headers. */
const symbols = Buffer.from(
  '.NKMJGUXTCB()t]ae}suqrhjcRbQio02\x80\x81\x85\x86\x87\x88\x8a\x8b\x93\x94\x95{}[]:,"0-e\\',
  'latin1',
);

/**
 * One to four changes.
 *
 * @param donor Another file, pieces of which are put in.
 */
export function mutated(bytes: Buffer, donor: Buffer, random: Random): Buffer {
  let result: Buffer = Buffer.from(bytes);
  for (let left = 1 + random.nextBelow(4); left > 0; left--) result = mutatedOnce(result, donor, random);
  return result;
}

function mutatedOnce(bytes: Buffer, donor: Buffer, random: Random): Buffer {
  if (bytes.length === 0) return Buffer.from(donor);
  const at = random.nextBelow(bytes.length);
  const span = Math.min(1 + random.nextBelow(random.nextBelow(4) === 0 ? 200 : 12), bytes.length - at);
  const replace = (piece: Buffer, removed: number): Buffer =>
    Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + removed)]);
  switch (random.nextBelow(10)) {
    case 0: // a bit
      bytes[at] ^= 1 << random.nextBelow(8);
      return bytes;
    case 1: // a byte
      bytes[at] = random.nextBelow(256);
      return bytes;
    case 2: // an instruction
      bytes[at] = symbols[random.nextBelow(symbols.length)];
      return bytes;
    case 3: // a number
    case 4: {
      const number = numbers[random.nextBelow(numbers.length)] + BigInt(random.nextBelow(3)) - 1n;
      const wide = uint64(BigInt.asUintN(64, number));
      const piece = wide.subarray(0, 1 << random.nextBelow(4));
      return replace(piece, piece.length).subarray(0, bytes.length);
    }
    case 5: {
      // a size or place that could be right
      const near = uint32(random.nextBelow(bytes.length + 2));
      return replace(near, 4).subarray(0, bytes.length);
    }
    case 6: // the end is gone
      return bytes.subarray(0, at);
    case 7: // a piece is gone
      return replace(Buffer.alloc(0), span);
    case 8: // a piece twice
      return replace(bytes.subarray(at, at + span), 0);
    default: {
      // a piece of another file
      const from = random.nextBelow(donor.length);
      return replace(donor.subarray(from, from + span), random.nextBelow(2) * span);
    }
  }
}
