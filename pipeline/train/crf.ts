/**
 * The loss of a conditional random field and its gradients: against gold labels, or against another field's
 * beliefs (distillation). Both are the cross-entropy between two distributions over label sequences, so both
 * have the same gradient: expected counts under the model less expected counts under the target.
 */

import { type Crf, createLattice, fillLattice, type Lattice, transitionCount } from '../model/crf.ts';

/** What a batch should have been, as expected counts. */
export interface Target {
  /** Probability of each label at each token [rows × L]. */
  labels: Float64Array;
  /** Expected number of each transition in the whole batch, in the layout of Crf.scores. */
  transitions: Float64Array;
}

export interface CrfLoss {
  /** Cross-entropy in nats, summed over the batch's sentences. */
  loss: number;
  /** [rows × L]. */
  emissions: Float32Array;
  /** In the layout of Crf.scores. */
  transitions: Float64Array;
}

/**
 * @param emissions Log scores [rows × L], sentences end to end.
 * @param lengths Tokens per sentence.
 */
export function crfLoss(
  crf: Crf,
  emissions: ArrayLike<number>,
  lengths: ArrayLike<number>,
  target: Target,
): CrfLoss {
  const expected = expectedCounts(crf, emissions, lengths);
  let loss = expected.logPartition;
  const { length } = expected.labels;
  const gradient = new Float32Array(length);
  for (let k = 0; k < length; k++) {
    loss -= target.labels[k] * emissions[k];
    gradient[k] = expected.labels[k] - target.labels[k];
  }
  const transitions = new Float64Array(expected.transitions.length);
  for (let k = 0; k < transitions.length; k++) {
    // Illegal transitions have a score of −Infinity, and neither side ever counts one.
    if (crf.factors[k] === 0) continue;
    loss -= target.transitions[k] * crf.scores[k];
    transitions[k] = expected.transitions[k] - target.transitions[k];
  }
  return { loss, emissions: gradient, transitions };
}

/** What a field believes of a batch: its expected counts, which serve as the target of another. */
export function expectedCounts(
  crf: Crf,
  emissions: ArrayLike<number>,
  lengths: ArrayLike<number>,
): Target & { logPartition: number } {
  const count = crf.labels.length;
  let rows = 0;
  for (let s = 0; s < lengths.length; s++) rows += lengths[s];
  const labels = new Float64Array(rows * count);
  const transitions = new Float64Array(transitionCount(count));
  const lattice = createLattice();
  let logPartition = 0;
  let first = 0;
  for (let s = 0; s < lengths.length; s++) {
    const n = lengths[s];
    fillLattice(lattice, crf, emissions, first, n);
    logPartition += lattice.logPartition;
    countExpected(lattice, crf, labels.subarray(first * count, (first + n) * count), transitions);
    first += n;
  }
  return { labels, transitions, logPartition };
}

/** Gold labels as counts. */
export function goldCounts(labelCount: number, gold: ArrayLike<number>, lengths: ArrayLike<number>): Target {
  const labels = new Float64Array(gold.length * labelCount);
  const transitions = new Float64Array(transitionCount(labelCount));
  const starts = labelCount * labelCount;
  let first = 0;
  for (let s = 0; s < lengths.length; s++) {
    const end = first + lengths[s];
    for (let t = first; t < end; t++) {
      labels[t * labelCount + gold[t]] = 1;
      if (t === first) transitions[starts + gold[t]]++;
      else transitions[gold[t - 1] * labelCount + gold[t]]++;
      if (t === end - 1) transitions[starts + labelCount + gold[t]]++;
    }
    first = end;
  }
  return { labels, transitions };
}

/** Adds one sentence's expected counts. */
function countExpected(lattice: Lattice, crf: Crf, labels: Float64Array, transitions: Float64Array): void {
  const count = crf.labels.length;
  const starts = count * count;
  const { n, emitted, forward, backward, scale } = lattice;
  for (let k = 0; k < n * count; k++) labels[k] = forward[k] * backward[k];
  if (n === 0) return;
  for (let j = 0; j < count; j++) {
    transitions[starts + j] += labels[j];
    transitions[starts + count + j] += labels[(n - 1) * count + j];
  }
  for (let t = 1; t < n; t++) {
    const row = t * count;
    for (let j = 0; j < count; j++) {
      const arriving = (emitted[row + j] * backward[row + j]) / scale[t];
      for (let i = 0; i < count; i++) {
        transitions[i * count + j] += forward[row - count + i] * crf.factors[i * count + j] * arriving;
      }
    }
  }
}
