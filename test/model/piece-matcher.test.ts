import { describe, expect, it } from 'vitest';
import { createPieceMatcher } from '../../pipeline/model/piece-matcher.ts';
import { WordCache } from '../../pipeline/model/word-cache.ts';

function match(
  pieces: string[],
  word: string,
  prefix = '##',
  maxCharacters = 100,
): [string, number][] | null {
  const vocabulary = new Map(pieces.map((piece, id) => [piece, id]));
  const ids = [7];
  const ends = [7];
  const found = createPieceMatcher(vocabulary, { prefix, maxCharacters }).match(word, ids, ends);
  return found ? ids.map((id, i) => [pieces[id], ends[i]]) : null;
}

describe('a piece matcher', () => {
  it('takes the longest piece first and tells where each ends', () => {
    expect(match(['un', 'u', '##aff', '##a', '##able'], 'unaffable')).toEqual([
      ['un', 2],
      ['##aff', 5],
      ['##able', 9],
    ]);
  });

  it('makes no second attempt: a word is unknown when the rest cannot be found', () => {
    expect(match(['ab', 'a', '##bc'], 'abc')).toBeNull();
  });

  it('takes continuations of the prefix alone, or of none', () => {
    expect(match(['a', 'b'], 'ab')).toBeNull();
    expect(match(['a', 'b'], 'ab', '')).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect(match(['xa', 'b', 'xb'], 'xab', 'x')).toEqual([
      ['xa', 2],
      ['xb', 3],
    ]);
  });

  it('counts the length of a word in characters, and cuts none in two', () => {
    const pair = '😀';
    expect(match([pair, `##${pair}`], pair.repeat(100))).toHaveLength(100);
    expect(match([pair, `##${pair}`], pair.repeat(101))).toBeNull();
    expect(match([pair], pair.repeat(2))).toBeNull();
  });
});

describe('a word cache', () => {
  it('forgets everything when it is full', () => {
    const cache = new WordCache<number>(2);
    cache.set('a', 1);
    cache.set('a word longer than a view', 2);
    expect([cache.get('a'), cache.get('a word longer than a view')]).toEqual([1, 2]);
    cache.set('half a pair \ud800 in it', 3);
    expect([cache.get('a'), cache.get('half a pair \ud800 in it')]).toEqual([undefined, 3]);
  });
});
