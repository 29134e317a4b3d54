import { describe, expect, it } from 'vitest';
import { naturalCase } from '../../../stages/label/natural-case.ts';

describe('naturalCase', () => {
  const texts = [
    'We study machine translation and multi-document summaries with the Penn Treebank.',
    'Machine Translation of Penn Treebank text.',
  ];

  it('lowers title case that running text does not share', () => {
    expect(naturalCase('Machine Translation', texts)).toBe('machine translation');
    expect(naturalCase('Multi-Document Summaries', texts)).toBe('multi-document summaries');
  });

  it('leaves names, acronyms and mixed phrases as they are', () => {
    expect(naturalCase('Penn Treebank', texts)).toBe('Penn Treebank');
    expect(naturalCase('BERT', ['bert'])).toBe('BERT');
    expect(naturalCase('NMT Models', ['nmt models'])).toBe('NMT Models');
    expect(naturalCase('machine Translation', texts)).toBe('machine Translation');
  });

  it('leaves a phrase that the texts do not hold', () => {
    expect(naturalCase('Word Sense', [])).toBe('Word Sense');
  });

  it('keeps a name that one text in many writes small', () => {
    const mixed = [...Array.from({ length: 9 }, () => 'Sketch Engine'), 'sketch engine'];
    expect(naturalCase('Sketch Engine', mixed)).toBe('Sketch Engine');
  });
});
