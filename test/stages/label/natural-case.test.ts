import { describe, expect, it } from 'vitest';
import { naturalCase, writtenCase } from '../../../stages/label/natural-case.ts';

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

describe('writtenCase', () => {
  it('writes a phrase with a name in it as most texts do', () => {
    const texts = ['of the Bronze Age and', 'a Bronze Age burial', 'bronze age tools', 'no such phrase'];
    expect(writtenCase('Bronze age', texts)).toBe('Bronze Age');
  });

  it('leaves phrases in small letters, and those that no text holds', () => {
    expect(writtenCase('solar cells', ['Solar Cells'])).toBe('solar cells');
    expect(writtenCase('Bronze age', ['iron'])).toBe('Bronze age');
  });

  it('gives ties to the first in code-point order', () => {
    expect(writtenCase('Bronze age', ['bronze age', 'Bronze Age'])).toBe('Bronze Age');
    expect(writtenCase('Bronze age', ['Bronze Age', 'bronze age'])).toBe('Bronze Age');
  });
});
