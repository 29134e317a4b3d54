import { describe, expect, it } from 'vitest';
import { findAcronyms } from '../../../stages/entities/acronyms.ts';

const pairs = (text: string): string[] => findAcronyms(text).map(({ short, long }) => `${short} = ${long}`);

describe('findAcronyms', () => {
  it.each([
    [
      'the short form in brackets',
      'We use support vector machines (SVM) here.',
      ['SVM = support vector machines'],
    ],
    [
      'the long form in brackets',
      'BERT (Bidirectional Encoder Representations from Transformers) wins.',
      ['BERT = Bidirectional Encoder Representations from Transformers'],
    ],
    ['plurals', 'Convolutional neural networks (CNNs) and LSTMs.', ['CNNs = Convolutional neural networks']],
    [
      'hyphens in the long form',
      'long short-term memory (LSTM), state-of-the-art (SOTA)',
      ['LSTM = long short-term memory', 'SOTA = state-of-the-art'],
    ],
    [
      'letters within words',
      'tuberculosis (TB) and messenger RNA (mRNA)',
      ['TB = tuberculosis', 'mRNA = messenger RNA'],
    ],
    [
      'initials before letters within words',
      'non-autoregressive neural machine translation (NAT)',
      ['NAT = non-autoregressive neural machine translation'],
    ],
    [
      'a citation after the short form',
      'part-of-speech (POS; Marcus et al., 1993) tags',
      ['POS = part-of-speech'],
    ],
    [
      'square and nested brackets',
      'a model ([Hidden] conditional random fields [CRF]) of (natural language (NL) text)',
      ['CRF = conditional random fields', 'NL = natural language'],
    ],
    [
      'several in one sentence',
      'machine translation (MT) and question answering (QA)',
      ['MT = machine translation', 'QA = question answering'],
    ],
    ['only words of the same sentence', 'We like supports. Vector machines (SVM) do well.', []],
    ['no references', 'as shown (Fig. 3) by Smith (2004) and others (Table 2), (see Section 5)', []],
    ['no plain words', 'many languages (English) and results (Good)', []],
    ['no bracket that only mentions an acronym', 'we show the best results (BLEU) on it', []],
    ['nothing in unbalanced brackets', 'natural language processing (NLP is ) fine ) (', []],
  ])('finds %s', (_, text, expected) => {
    expect(pairs(text)).toEqual(expected);
  });

  it('gives offsets that cut out both forms', () => {
    const text = 'The "named entity recognition" ( NER ) task; NMT (neural machine translation).';
    const found = findAcronyms(text);
    expect(found.map(({ short }) => short)).toEqual(['NER', 'NMT']);
    for (const { short, long, shortStart, shortEnd, longStart, longEnd } of found) {
      expect(text.slice(shortStart, shortEnd)).toBe(short);
      expect(text.slice(longStart, longEnd)).toBe(long);
    }
  });

  it('looks at bounded stretches of a megabyte of brackets', () => {
    for (const unit of ['(', 'a (B) ', '(A', 'ab) ', '((AB) ']) {
      const found = findAcronyms(unit.repeat(1e6 / unit.length));
      expect(found.every(({ long }) => long.length <= 200)).toBe(true);
    }
  });
});
