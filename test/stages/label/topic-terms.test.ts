import { describe, expect, it } from 'vitest';
import { classTfIdf } from '../../../pipeline/math/class-tf-idf.ts';
import { candidateTerms } from '../../../stages/label/candidate-terms.ts';
import { minimumSupport, rankTerms, rowsByClass, sharedCount } from '../../../stages/label/topic-terms.ts';
import { labelConfig, markedCorpus, textsOf } from './marked-corpus.ts';

const everything = { min_document_count: 1, max_document_share: 1 };

describe('rankTerms', () => {
  // Class 0: cats; class 1: dogs; the last document is an outlier.
  const abstracts = ['cat; purr', 'cat; milk', 'dog; milk', 'dog; bark', 'milk'];
  const classOf = Int32Array.of(0, 0, 1, 1, 2);
  const { documents, entities } = markedCorpus(abstracts);
  const candidates = candidateTerms(
    textsOf(documents),
    entities,
    labelConfig({ ...everything, weights: { word: 0.5 } }),
  );
  const ranked = rankTerms(candidates, classOf, 2, 10);

  it('weighs by c-TF-IDF with outliers as one more class, times the weight of the occurrences', () => {
    // cat 2, purr 1, milk 1 | dog 2, milk 1, bark 1 | milk 1.
    const [cat] = classTfIdf(
      { offsets: [0, 3, 6, 7], terms: [0, 1, 2, 3, 2, 4, 2], values: [2, 1, 1, 2, 1, 1, 1] },
      { c: 3, v: 5 },
    );
    expect(candidates.text[ranked[0][0].term]).toBe('cat');
    expect(ranked[0][0].weight).toBeCloseTo(0.5 * cat, 12);
  });

  it('puts terms common elsewhere behind, and ties in code-point order', () => {
    const names = ranked.map((terms) => terms.map(({ term }) => candidates.text[term]));
    expect(names).toEqual([
      ['cat', 'purr', 'milk'],
      ['dog', 'bark', 'milk'],
    ]);
  });

  it('tells which of the topic’s documents hold a term', () => {
    expect(Array.from(ranked[1][2].documents)).toEqual([0]);
    expect(Array.from(ranked[1][0].documents)).toEqual([0, 1]);
  });

  it('lists no more terms than asked for, the strongest', () => {
    expect(rankTerms(candidates, classOf, 2, 1).map((terms) => terms.length)).toEqual([1, 1]);
  });

  it('drops terms of one document once a topic has four', () => {
    const texts = ['sun', 'sun', 'sun; rain', 'sun', 'moon'];
    const corpus = markedCorpus(texts);
    const found = candidateTerms(textsOf(corpus.documents), corpus.entities, labelConfig(everything));
    const [terms] = rankTerms(found, Int32Array.of(0, 0, 0, 0, 1), 1, 10);
    expect(terms.map(({ term }) => found.text[term])).toEqual(['sun']);
    expect([1, 3, 4, 100, 1000].map(minimumSupport)).toEqual([1, 1, 2, 3, 30]);
  });

  it('gives surer mentions more weight', () => {
    const corpus = markedCorpus(
      ['[Task:parsing]', '[Task:parsing]', '[Task:tagging]', '[Task:tagging]'],
      (row) => (row < 2 ? 0.6 : 0.9),
    );
    const found = candidateTerms(textsOf(corpus.documents), corpus.entities, labelConfig(everything));
    const [terms] = rankTerms(found, Int32Array.of(0, 0, 0, 0), 1, 10);
    expect(terms.map(({ term }) => found.text[term])).toEqual(['tagging', 'parsing']);
  });
});

describe('rowsByClass', () => {
  it('lists every row once, ascending', () => {
    expect(rowsByClass(Int32Array.of(1, 0, 1, 2), 3).map((rows) => Array.from(rows))).toEqual([
      [1],
      [0, 2],
      [3],
    ]);
  });
});

describe('sharedCount', () => {
  it('counts common members of ascending lists', () => {
    expect(sharedCount(Int32Array.of(1, 3, 5, 9), Int32Array.of(0, 3, 9))).toBe(2);
    expect(sharedCount(Int32Array.of(), Int32Array.of(1))).toBe(0);
  });
});
