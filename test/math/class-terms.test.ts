import { describe, expect, it } from 'vitest';
import { countClassTerms } from '../../pipeline/math/class-terms.ts';
import { createRandom, shuffled } from '../../pipeline/math/random.ts';

interface Text {
  text: string;
  of: number;
}

/** What a few lines with regular expressions and maps give. */
function plainly(
  texts: Text[],
  c: number,
  [least, most]: readonly [number, number],
  stop: ReadonlySet<string>,
) {
  const counts = Array.from({ length: c }, () => new Map<string, number>());
  for (const { text, of } of texts) {
    const words = (text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? []).filter((word) => !stop.has(word));
    for (let length = least; length <= most; length++) {
      for (let at = 0; at + length <= words.length; at++) {
        const term = words.slice(at, at + length).join(' ');
        counts[of].set(term, (counts[of].get(term) ?? 0) + 1);
      }
    }
  }
  return counts;
}

function asMaps(found: ReturnType<ReturnType<typeof countClassTerms>['finish']>, c: number) {
  return Array.from({ length: c }, (_, i) => {
    const entries = [];
    for (let e = found.offsets[i]; e < found.offsets[i + 1]; e++) {
      entries.push([found.vocabulary[found.terms[e]], found.values[e]] as const);
    }
    return new Map(entries);
  });
}

function counted(texts: Text[], c: number, ngrams: readonly [number, number], stopWords = new Set<string>()) {
  const counter = countClassTerms({ c, ngrams, stopWords });
  for (const { text, of } of texts) counter.add(text, of);
  return counter.finish();
}

/** Texts over a few hundred words, some of them strange. */
function randomTexts(seed: number): Text[] {
  const random = createRandom(seed);
  const strange = [
    'C++',
    'naïve',
    'x',
    'ΑΒ',
    '𝒳𝒴',
    '3.14',
    'snake_case',
    'Straße',
    '東京',
    'a-b',
    '',
    '—',
    'é',
  ];
  const word = () =>
    random.nextBelow(8) === 0
      ? strange[random.nextBelow(strange.length)]
      : random.nextBelow(300).toString(36).toUpperCase();
  return Array.from({ length: 400 }, () => ({
    text: Array.from({ length: random.nextBelow(40) }, word).join(random.nextBelow(2) === 0 ? ' ' : ', '),
    of: random.nextBelow(7),
  }));
}

describe('countClassTerms', () => {
  it.each([[1, 1] as const, [1, 2] as const, [2, 2] as const, [1, 4] as const, [3, 5] as const])(
    'counts terms of %i to %i words as regular expressions and maps do',
    (...ngrams) => {
      const texts = randomTexts(1);
      expect(asMaps(counted(texts, 7, ngrams), 7)).toEqual(
        plainly(texts, 7, ngrams, new Set()).map((terms) => new Map([...terms].sort())),
      );
    },
  );

  it('takes stop words out before terms are formed, as CountVectorizer does', () => {
    const stop = new Set(['5k', '1a', 'naïve']);
    const texts = randomTexts(2);
    const found = counted(texts, 7, [1, 2], stop);
    expect(asMaps(found, 7)).toEqual(plainly(texts, 7, [1, 2], stop));
    expect(found.vocabulary.some((term) => term.split(' ').some((word) => stop.has(word)))).toBe(false);
  });

  it('gives the same bytes in any order of the texts, terms ascending in each class', () => {
    const texts = randomTexts(3);
    const found = counted(texts, 7, [1, 3]);
    const mixed = [...shuffled(texts.length, createRandom(4))].map((i) => texts[i]);
    expect(counted(mixed, 7, [1, 3])).toEqual(found);
    for (let i = 0; i < 7; i++) {
      const terms = found.terms.subarray(found.offsets[i], found.offsets[i + 1]);
      expect(terms).toEqual(terms.toSorted());
    }
  });

  it('orders the vocabulary by fewest words, then by words in code-unit order, each term once', () => {
    const { vocabulary } = counted(randomTexts(5), 7, [1, 3]);
    const words = (term: string): string[] => term.split(' ');
    const before = (a: string, b: string): number => {
      const [first, second] = [words(a), words(b)];
      if (first.length !== second.length) return first.length - second.length;
      const at = first.findIndex((word, x) => word !== second[x]);
      return at < 0 ? 0 : first[at] < second[at] ? -1 : 1;
    };
    expect(vocabulary).toEqual([...vocabulary].sort(before));
    expect(new Set(vocabulary).size).toBe(vocabulary.length);
  });

  it('has no terms where there is no text, and leaves classes without texts empty', () => {
    expect(counted([], 2, [1, 2])).toEqual({
      offsets: new Int32Array(3),
      terms: new Int32Array(0),
      values: new Int32Array(0),
      vocabulary: [],
    });
    expect([...counted([{ text: 'one two', of: 1 }], 3, [1, 1]).offsets]).toEqual([0, 0, 2, 2]);
  });

  it('reads words of a hundred thousand letters', () => {
    const long = 'ab'.repeat(50_000);
    expect(counted([{ text: `${long} ${long}`, of: 0 }], 1, [1, 1]).vocabulary).toEqual([long]);
  });
});
