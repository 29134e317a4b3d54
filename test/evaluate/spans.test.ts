import { describe, expect, it } from 'vitest';
import { UserError } from '../../pipeline/errors.ts';
import { scoreLabels, scoreSpans } from '../../pipeline/evaluate/spans.ts';

const row = (labels: string): string[] => labels.split(' ');

describe('scoreLabels', () => {
  it('counts a span only when start, end and type agree', () => {
    // Gold: A 0–2, B 3–4, A 4–5. Predicted: A 0–2 (right), A 3–4 (type), A 4–6 (end).
    const report = scoreLabels([row('B-A I-A O B-B B-A O')], [row('B-A I-A O B-A B-A I-A')]);
    expect(report.micro).toEqual({
      precision: 1 / 3,
      recall: 1 / 3,
      f1: 1 / 3,
      gold: 3,
      predicted: 3,
      correct: 1,
    });
    expect(report.types).toEqual([
      { type: 'A', precision: 1 / 3, recall: 1 / 2, f1: 2 / 5, gold: 2, predicted: 3, correct: 1 },
      { type: 'B', precision: 0, recall: 0, f1: 0, gold: 1, predicted: 0, correct: 0 },
    ]);
    expect(report.macro.f1).toBeCloseTo(1 / 5, 15);
  });

  it('reads I- after O or after another type as a beginning', () => {
    const report = scoreLabels([row('B-A O B-B B-A')], [row('I-A O I-B I-A')]);
    expect(report.micro.correct).toBe(3);
  });

  it('keeps spans open at the end and neighbours apart', () => {
    const report = scoreLabels([row('B-A B-A I-A')], [row('B-A I-A I-A')]);
    expect([report.micro.gold, report.micro.predicted, report.micro.correct]).toEqual([2, 1, 0]);
  });

  it('gives zeros where nothing is', () => {
    const report = scoreLabels([row('O O')], [row('O O')]);
    expect(report).toEqual({
      micro: { precision: 0, recall: 0, f1: 0, gold: 0, predicted: 0, correct: 0 },
      macro: { precision: 0, recall: 0, f1: 0 },
      types: [],
    });
  });

  it('counts a type that is only predicted in the macro mean', () => {
    const report = scoreLabels([row('B-A O')], [row('B-A B-C')]);
    expect(report.macro).toEqual({ precision: 0.5, recall: 0.5, f1: 0.5 });
  });

  it('refuses predictions of another shape', () => {
    expect(() => scoreLabels([row('O O')], [row('O')])).toThrow(UserError);
    expect(() => scoreLabels([row('O O')], [])).toThrow(UserError);
  });
});

describe('scoreSpans', () => {
  it('matches each gold span once', () => {
    const span = { start: 5, end: 9, type: 'A' };
    expect(scoreSpans([[span]], [[span, { ...span }]]).micro).toMatchObject({
      correct: 1,
      predicted: 2,
      precision: 0.5,
    });
  });
});
