import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../pipeline/math/random.ts';
import { createPackedTokens } from '../../../stages/label/packed-tokens.ts';

describe('createPackedTokens', () => {
  it('gives back every document, in any order, empty ones and those longer than a block too', () => {
    const random = createRandom(1);
    const lengths = [0, 1, 200, 0, 70_000, 300_000, 3, 0];
    const documents = lengths.map((length) =>
      Int32Array.from({ length }, () => random.nextBelow(2 ** (1 + random.nextBelow(30))) - 1),
    );
    const packed = createPackedTokens(documents.length);
    for (const document of documents) {
      for (const token of document) packed.push(token);
      expect(packed.length()).toBe(document.length);
      packed.endDocument();
    }
    for (const row of [5, 0, 4, 7, 6, 2, 1, 3, 5]) expect(packed.read(row)).toEqual(documents[row]);
  });

  it('keeps the least and the greatest token', () => {
    const packed = createPackedTokens(1);
    const ends = [-1, 0, 126, 127, 16_382, 16_383, 2 ** 31 - 2];
    for (const token of ends) packed.push(token);
    packed.endDocument();
    expect([...packed.read(0)]).toEqual(ends);
  });
});
