/**
 * Tokens of documents, one after the other, in as few bytes as they take: commoner words, which are met first, mostly
 * in one or two. Blocks are filled and never moved, so that no corpus is copied as it grows.
 */

export interface PackedTokens {
  /** Adds a token, from −1 up, to the document at hand. */
  push(token: number): void;
  /** Tokens that the document at hand has so far. */
  length(): number;
  endDocument(): void;
  /** The tokens of a document; the array is that of the next reading. */
  read(row: number): Int32Array;
}

const BLOCK_BYTES = 1 << 20;
/** Bytes that a token takes at most, seven bits each. */
const MOST_BYTES = 5;

/** @param n Number of documents. */
export function createPackedTokens(n: number): PackedTokens {
  const blocks: Uint8Array[] = [];
  let used = BLOCK_BYTES;
  // Where each document lies, and what it holds.
  const blockOf = new Int32Array(n);
  const startOf = new Int32Array(n);
  const lengthOf = new Int32Array(n);
  let row = 0;
  let document = new Uint8Array(1 << 12);
  let bytes = 0;
  let length = 0;
  let tokens = new Int32Array(1 << 10);

  return {
    push(token) {
      if (bytes + MOST_BYTES > document.length) {
        const larger = new Uint8Array(2 * document.length);
        larger.set(document);
        document = larger;
      }
      let rest = token + 1;
      for (; rest > 0x7f; rest >>>= 7) document[bytes++] = (rest & 0x7f) | 0x80;
      document[bytes++] = rest;
      length++;
    },
    length: () => length,
    endDocument() {
      if (blocks.length === 0 || used + bytes > BLOCK_BYTES) {
        // A document that is longer than a block has one of its own.
        blocks.push(new Uint8Array(Math.max(BLOCK_BYTES, bytes)));
        used = 0;
      }
      blocks[blocks.length - 1].set(document.subarray(0, bytes), used);
      blockOf[row] = blocks.length - 1;
      startOf[row] = used;
      lengthOf[row] = length;
      used += bytes;
      row++;
      bytes = 0;
      length = 0;
    },
    read(of) {
      const count = lengthOf[of];
      while (tokens.length < count) tokens = new Int32Array(2 * tokens.length);
      const block = blocks[blockOf[of]];
      let at = startOf[of];
      for (let t = 0; t < count; t++) {
        let byte = block[at++];
        let token = byte & 0x7f;
        for (let shift = 7; byte > 0x7f; shift += 7) {
          byte = block[at++];
          token |= (byte & 0x7f) << shift;
        }
        tokens[t] = token - 1;
      }
      return tokens.subarray(0, count);
    },
  };
}
