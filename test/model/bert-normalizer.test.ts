import { describe, expect, it } from 'vitest';
import { combiningClassOf, isWordCharacter, lowerCaseOf } from '../../pipeline/model/bert-characters.ts';
import {
  type BertNormalizerSettings,
  bertSteps,
  classifyCodeUnits,
  normalize,
  SINGLE,
} from '../../pipeline/model/bert-normalizer.ts';

function stepsOf(settings: Partial<BertNormalizerSettings>) {
  return bertSteps({
    cleanText: true,
    handleChinese: true,
    stripAccents: null,
    lowercase: true,
    ...settings,
  });
}

function textOf(text: string, settings: Partial<BertNormalizerSettings> = {}): string {
  return String.fromCodePoint(...normalize(text, stepsOf(settings)).codes);
}

describe('normalize', () => {
  it('takes accents off with lower case, unless told otherwise', () => {
    expect(textOf('Éa')).toBe('ea');
    expect(textOf('Éa', { stripAccents: false })).toBe('éa');
    expect(textOf('Éa', { lowercase: false })).toBe('Éa');
    expect(textOf('Éa', { lowercase: false, stripAccents: true })).toBe('Ea');
  });

  it('makes lower case character by character', () => {
    expect(textOf('ΟΔΟΣ', { stripAccents: false })).toBe('οδοσ');
    expect(textOf('İ', { stripAccents: false })).toBe('i\u0307');
    expect(textOf('ẞ')).toBe('ß');
  });

  it('sets ideographs apart, and leaves kana, Hangul and the block that BERT forgot', () => {
    expect(textOf('a中b')).toBe('a 中 b');
    expect(textOf('カナ')).toBe('カナ');
    expect(textOf('\u{2b820}\u{2b91f}x')).toBe('\u{2b820}\u{2b91f}x');
    expect(textOf('a中b', { handleChinese: false })).toBe('a中b');
  });

  it('keeps what Unicode has not assigned, and drops what is private', () => {
    expect(textOf('a\u0378b')).toBe('a\u0378b');
    expect(textOf('a\ue000\u{10fffd}\ufffdb')).toBe('ab');
  });

  it('gives each character the place it came from', () => {
    expect(normalize('x\u200b한É', stepsOf({}))).toEqual({
      codes: [0x78, 0x1112, 0x1161, 0x11ab, 0x65],
      starts: [0, 2, 2, 2, 3],
      ends: [1, 3, 3, 3, 4],
    });
  });

  it('puts marks in order and leaves the places as they were', () => {
    // U+302E has class 224 and stays; it moves before the 230 of an accent that BERT's old tables do not know.
    expect(normalize('a\u1dfb\u302e', ['decompose'])).toEqual({
      codes: [0x61, 0x302e, 0x1dfb],
      starts: [0, 1, 2],
      ends: [1, 2, 3],
    });
  });

  it('sorts a hundred thousand marks in no time to speak of', () => {
    const { codes } = normalize(`a${'\u0301\u0334'.repeat(50_000)}`, ['decompose']);
    expect(codes.slice(1, 50_001).every((code) => code === 0x334)).toBe(true);
    expect(codes.slice(50_001).every((code) => code === 0x301)).toBe(true);
  });
});

describe('classes of code units', () => {
  it('say of each alone what normalising a text says', () => {
    for (const steps of [stepsOf({}), stepsOf({ lowercase: false }), stepsOf({ cleanText: false })]) {
      const kinds = classifyCodeUnits(steps);
      for (let code = 0; code < 0x10000; code += 7) {
        if (code >= 0xd800 && code <= 0xdfff) continue;
        const character = String.fromCharCode(code);
        const { codes } = normalize(character, steps);
        if (kinds[code] === SINGLE) expect(codes.filter((found) => found !== 0x20)).toEqual([code]);
      }
    }
  });
});

it('holds the tables of the library, not those of this Node', () => {
  expect(lowerCaseOf(0x41)).toBe(0x61);
  expect(combiningClassOf(0x301)).toBe(230);
  // A mark of Unicode 14, of class 230 since then.
  expect(combiningClassOf(0x898)).toBe(0);
  expect([0x5f, 0x301, 0x200d, 0x2d].map(isWordCharacter)).toEqual([true, true, true, false]);
});
