import { expect, it } from 'vitest';
import { createRandom } from '../../pipeline/math/random.ts';
import { createCrf, legalTransitions, transitionCount } from '../../pipeline/model/crf.ts';
import { crfLoss, expectedCounts, goldCounts, type Target } from '../../pipeline/train/crf.ts';

const labels = ['O', 'B-x', 'I-x'];
const lengths = [3, 1, 2];
const random = createRandom(3);
const normals = (size: number) => Float64Array.from({ length: size }, () => random.nextNormal());
const emissions = normals(18);
const weights = normals(transitionCount(3));
const legal = legalTransitions(labels);
const teacher = expectedCounts(createCrf(labels, normals(transitionCount(3))), normals(18), lengths);
const gold = goldCounts(3, [1, 2, 0, 1, 0, 1], lengths);

function check(target: Target): void {
  const found = crfLoss(createCrf(labels, weights), emissions, lengths, target);
  const difference = (values: Float64Array, k: number): number => {
    const kept = values[k];
    values[k] = kept + 1e-5;
    const above = crfLoss(createCrf(labels, weights), emissions, lengths, target).loss;
    values[k] = kept - 1e-5;
    const below = crfLoss(createCrf(labels, weights), emissions, lengths, target).loss;
    values[k] = kept;
    return (above - below) / 2e-5;
  };
  for (let k = 0; k < emissions.length; k++)
    expect(found.emissions[k]).toBeCloseTo(difference(emissions, k), 6);
  for (let k = 0; k < weights.length; k++) {
    if (legal[k] === 1) expect(found.transitions[k]).toBeCloseTo(difference(weights, k), 8);
    else expect(found.transitions[k]).toBe(0);
  }
}

it('gradients against gold labels equal central differences', () => check(gold));
it('gradients against another field equal central differences', () => check(teacher));

it('the loss against gold is the negative logarithm of its probability', () => {
  const crf = createCrf(labels, new Float64Array(transitionCount(3)));
  const { loss } = crfLoss(crf, new Float64Array(18), lengths, gold);
  // With all scores zero every legal labelling is equally likely: 2 of one token (O, B), 5 of two (OO, OB, BO,
  // BB, BI), 13 of three.
  expect(loss).toBeCloseTo(Math.log(13 * 2 * 5), 10);
});

it('a field has nothing to learn from itself', () => {
  const crf = createCrf(labels, weights);
  const own = expectedCounts(crf, emissions, lengths);
  const { emissions: gradient, transitions } = crfLoss(crf, emissions, lengths, own);
  expect(gradient.every((value) => value === 0)).toBe(true);
  expect(transitions.every((value) => value === 0)).toBe(true);
});
