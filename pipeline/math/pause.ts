/** Lets a long computation be interrupted: the event loop gets a turn between two pieces of work. */

import { Interrupted } from '../errors.ts';

/**
 * Gives timers, messages and signals a turn, then continues.
 *
 * @throws Interrupted when the signal has been aborted.
 */
export async function pause(signal?: AbortSignal): Promise<void> {
  stopIfAborted(signal);
  await new Promise<void>((resolve) => setImmediate(resolve));
  stopIfAborted(signal);
}

function stopIfAborted(signal?: AbortSignal): void {
  if (signal?.aborted) throw new Interrupted('Stopped as asked.', { cause: signal.reason });
}
