/** Lets a long computation be interrupted: the event loop gets a turn between two pieces of work. */

/**
 * Gives timers, messages and signals a turn, then continues.
 *
 * @throws the signal's reason when it has been aborted.
 */
export async function pause(signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}
