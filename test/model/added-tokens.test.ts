import { describe, expect, it } from 'vitest';
import { type AddedToken, createTokenFinder } from '../../pipeline/model/added-tokens.ts';

function token(content: string, flags: Partial<AddedToken> = {}): AddedToken {
  return {
    ...{ id: 0, content, special: false, normalized: false },
    ...{ singleWord: false, leftStrip: false, rightStrip: false, ...flags },
  };
}

/** Pieces of the text; tokens in angle brackets. */
function cut(text: string, tokens: AddedToken[], splitSpecialTokens = false): string[] {
  const patterns = tokens.map((one) => ({ pattern: one.content, token: one }));
  const pieces: string[] = [];
  createTokenFinder(patterns, { splitSpecialTokens })?.(text, (found, start, end) => {
    const piece = text.slice(start, end);
    pieces.push(found === null ? piece : `<${piece}>`);
  });
  return pieces;
}

describe('a token finder', () => {
  it('is none when there is nothing to look for', () => {
    expect(createTokenFinder([], { splitSpecialTokens: false })).toBeNull();
  });

  it('covers the text from end to end', () => {
    expect(cut('a[SEP]b', [token('[SEP]')])).toEqual(['a', '<[SEP]>', 'b']);
    expect(cut('[SEP][SEP]', [token('[SEP]')])).toEqual(['<[SEP]>', '<[SEP]>']);
    expect(cut('plain', [token('[SEP]')])).toEqual(['plain']);
    expect(cut('', [token('[SEP]')])).toEqual([]);
  });

  it('takes the longest where several begin', () => {
    expect(cut('abc ab', [token('a'), token('abc'), token('ab')])).toEqual(['<abc>', ' ', '<ab>']);
  });

  it('takes what a token holds for what it is, not for a pattern', () => {
    const all = '\\^$.*+?()[]{}|/-';
    expect(cut(`x${all}y`, [token(all), token('.*')])).toEqual(['x', `<${all}>`, 'y']);
    expect(cut('a.*b', [token('.*')])).toEqual(['a', '<.*>', 'b']);
  });

  it('finds a single word only where no letter, digit, mark or joiner stands beside it', () => {
    const word = [token('w', { singleWord: true })];
    expect(cut('w w.', word)).toEqual(['<w>', ' ', '<w>', '.']);
    for (const text of ['aw', 'wa', 'w1', '_w', 'w\u0301', '\u{1d400}w', 'w\u200d']) {
      expect(cut(text, word)).toEqual([text]);
    }
    expect(cut('😀w\ud800', word)).toEqual(['😀', '<w>', '\ud800']);
  });

  it('takes white space along, each only once', () => {
    const greedy = [token('x', { leftStrip: true, rightStrip: true })];
    expect(cut('a  x \u3000x b', greedy)).toEqual(['a', '<  x \u3000>', '<x >', 'b']);
  });

  it('leaves special tokens in the text where they are to be split, and what begins inside them', () => {
    const tokens = [token('[SEP]', { special: true }), token('SE'), token('q')];
    expect(cut('[SEP] q SE', tokens, true)).toEqual(['[SEP] ', '<q>', ' ', '<SE>']);
  });
});
