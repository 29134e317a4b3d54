import { describe, expect, it } from 'vitest';
import { candidateTerms } from '../../../stages/label/candidate-terms.ts';
import { composeLabels } from '../../../stages/label/compose-label.ts';
import { labelConfig, markedCorpus, textsOf } from './marked-corpus.ts';

type Given = [marked: string, weight: number, documents: number[]];

/** Labels of topics of ten documents each; twenty further documents hold nothing. */
function labels(...topics: Given[][]): string[] {
  const abstracts: string[] = [];
  for (const terms of topics) {
    for (let at = 0; at < 10; at++) {
      abstracts.push(
        terms
          .filter(([, , rows]) => rows.includes(at))
          .map(([marked]) => marked)
          .join('; '),
      );
    }
  }
  for (let at = 0; at < 20; at++) abstracts.push('');
  const { documents, entities } = markedCorpus(abstracts);
  const config = labelConfig({ min_document_count: 1, max_document_share: 1 });
  const candidates = candidateTerms(textsOf(documents), entities, config);
  return composeLabels(
    topics.map((terms, i) => ({
      topicId: i,
      rows: Int32Array.from({ length: 10 }, (_, at) => 10 * i + at),
      terms: terms.map(([marked, weight, rows]) => ({
        term: candidates.text.indexOf(marked.replace(/^\[\w+:|\]$/gu, '')),
        weight,
        tfIdf: weight,
        documents: Int32Array.from(rows),
        titles: 0,
      })),
      pool: [],
    })),
    candidates,
    textsOf(documents).abstract,
    config,
  );
}

const half = [0, 1, 2, 3, 4];
const otherHalf = [5, 6, 7, 8, 9];

describe('composeLabels', () => {
  it('joins phrases that cover different documents, tasks and methods before materials', () => {
    expect(
      labels([
        ['[Material:low-resource languages]', 1, [0, 1, 2, 3]],
        ['[Task:neural machine translation]', 0.9, [4, 5, 6]],
        ['[Method:back-translation]', 0.8, [7, 8, 9]],
      ]),
    ).toEqual(['Neural machine translation, back-translation and low-resource languages']);
  });

  it('leaves out phrases that repeat one chosen, or are worth too little', () => {
    expect(
      labels([
        ['[Task:dependency parsing]', 1, half],
        ['[Method:parsing]', 0.9, half],
        ['[Material:treebank annotation]', 0.01, otherHalf],
      ]),
    ).toEqual(['Dependency parsing']);
  });

  it('prefers an entity to stronger plain words, and falls back on words where there is none', () => {
    expect(
      labels([
        ['[Task:sarcasm detection]', 1, half],
        ['funny', 1.1, half],
      ]),
    ).toEqual(['Sarcasm detection']);
    expect(labels([['funny tweets', 1, half]])).toEqual(['Funny tweets']);
  });

  it('keeps the case of acronyms and names at the front', () => {
    expect(labels([['[Method:mBERT]', 1, half]])).toEqual(['mBERT']);
    expect(labels([['[Method:LSTM]', 1, half]])).toEqual(['LSTM']);
    expect(labels([['[Task:text-to-SQL parsing]', 1, half]])).toEqual(['Text-to-SQL parsing']);
  });

  it('joins a weaker phrase to a lone word than to a phrase that says enough', () => {
    const second: Given = ['[Material:surface water]', 0.03, otherHalf];
    expect(labels([['[Material:plastics]', 1, half], second])).toEqual(['Plastics and surface water']);
    expect(labels([['[Material:plastic particles]', 1, half], second])).toEqual(['Plastic particles']);
  });

  it('leaves out phrases of nearly the same words, acronyms read in full', () => {
    expect(
      labels([
        ['[Task:machine translation evaluation]', 1, half],
        ['[Metric:MT evaluation]', 0.9, otherHalf],
      ]),
    ).toEqual(['Machine translation evaluation']);
    expect(
      labels([
        ['[Task:automated essay scoring]', 1, half],
        ['[Task:automatic essay scoring]', 0.9, otherHalf],
      ]),
    ).toEqual(['Automated essay scoring']);
  });

  it('prefers a phrase that says enough to a word with a container behind it', () => {
    expect(
      labels([
        ['[Task:translation task]', 1, half],
        ['[Task:news translation]', 0.8, half],
      ]),
    ).toEqual(['News translation']);
  });

  it('takes the years of one series for one name', () => {
    expect(
      labels([
        ['[Material:WMT21 news]', 1, half],
        ['[Material:WMT20 news]', 0.9, otherHalf],
      ]),
    ).toEqual(['WMT21 news']);
  });

  it('gives no two topics one label, whatever their case', () => {
    const found = labels(
      [
        ['[Task:parsing]', 1, half],
        ['[Material:treebanks]', 0.05, half],
      ],
      [
        ['[Task:parsing]', 1, half],
        ['[Material:treebanks]', 0.05, half],
      ],
      [['[Task:parsing]', 1, half]],
    );
    expect(found[0]).toBe('Parsing');
    expect(found[1]).toBe('Parsing and treebanks');
    expect(found[2]).toBe('Parsing (2)');
  });

  it('names a topic without terms by its number', () => {
    expect(labels([])).toEqual(['Topic 0']);
  });

  it('names a topic of the whole corpus by its strongest term', () => {
    const { documents, entities } = markedCorpus(['[Task:parsing]', '[Task:parsing]']);
    const config = labelConfig({ min_document_count: 1, max_document_share: 1 });
    const candidates = candidateTerms(textsOf(documents), entities, config);
    const topic = {
      topicId: 3,
      rows: Int32Array.of(0, 1),
      terms: [{ term: 0, weight: 1, tfIdf: 1, documents: Int32Array.of(0, 1), titles: 0 }],
      pool: [],
    };
    expect(composeLabels([topic], candidates, textsOf(documents).abstract, config)).toEqual(['Parsing']);
  });

  it('leaves out the third phrase of a label too long for a map', () => {
    const [label] = labels([
      ['[Task:unsupervised cross-document event coreference]', 1, [0, 1, 2]],
      ['[Task:low-resource morphological inflection generation]', 1, [3, 4, 5]],
      ['[Task:knowledge-grounded conversational recommendation]', 1, [6, 7, 8]],
    ]);
    expect(label.split(/, | and /)).toHaveLength(2);
  });
});
