import { describe, expect, it } from 'vitest';
import { isGenericForm } from '../../../stages/entities/generic-mentions.ts';
import { cleanSurface, documentForms, formKey } from '../../../stages/entities/surface-forms.ts';

describe('formKey', () => {
  it.each([
    ['fine tuning', 'fine-tuning', 'fine tuning', 'Fine‑Tuning', 'fine – tuning'],
    ['neural network', 'neural networks', 'Neural Networks', 'the neural networks', '“neural network”,'],
    ['analysis', 'analyses', 'Analyses'],
    ['dialog system', 'dialogue systems'],
    ['part of speech', 'parts-of-speech', 'Part of Speech'],
    ['tokenization', 'tokenisation', 'Tokenisations'],
    ['language modeling', 'language modelling'],
    ['behavioral neighbor', 'behavioural neighbours'],
    ['tumor center', 'tumour centre', 'Tumor Centers'],
    ['leukemia', 'leukaemia'],
    ['CNN', 'CNNs', 'a CNN', 'C.N.N.'],
    ['convolutional neural network', 'convolutional neural networks (CNNs)'],
    ['alzheimer disease', "Alzheimer's disease", 'Alzheimer’s Disease'],
    ['corpus', 'corpora', 'Corpus'],
    ['query', 'queries'],
    ['bias', 'biases'],
    ['loss', 'losses'],
    ['matrix', 'matrices'],
    ['linguistics', 'Linguistics'],
    ['evaluation metric', 'evaluation metrics'],
    ['heuristic', 'heuristics'],
    ['series', 'series'],
    ['word2vec', 'Word2Vec', 'ｗｏｒｄ2vec'],
  ])('gives %s for its variants', (key, ...variants) => {
    expect(variants.map(formKey)).toEqual(variants.map(() => key));
  });

  it.each([
    ['IT', 'it'],
    ['WHO', 'who'],
    ['C++', 'C'],
    ['poly(A)', 'poly'],
    ['news', 'new'],
    ['process', 'proces'],
    ['US', 'us'],
  ])('keeps %s apart from %s', (a, b) => {
    expect(formKey(a)).not.toBe(formKey(b));
  });

  it('is never empty, and the same for a key as for its text', () => {
    for (const text of [
      'the',
      '-',
      '%',
      '()',
      '"',
      'a',
      "'s",
      '…',
      'neural networks',
      'the IL-2 receptors',
    ]) {
      expect(formKey(text)).not.toBe('');
      expect(formKey(formKey(text))).toBe(formKey(text));
    }
  });
});

describe('formKey of a mention with its acronym inside', () => {
  it('is that of the mention without', () => {
    expect(formKey('Automatic Speech Recognition (ASR) systems')).toBe(
      formKey('automatic speech recognition systems'),
    );
    expect(cleanSurface('machine translation (MT) systems')).toBe('machine translation systems');
    expect(cleanSurface('monolingual models (word embeddings')).toBe('monolingual models');
    expect(cleanSurface('graphs (or trees) of words')).toBe('graphs (or trees) of words');
  });
});

describe('cleanSurface', () => {
  it('keeps spelling and case but no determiner, outer punctuation, or acronym in brackets', () => {
    expect(
      [
        'The proposed  Parser,',
        '(LSTM)',
        'our “BLEU”',
        'support vector machine (SVM)',
        'f(x)',
        'C++',
        'a the',
      ].map(cleanSurface),
    ).toEqual(['proposed Parser', 'LSTM', 'BLEU', 'support vector machine', 'f(x)', 'C++', 'the']);
  });
});

describe('documentForms', () => {
  it('keys an acronym as the long form that the document defines, plural or not', () => {
    const { formOf, acronyms } = documentForms(
      'Graph Neural Networks (GNN) revisited',
      'GNNs are used. MT is not.',
    );
    expect(acronyms.map(({ short }) => short)).toEqual(['GNN']);
    expect(['GNNs', 'GNN', 'graph neural network', 'MT'].map(formOf)).toEqual([
      'graph neural network',
      'graph neural network',
      'graph neural network',
      'MT',
    ]);
  });

  it('goes by the first of two definitions', () => {
    const { formOf } = documentForms('', 'language model (LM) and linear mixture (LM)');
    expect(formOf('LM')).toBe('language model');
  });
});

describe('isGenericForm', () => {
  it('tells mentions that name nothing', () => {
    const generic = [
      'it',
      'the approach',
      'our novel method',
      'several existing systems',
      'two tasks',
      'experimental results',
      'data sets',
      '3',
      'state-of-the-art methods',
    ];
    expect(generic.filter((text) => !isGenericForm(formKey(text)))).toEqual([]);
  });

  it('leaves mentions that name something', () => {
    const named = [
      'neural network',
      'language model',
      'state of the art',
      'dependency parsing',
      'BLEU',
      'IT',
      'kernel method',
      'topic model',
      'F1 score',
    ];
    expect(named.filter((text) => isGenericForm(formKey(text)))).toEqual([]);
  });
});
