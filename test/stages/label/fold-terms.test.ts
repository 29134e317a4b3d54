import { describe, expect, it } from 'vitest';
import { candidateTerms } from '../../../stages/label/candidate-terms.ts';
import { foldTerms, stemOf } from '../../../stages/label/fold-terms.ts';
import { labelConfig, markedCorpus, textsOf } from './marked-corpus.ts';

/** Folds terms given as [text with type mark, weight, documents]; a text without a mark is a plain word. */
function folded(...terms: [marked: string, weight: number, documents?: number[]][]): string[] {
  const { documents, entities } = markedCorpus([
    ...terms.map(([marked]) => marked),
    ...terms.map(([marked]) => marked),
  ]);
  const candidates = candidateTerms(
    textsOf(documents),
    entities,
    labelConfig({ min_document_count: 1, max_document_share: 1 }),
  );
  const ranked = terms
    .map(([marked, weight, rows]) => {
      const text = marked.replace(/^\[\w+:|\]$/gu, '');
      const term = candidates.text.indexOf(text);
      if (term === -1) throw new Error(`no term "${text}" among ${candidates.text.join(', ')}`);
      return { term, weight, tfIdf: weight, documents: Int32Array.from(rows ?? []), titles: 0 };
    })
    .sort((a, b) => b.weight - a.weight);
  return foldTerms(ranked, candidates).map(({ term }) => candidates.text[term]);
}

describe('foldTerms', () => {
  it('folds a word into a name that holds it, whichever is stronger', () => {
    expect(folded(['[Task:machine translation]', 3], ['translation', 2])).toEqual(['machine translation']);
    expect(folded(['[Task:machine translation]', 2], ['translation', 3])).toEqual(['machine translation']);
  });

  it('keeps a plain phrase from names that hold it but count for much less', () => {
    const phrase: [string, number] = ['mass balance', 3];
    expect(folded(phrase, ['[Task:geodetic mass balance]', 1.2])).toEqual(['mass balance']);
    expect(folded(phrase, ['[Task:geodetic mass balance]', 2])).toEqual(['geodetic mass balance']);
  });

  it('keeps the word where the name hardly counts', () => {
    expect(folded(['[Task:machine translation]', 0.5], ['translation', 3])).toEqual(['translation']);
  });

  it('folds names with one head: the broad one stays unless the specific one is nearly as strong', () => {
    const broad = '[Task:machine translation]';
    const specific = '[Task:neural machine translation]';
    expect(folded([broad, 3], [specific, 2])).toEqual(['neural machine translation']);
    expect(folded([broad, 3], [specific, 1])).toEqual(['machine translation']);
    expect(folded([broad, 1], [specific, 3])).toEqual(['neural machine translation']);
  });

  it('sees through systems, datasets and the like at the end', () => {
    expect(folded(['[Task:machine translation]', 3], ['[Method:machine translation systems]', 2])).toEqual([
      'machine translation',
    ]);
    expect(folded(['[Material:MultiWOZ]', 3], ['[Material:MultiWOZ dataset]', 2])).toEqual(['MultiWOZ']);
    expect(folded(['[Method:language models]', 3], ['[Material:natural language]', 2])).toEqual([
      'language models',
      'natural language',
    ]);
  });

  it('folds acronyms and the phrases they abbreviate', () => {
    expect(folded(['[Method:large language models]', 3], ['LLMs', 2])).toEqual(['large language models']);
    expect(folded(['[Task:neural machine translation]', 3], ['[Method:NMT models]', 2])).toEqual([
      'neural machine translation',
    ]);
  });

  it('folds words of one stem, and phrases that hardly occur but beside a name they share a word with', () => {
    expect(folded(['translation', 3], ['translated', 2])).toEqual(['translation']);
    const name: [string, number, number[]] = ['[Task:visual question answering]', 3, [1, 2, 3, 4]];
    expect(folded(name, ['answering benchmark', 2, [1, 2, 3]])).toEqual(['visual question answering']);
    expect(folded(name, ['answering benchmark', 2, [7, 8, 9]])).toHaveLength(2);
  });

  it('keeps names that share a word but not the head', () => {
    expect(folded(['[Task:machine translation]', 3], ['[Task:translation evaluation]', 2])).toHaveLength(2);
  });

  it('keeps what nothing says twice, strongest first', () => {
    expect(folded(['treebank', 1], ['[Task:parsing]', 3], ['syntax', 2])).toEqual([
      'parsing',
      'syntax',
      'treebank',
    ]);
  });
});

describe('stemOf', () => {
  it('agrees for forms of one word and never leaves less than four letters', () => {
    expect(new Set(['translate', 'translation', 'translating', 'translated'].map(stemOf)).size).toBe(1);
    expect(new Set(['summary', 'summarization', 'summarize'].map(stemOf)).size).toBe(1);
    expect(stemOf('ring')).toBe('ring');
    expect(stemOf('used')).toBe('used');
  });
});
