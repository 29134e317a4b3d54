/** Long computations cut into steps, to be run at one go or with pauses in which signals and timers are heard. */

import { Interrupted } from '../errors.ts';
import { pause } from './pause.ts';

/** Gives how much is done, step by step, and in the end the result. */
export type Steps<Result> = Generator<number, Result, void>;

/** Milliseconds of work between two pauses: short enough for Ctrl-C to feel heard. */
const MILLISECONDS_BETWEEN_PAUSES = 50;

export interface StepOptions {
  /** Stops the work with Interrupted, after the step at hand. */
  signal?: AbortSignal | undefined;
  /** Called after each step; may throw to stop the work. */
  onStep?: ((done: number) => void) | undefined;
}

/** Runs all steps at one go: the signal is looked at, but nothing can abort it meanwhile from this thread. */
export function finish<Result>(steps: Steps<Result>, { signal, onStep }: StepOptions = {}): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    onStep?.(step.value);
    stopIfAborted(signal);
  }
}

/** The same with pauses, which change nothing in the result. */
export async function finishWithPauses<Result>(
  steps: Steps<Result>,
  { signal, onStep }: StepOptions = {},
): Promise<Result> {
  let began = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    onStep?.(step.value);
    stopIfAborted(signal);
    if (performance.now() - began < MILLISECONDS_BETWEEN_PAUSES) continue;
    await pause(signal);
    began = performance.now();
  }
}

function stopIfAborted(signal?: AbortSignal): void {
  if (signal?.aborted) throw new Interrupted('Stopped as asked.', { cause: signal.reason });
}
