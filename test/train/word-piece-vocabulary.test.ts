import { describe, expect, it } from 'vitest';
import { learnVocabulary, WordCounter } from '../../pipeline/train/word-piece-vocabulary.ts';

const counts = new Map([
  ['model', 100],
  ['models', 80],
  ['learning', 60],
  ['lower', 40],
  ['lowest', 39],
  ['slower', 38],
  ['rare', 2],
]);

describe('learnVocabulary', () => {
  it('starts with the special tokens and every common character', () => {
    const vocabulary = learnVocabulary(counts, { size: 60 });
    expect(vocabulary.slice(0, 2)).toEqual(['[PAD]', '[UNK]']);
    expect(vocabulary).toContain('m');
    expect(vocabulary).toContain('##o');
  });

  it('holds the commonest words whole', () => {
    const vocabulary = learnVocabulary(counts, { size: 36 });
    expect(vocabulary).toContain('model');
    expect(vocabulary.indexOf('model')).toBeLessThan(vocabulary.indexOf('models'));
    expect(vocabulary).not.toContain('rare');
  });

  it('merges the commonest pair of the words that are not held whole', () => {
    // Characters of these words: w, ##a, ##b, ##c and special tokens; one place each for a word and pieces.
    const words = new Map([
      ['xx', 1000],
      ['wab', 30],
      ['wac', 25],
      ['wcab', 24],
    ]);
    const characters = learnVocabulary(words, { size: 0 }).length;
    const vocabulary = learnVocabulary(words, { size: characters + 2 });
    // Five places' 80% would be four words; with two places it is one word, then one merge: w + ##a (55).
    expect(vocabulary.slice(characters)).toEqual(['xx', 'wa']);
  });

  it('never gives a piece twice and never exceeds its size', () => {
    const vocabulary = learnVocabulary(counts, { size: 45 });
    expect(new Set(vocabulary).size).toBe(vocabulary.length);
    expect(vocabulary.length).toBeLessThanOrEqual(45);
  });

  it('does not depend on the order in which words were met', () => {
    const reversed = new Map([...counts].reverse());
    expect(learnVocabulary(reversed, { size: 50 })).toEqual(learnVocabulary(counts, { size: 50 }));
  });
});

describe('WordCounter', () => {
  it('counts words as the tokenizer sees them', () => {
    const counter = new WordCounter();
    counter.add('Models, MODELS');
    counter.add('modèls');
    expect([...counter.counts]).toEqual([
      ['models', 3],
      [',', 1],
    ]);
  });
});
