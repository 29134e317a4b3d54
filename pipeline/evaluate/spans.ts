/**
 * Exact-span scores of named entities: an entity counts as found when start, end and type all agree.
 * Labels are read as conlleval and seqeval's default mode read them: I- after O, or after another type,
 * begins an entity; ratios without cases are 0.
 */

import { UserError } from '../errors.ts';
import { type Span, spansOf } from '../model/bio.ts';

/** Ratios in 0–1; a ratio without cases is 0. */
export interface SpanScore {
  precision: number;
  recall: number;
  f1: number;
}

export interface SpanCounts {
  gold: number;
  predicted: number;
  correct: number;
}

export interface SpanReport {
  /** Over all spans. */
  micro: SpanScore & SpanCounts;
  /** Plain mean over the types that occur, in gold or in prediction. */
  macro: SpanScore;
  /** In code-unit order of the type. */
  types: (SpanScore & SpanCounts & { type: string })[];
}

/**
 * Scores label sequences, sentence by sentence.
 *
 * @throws UserError when the numbers of sentences or of tokens in one sentence differ.
 */
export function scoreLabels(
  gold: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
): SpanReport {
  for (const [i, labels] of gold.entries()) {
    if (i < predicted.length && labels.length !== predicted[i].length) {
      throw new UserError(
        `Expected ${labels.length} predicted labels for sentence ${i + 1}, got ${predicted[i].length}.`,
      );
    }
  }
  return scoreSpans(gold.map(spansOf), predicted.map(spansOf));
}

/**
 * Scores spans, text by text; ends exclusive, in tokens or characters alike. The same span twice in one text
 * counts twice.
 *
 * @throws UserError when the numbers of texts differ.
 */
export function scoreSpans(
  gold: readonly (readonly Span[])[],
  predicted: readonly (readonly Span[])[],
): SpanReport {
  if (gold.length !== predicted.length) {
    throw new UserError(`Expected predictions for ${gold.length} texts, got ${predicted.length}.`);
  }
  const counts = new Map<string, SpanCounts>();
  const countsOf = (type: string): SpanCounts => {
    let found = counts.get(type);
    if (found === undefined) {
      found = { gold: 0, predicted: 0, correct: 0 };
      counts.set(type, found);
    }
    return found;
  };
  for (const [i, spans] of gold.entries()) {
    const waiting = new Map<string, number>();
    for (const span of spans) {
      countsOf(span.type).gold++;
      const key = keyOf(span);
      waiting.set(key, (waiting.get(key) ?? 0) + 1);
    }
    for (const span of predicted[i]) {
      const typeCounts = countsOf(span.type);
      typeCounts.predicted++;
      const key = keyOf(span);
      const left = waiting.get(key) ?? 0;
      if (left === 0) continue;
      waiting.set(key, left - 1);
      typeCounts.correct++;
    }
  }

  const total: SpanCounts = { gold: 0, predicted: 0, correct: 0 };
  const types = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, typeCounts]) => {
      total.gold += typeCounts.gold;
      total.predicted += typeCounts.predicted;
      total.correct += typeCounts.correct;
      return { type, ...scoreOf(typeCounts), ...typeCounts };
    });
  const mean = (part: keyof SpanScore): number =>
    types.length === 0 ? 0 : types.reduce((sum, score) => sum + score[part], 0) / types.length;
  return {
    micro: { ...scoreOf(total), ...total },
    macro: { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') },
    types,
  };
}

function keyOf({ start, end, type }: Span): string {
  return `${start} ${end} ${type}`;
}

function scoreOf({ gold, predicted, correct }: SpanCounts): SpanScore {
  return {
    precision: predicted === 0 ? 0 : correct / predicted,
    recall: gold === 0 ? 0 : correct / gold,
    f1: gold + predicted === 0 ? 0 : (2 * correct) / (gold + predicted),
  };
}
