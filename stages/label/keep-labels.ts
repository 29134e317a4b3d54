/** Which topics keep the name they have: all whose terms are still much what they were when it was given. */

import type { FormerLabel } from '../../pipeline/contract.ts';

/** Share of the terms a name was given for that must be among the topic's strong terms still. */
const LEAST_COMMON = 0.5;

/**
 * @param topicIds [c]
 * @param terms [c] Each topic's strong terms tonight, several times as many as a name is given for: which of them
 *   stand first changes with every few documents.
 * @returns Names by topic id; no two equal.
 */
export function keptLabels(
  topicIds: readonly number[],
  terms: readonly (readonly string[])[],
  former: ReadonlyMap<number, FormerLabel>,
): Map<number, string> {
  const kept = new Map<number, string>();
  const taken = new Set<string>();
  topicIds.forEach((topicId, t) => {
    const then = former.get(topicId);
    if (then === undefined || taken.has(then.label.toLowerCase())) return;
    const now = new Set(terms[t]);
    const common = then.terms.filter((term) => now.has(term)).length;
    if (common < LEAST_COMMON * then.terms.length) return;
    kept.set(topicId, then.label);
    taken.add(then.label.toLowerCase());
  });
  return kept;
}
