import { describe, expect, it } from 'vitest';
import { type CandidateTerms, candidateTerms } from '../../../stages/label/candidate-terms.ts';
import { labelConfig, markedCorpus, textsOf } from './marked-corpus.ts';

function termsOf(abstracts: string[], settings: Record<string, unknown> = {}): CandidateTerms {
  const { documents, entities } = markedCorpus(abstracts);
  return candidateTerms(
    textsOf(documents),
    entities,
    labelConfig({ min_document_count: 2, max_document_share: 1, ...settings }),
  );
}

/** Text, type and documents of each term. */
function listed({ text, type, documentCount }: CandidateTerms): string[] {
  return text.map((term, i) => `${term} (${type[i]}) ${documentCount[i]}`);
}

describe('candidateTerms', () => {
  it('counts the documents of entities and words, wherever they stand', () => {
    const terms = termsOf(['[Task:parsing] treebank', 'we love [Task:parsing] treebank', 'treebank']);
    expect(listed(terms)).toEqual(['parsing (Task) 2', 'parsing treebank (word) 2', 'treebank (word) 3']);
  });

  it('finds an entity also where the tagger passed over it, at the weight of words', () => {
    const terms = termsOf(['[Task:word alignment]', '[Task:word alignment]', 'word alignment'], {
      weights: { word: 0.25 },
    });
    const term = terms.text.indexOf('word alignment');
    expect(terms.type[term]).toBe('Task');
    expect(terms.documentCount[term]).toBe(3);
    const weights = Array.from(terms.weights).filter((_, at) => terms.terms[at] === term);
    expect(weights[0]).toBeCloseTo(0.9, 2);
    expect(weights[2]).toBe(0.25);
  });

  it('puts an acronym’s mentions under the canonical form', () => {
    const terms = termsOf(['[Task:NER=named entity recognition]', '[Task:named entity recognition]']);
    const term = terms.text.indexOf('named entity recognition');
    expect(terms.documentCount[term]).toBe(2);
  });

  it('takes canonical forms that differ in case, number, article or a bracketed acronym for one term', () => {
    const terms = termsOf([
      '[Material:Penn Treebank]',
      '[Material:Penn Treebank]',
      '[Material:the Penn treebanks]',
      '[Material:Penn Treebank (PTB)]',
    ]);
    expect(listed(terms).filter((term) => /Penn .*\(/.test(term) && !/word/.test(term))).toEqual([
      'Penn Treebank (Material) 4',
    ]);
  });

  it('gives a term the type of most of its confidence', () => {
    const terms = termsOf(['[Method:attention]', '[Method:attention]', '[Task:attention]']);
    expect(listed(terms)).toEqual(['attention (Method) 3']);
  });

  it('leaves out generic entities, types of weight 0, and names made of stop words', () => {
    const terms = termsOf(
      Array.from(
        { length: 3 },
        () => '[Generic:widget] here; [Metric:kappa] there; [Method:our approach] then',
      ),
      { weights: { Metric: 0, word: 0 } },
    );
    expect(terms.text).toEqual([]);
  });

  it('holds terms to the floor, and to the ceiling as a share of the documents', () => {
    const abstracts = Array.from({ length: 100 }, (_, row) =>
      [row < 29 ? 'alpha' : '', row < 30 ? '[Task:beta]' : '', row < 4 ? 'gamma' : '', row < 5 ? 'delta' : '']
        .filter((word) => word !== '')
        .join('; '),
    );
    const terms = termsOf(abstracts, { min_document_count: 5, max_document_share: 0.29 });
    expect(listed(terms)).toEqual(['alpha (word) 29', 'delta (word) 5']);
  });

  it('joins no words across punctuation or stop words', () => {
    const terms = termsOf(['graph, neural of networks', 'graph, neural of networks']);
    expect(terms.text).toEqual(['graph', 'networks', 'neural']);
  });

  it('gives a pair that is a piece of a longer phrase that phrase in its place', () => {
    const terms = termsOf(
      Array.from({ length: 4 }, () => 'automatic speech recognition; speech recognition'),
    );
    expect(terms.text).toContain('automatic speech recognition');
    expect(terms.text).not.toContain('automatic speech');
    expect(terms.text).toContain('speech recognition');
  });

  it('leaves markup and formula characters in a term as they are', () => {
    const terms = termsOf([
      '[Method:<b>lasso</b>] [Metric:@SUM(A1)]',
      '[Method:<b>lasso</b>] [Metric:@SUM(A1)]',
    ]);
    expect(terms.text).toContain('<b>lasso</b>');
    expect(terms.text).toContain('@SUM(A1)');
  });

  it('takes no web address for a subject', () => {
    const terms = termsOf(
      Array.from({ length: 2 }, () => 'see [Material:github.com/some/code] and www.example.org'),
    );
    expect(terms.text.filter((term) => /github|example/.test(term))).toEqual([]);
  });

  it('writes plain phrases as running text does, the words in front of others in their own number', () => {
    const terms = termsOf([
      'glacier retreat. All glaciers and glaciers',
      'glacier retreat. Two glaciers or glaciers',
    ]);
    expect(terms.text).toEqual(['glacier retreat', 'glaciers', 'retreat']);
  });

  it('tells which terms a title holds', () => {
    const { documents, entities } = markedCorpus(['melt rates of ice', 'ice']);
    const titled = { ...documents, title: ['Ice sheets', 'On melting'] };
    const terms = candidateTerms(
      textsOf(titled),
      entities,
      labelConfig({ min_document_count: 1, max_document_share: 1 }),
    );
    const inTitle = (row: number): string[] =>
      Array.from(terms.terms.subarray(terms.offsets[row], terms.offsets[row + 1]))
        .filter((_, at) => terms.inTitle[terms.offsets[row] + at] === 1)
        .map((term) => terms.text[term])
        .sort();
    expect(inTitle(0)).toEqual(['ice', 'ice sheets', 'sheets']);
    expect(inTitle(1)).toEqual(['melting']);
  });

  it('calls a term complete by how often a function word or a mark follows, of all but other stop words', () => {
    const terms = termsOf([
      'ancient bone and ancient bone. Ancient tooth',
      'ancient bone models, ancient tooth of ancient tooth',
    ]);
    const completeness = (text: string): number => terms.completeness[terms.text.indexOf(text)];
    // Five occurrences, none at an end; three bones, one before a stop word that tells nothing: (2 + 1) / (2 + 2).
    expect(completeness('ancient')).toBeCloseTo(1 / 8, 6);
    expect(completeness('bone')).toBeCloseTo(3 / 4, 6);
    expect(completeness('ancient tooth')).toBeCloseTo(4 / 5, 6);
  });

  it('finds nothing in an empty corpus', () => {
    expect(termsOf([]).text).toEqual([]);
    expect(termsOf(['', '']).text).toEqual([]);
  });
});
