import { describe, expect, it } from 'vitest';
import { compareCodePoints } from '../../../stages/label/code-point-order.ts';
import { BREAK, readWords, wordKey } from '../../../stages/label/words.ts';
import { textsOf } from './marked-corpus.ts';

function wordsOf(...texts: string[]): ReturnType<typeof readWords> {
  return readWords(
    textsOf({ id: texts.map((_, row) => `doc-${row}`), title: texts.map(() => ''), abstract: texts }),
  );
}

function keysOf(text: string): string[] {
  const { tokensOf, keys } = wordsOf(text);
  return Array.from(tokensOf(0), (token) => (token === BREAK ? '|' : keys[token]));
}

describe('wordKey', () => {
  it('agrees for case, number, possessive and hyphens', () => {
    for (const same of [
      ['parser', 'Parsers', "parser's", 'PARSER'],
      ['pretraining', 'pre-training', 'Pre‑Training'],
      ['corpus', 'corpora'],
      ['bias', 'biases'],
      ['analysis', 'analyses'],
      ['study', 'studies'],
      ['class', 'classes'],
      ['llm', 'LLMs'],
    ]) {
      expect(new Set(same.map(wordKey)).size).toBe(1);
    }
  });

  it('keeps words apart that only look like plurals', () => {
    expect(wordKey('news')).not.toBe(wordKey('new'));
    expect(wordKey('bus')).toBe('bus');
    expect(wordKey('loss')).toBe('loss');
    expect(wordKey('basis')).toBe('basis');
    expect(wordKey('gas')).toBe('gas');
  });
});

describe('readWords', () => {
  it('keeps words with marks inside whole and breaks phrases at punctuation', () => {
    expect(keysOf('C++ and low-resource R&D, at 0.5; word2vec (GloVe).')).toEqual([
      'c++', 'and', 'lowresource', 'r&d', '|', 'at', '0.5', '|', 'word2vec', '|', 'glove', '|',
    ]); // biome-ignore format: one line of tokens reads best
  });

  it('reads every script, and breaks at emoji', () => {
    expect(keysOf('Überblick über 机器翻译 😀 перевод')).toEqual([
      'überblick', 'über', '机器翻译', '|', 'перевод', '|',
    ]); // biome-ignore format: one line of tokens reads best
  });

  it('separates title from abstract', () => {
    const { tokensOf, titleEnds, keys } = readWords(
      textsOf({ id: ['a'], title: ['graph neural'], abstract: ['networks learn'] }),
    );
    expect([...titleEnds]).toEqual([3]);
    expect(Array.from(tokensOf(0), (token) => keys[token] ?? '|')).toEqual([
      'graph', 'neural', '|', 'network', 'learn', '|',
    ]); // biome-ignore format: one line of tokens reads best
  });

  it('gives every document its own tokens, empty ones none', () => {
    const { n, tokensOf } = wordsOf('one word', '', 'two');
    expect(Array.from({ length: n }, (_, row) => tokensOf(row).length)).toEqual([3, 0, 2]);
  });

  it('shows the commonest spelling, lowered where capitals come from titles only', () => {
    const { display, keys } = wordsOf(
      'Parsing Twitter. Parsing BERT. LLMs',
      'parsing of Twitter and BERT. LLMs and an LLM',
    );
    const shown = Object.fromEntries(keys.map((key, word) => [key, display[word]]));
    expect(shown).toMatchObject({ parsing: 'parsing', twitter: 'Twitter', bert: 'BERT', llm: 'LLMs' });
  });

  it('calls function words, boilerplate and numbers stop words, but not names', () => {
    const words = wordsOf('we propose the 2nd 3.5% 2020 approach for word2vec parsing Papers');
    const stops = words.keys.filter((_, word) => words.isStop(word));
    expect(stops).toEqual(['we', 'propose', 'the', '2nd', '3.5', '2020', 'approach', 'for', 'paper']);
  });
});

describe('compareCodePoints', () => {
  it('puts characters beyond the first plane last, unlike JavaScript’s own order', () => {
    const sorted = ['\u{1F600}', '\uFF21', 'a', 'ab', ''].sort(compareCodePoints);
    expect(sorted).toEqual(['', 'a', 'ab', '\uFF21', '\u{1F600}']);
    expect('\u{1F600}' < '\uFF21').toBe(true);
  });
});
