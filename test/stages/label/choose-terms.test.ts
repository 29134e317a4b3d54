import { describe, expect, it } from 'vitest';
import { candidateTerms } from '../../../stages/label/candidate-terms.ts';
import { chooseTerms } from '../../../stages/label/choose-terms.ts';
import { labelConfig, markedCorpus, textsOf } from './marked-corpus.ts';

describe('chooseTerms', () => {
  // Term, weight and the documents of the corpus that hold it.
  const given: [string, number, number[]][] = [
    ['dependency parsing', 1, [0, 1, 2, 3]],
    ['dependency trees', 0.9, [0, 1, 2]],
    ['treebanks', 0.8, [0, 1, 2, 4]],
    ['emoji', 0.8, [9]],
  ];
  const { documents, entities } = markedCorpus(
    given.flatMap(([text]) => [`[Task:${text}]`, `[Task:${text}]`]),
  );
  const candidates = candidateTerms(
    textsOf(documents),
    entities,
    labelConfig({ min_document_count: 1, max_document_share: 1 }),
  );
  const rowsOf = new Map(given.map(([text, , rows]) => [candidates.text.indexOf(text), rows]));
  const ranked = given.map(([text, weight, rows]) => ({
    term: candidates.text.indexOf(text),
    weight,
    tfIdf: weight,
    documents: Int32Array.from(rows),
    titles: 0,
  }));
  const chosen = (size: number, diversity: number): string[] =>
    chooseTerms(
      ranked,
      candidates,
      (term) => Int32Array.from(rowsOf.get(term) ?? []),
      10,
      size,
      diversity,
    ).map(({ term }) => candidates.text[term]);

  it('starts from the strongest term', () => {
    expect(chosen(1, 0.5)).toEqual(['dependency parsing']);
  });

  it('prefers terms that share documents with those chosen to equally strong ones that do not', () => {
    expect(chosen(3, 0)).toEqual(['dependency parsing', 'dependency trees', 'treebanks']);
  });

  it('holds back terms that repeat a word, the harder the greater the diversity', () => {
    expect(chosen(2, 0)).toEqual(['dependency parsing', 'dependency trees']);
    expect(chosen(2, 0.9)).toEqual(['dependency parsing', 'treebanks']);
  });

  it('returns all terms where there are no more than asked for', () => {
    expect(chosen(10, 1)).toHaveLength(4);
  });
});
