import { describe, expect, it } from 'vitest';
import { DEFAULT_WEIGHTS, weightOf } from '../../../stages/label/config.ts';
import { labelConfig } from './marked-corpus.ts';

describe('label config', () => {
  it('has a default for everything', () => {
    expect(labelConfig()).toEqual({
      top_n: 10,
      weights: DEFAULT_WEIGHTS,
      min_document_count: 3,
      max_document_share: 0.3,
      diversity: 0.2,
    });
  });

  it('keeps the default weights of types that config.yaml does not name', () => {
    const { weights } = labelConfig({ weights: { Metric: 2, protein: 3 } });
    expect(weights).toEqual({ ...DEFAULT_WEIGHTS, Metric: 2, protein: 3 });
  });

  it('counts types that nobody names 1, also where JavaScript’s objects have a property of that name', () => {
    const { weights } = labelConfig();
    expect(weightOf(weights, 'DNA')).toBe(1);
    expect(weightOf(weights, 'constructor')).toBe(1);
    expect(weightOf(weights, 'Generic')).toBe(0);
  });

  it('refuses a document count where a share is meant, unknown keys, and numbers out of range', () => {
    expect(() => labelConfig({ max_document_share: 500 })).toThrow();
    expect(() => labelConfig({ max_document_share: 0 })).toThrow();
    expect(() => labelConfig({ top_terms: 5 })).toThrow();
    expect(() => labelConfig({ top_n: 0 })).toThrow();
    expect(() => labelConfig({ top_n: 2.5 })).toThrow();
    expect(() => labelConfig({ diversity: 1.1 })).toThrow();
    expect(() => labelConfig({ weights: { Task: -1 } })).toThrow();
    expect(() => labelConfig({ min_document_count: 0 })).toThrow();
  });
});
