/**
 * Many taggers into one: an ensemble's averaged scores on sentences nobody labelled, as what a single tagger
 * is then trained towards (Hinton et al. 2015, here between distributions over whole label sequences).
 */

import { createCrf } from '../model/crf.ts';
import type { EncodedSentences, Labelling } from './tagger-data.ts';
import type { Parameters } from './tagger-network.ts';
import type { Scorer } from './train-tagger.ts';

/** Averaged scores of an ensemble. */
export interface EnsembleScores {
  /** [tokens × L]. */
  emissions: Float32Array;
  transitions: Float32Array;
}

/**
 * Averages the members' log scores of tokens and of transitions.
 *
 * @param members Weights of one shape, at least one.
 */
export async function ensembleScores(
  scorer: Scorer,
  members: readonly Parameters[],
  data: EncodedSentences,
): Promise<EnsembleScores> {
  const emissions = new Float32Array(data.words.length * scorer.labels.length);
  let transitions = new Float32Array(0);
  const share = 1 / members.length;
  for (const member of members) {
    const own = await scorer.emissions(member, data);
    for (let k = 0; k < own.length; k++) emissions[k] += share * own[k];
    const steps = member.get('transitions');
    if (steps === undefined) throw new Error('distil: a member of the ensemble has no transitions.');
    if (transitions.length === 0) transitions = new Float32Array(steps.length);
    for (let k = 0; k < steps.length; k++) transitions[k] += share * steps[k];
  }
  return { emissions, transitions };
}

/** The ensemble's scores as a labelling to learn from. */
export function beliefsOf(scores: EnsembleScores, labels: readonly string[]): Labelling {
  return { kind: 'beliefs', emissions: scores.emissions, crf: createCrf(labels, scores.transitions) };
}
