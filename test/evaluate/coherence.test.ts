import { describe, expect, it } from 'vitest';
import { npmiCoherence, topicDiversity, topicQuality } from '../../pipeline/evaluate/coherence.ts';
import { npmi } from '../../pipeline/math/npmi.ts';

const texts = [
  'Neural machine translation with attention.',
  'Machine-translation of low-resource languages',
  'We parse sentences; parsers need treebanks.',
  'A treebank for parsing',
  'MACHINE TRANSLATIONS AND ATTENTION',
  '',
];

describe('npmiCoherence', () => {
  it('finds terms by their words, whatever the case, the number and the marks between them', () => {
    // machine translation: 0, 1, 4; attention: 0, 4.
    const [value] = npmiCoherence([['Machine translation', 'attention']], texts);
    expect(value).toBeCloseTo(npmi(3, 2, 2, 6), 12);
  });

  it('finds no term inside a longer word or across other words', () => {
    const [inside, across] = npmiCoherence(
      [
        ['pars', 'treebank'],
        ['neural translation', 'attention'],
      ],
      texts,
    );
    expect(inside).toBe(0);
    expect(across).toBe(0);
  });

  it('counts a document once however often it repeats a term', () => {
    const [value] = npmiCoherence([['cat', 'dog']], ['cat cat cat', 'dog dog cat', 'fish', 'fish']);
    expect(value).toBeCloseTo(npmi(2, 1, 1, 4), 12);
  });

  it('is 0 for a topic of one term and for terms without letters', () => {
    expect(Array.from(npmiCoherence([['attention'], [], ['∑', '→']], texts))).toEqual([0, 0, 0]);
  });
});

describe('topicDiversity', () => {
  it('is the share of distinct terms', () => {
    expect(
      topicDiversity([
        ['a', 'b'],
        ['a', 'c'],
      ]),
    ).toBe(3 / 4);
    expect(topicDiversity([['a', 'b'], ['c']])).toBe(1);
    expect(topicDiversity([['BERT'], ['bert']])).toBe(1 / 2);
    expect(topicDiversity([])).toBe(1);
  });
});

describe('topicQuality', () => {
  it('averages coherence over topics', () => {
    const topics = [
      ['machine translation', 'attention'],
      ['parsing', 'attention'],
    ];
    const quality = topicQuality(topics, texts);
    expect(quality.meanCoherence).toBeCloseTo((quality.coherence[0] - 1) / 2, 12);
    expect(quality.coherence[1]).toBe(-1);
    expect(quality.diversity).toBe(3 / 4);
  });
});
