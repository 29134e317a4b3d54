/**
 * AdamW (Loshchilov & Hutter 2019) in plain code over float32 arrays, for whole parameters and for single
 * rows of tables, with a running average of the weights, which is what gets used in the end.
 */

/** One parameter with everything the optimizer keeps of it; all arrays are of the same length. */
export interface Trained {
  values: Float32Array;
  /** Running means of gradient and squared gradient. */
  mean: Float32Array;
  spread: Float32Array;
  /** Running average of the values. */
  average: Float32Array;
}

export interface AdamWStep {
  /** Step number from 1; the same for all parameters of a step. */
  step: number;
  rate: number;
  /** Share of a weight that a step at rate 1 takes away; 0 for biases and scales. */
  weightDecay: number;
  /** Factor on the gradient, from clipping. */
  gradientScale: number;
  /** Share of the average that stays in a step, 0–1. */
  averageDecay: number;
}

const meanDecay = 0.9;
const spreadDecay = 0.999;
const epsilon = 1e-8;

export function createTrained(values: Float32Array): Trained {
  return {
    values,
    mean: new Float32Array(values.length),
    spread: new Float32Array(values.length),
    average: values.slice(),
  };
}

/** Moves all values against the gradient. */
export function adamW(trained: Trained, gradient: ArrayLike<number>, step: AdamWStep): void {
  moveRange(trained, gradient, step, 0, trained.values.length);
}

/**
 * Moves only some rows of a table and sets their gradient to zero; rows without a gradient keep still, and
 * their averages with them.
 *
 * @param rows Distinct row numbers.
 */
export function adamWRows(
  trained: Trained,
  gradient: Float32Array,
  rows: Iterable<number>,
  width: number,
  step: AdamWStep,
): void {
  for (const row of rows) {
    moveRange(trained, gradient, step, row * width, (row + 1) * width);
    gradient.fill(0, row * width, (row + 1) * width);
  }
}

function moveRange(
  trained: Trained,
  gradient: ArrayLike<number>,
  options: AdamWStep,
  from: number,
  to: number,
): void {
  const { values, mean, spread, average } = trained;
  const { step, rate, weightDecay, gradientScale } = options;
  // Both bias corrections, folded into the rate and epsilon.
  const correction = Math.sqrt(1 - spreadDecay ** step);
  const scaledRate = (rate * correction) / (1 - meanDecay ** step);
  const scaledEpsilon = epsilon * correction;
  const kept = 1 - rate * weightDecay;
  // The average starts as the plain mean of the first steps, so that the random start is soon forgotten.
  const averageShare = 1 - Math.min(options.averageDecay, step / (step + 9));
  for (let k = from; k < to; k++) {
    const slope = gradientScale * gradient[k];
    const m = meanDecay * mean[k] + (1 - meanDecay) * slope;
    const s = spreadDecay * spread[k] + (1 - spreadDecay) * slope * slope;
    mean[k] = m;
    spread[k] = s;
    const value = kept * values[k] - (scaledRate * m) / (Math.sqrt(s) + scaledEpsilon);
    values[k] = value;
    average[k] += averageShare * (value - average[k]);
  }
}

/** What gradients have to be multiplied by for their common euclidean length to be at most `limit`. */
export function clippingScale(gradients: readonly ArrayLike<number>[], limit: number): number {
  let sum = 0;
  for (const gradient of gradients) {
    for (let k = 0; k < gradient.length; k++) sum += gradient[k] * gradient[k];
  }
  const length = Math.sqrt(sum);
  return length > limit ? limit / length : 1;
}
