/** Labels in the BIO scheme: the label set of some types, and the spans in a sequence of labels. */

/** An entity over tokens start … end − 1. */
export interface Span {
  start: number;
  end: number;
  type: string;
}

/** A span with the probability that it is exactly this entity. */
export interface ScoredSpan extends Span {
  score: number;
}

/** O first, then B- and I- of each type in the order given. */
export function bioLabels(types: readonly string[]): string[] {
  return ['O', ...types.flatMap((type) => [`B-${type}`, `I-${type}`])];
}

/** Types in the order in which the labels name them first. */
export function typesOf(labels: readonly string[]): string[] {
  return [...new Set(labels.filter((label) => label !== 'O').map((label) => label.slice(2)))];
}

/**
 * Spans of a label sequence. An I- that continues nothing, or another type, opens a span, as in conlleval:
 * sequences decoded under the CRF's constraints have none.
 */
export function spansOf(labels: readonly string[]): Span[] {
  const spans: Span[] = [];
  let open: Span | undefined;
  labels.forEach((label, i) => {
    const type = label.slice(2);
    if (open !== undefined && label.startsWith('I-') && open.type === type) {
      open.end = i + 1;
      return;
    }
    open = label === 'O' ? undefined : { start: i, end: i + 1, type };
    if (open !== undefined) spans.push(open);
  });
  return spans;
}

/** Labels of n tokens from spans that do not overlap; what spansOf reads back. */
export function labelsOf(spans: readonly Span[], n: number): string[] {
  const labels = new Array<string>(n).fill('O');
  for (const { start, end, type } of spans) {
    labels.fill(`I-${type}`, start, end);
    labels[start] = `B-${type}`;
  }
  return labels;
}
