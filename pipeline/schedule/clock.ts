/** The time, and waiting for it; handed in, so that tests need not wait. */

import { setTimeout as pause } from 'node:timers/promises';

export interface Clock {
  now(): Date;
  /** Waits; throws when the signal is raised. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  wait: (milliseconds, signal) => pause(milliseconds, undefined, { signal }),
};

/** A machine that slept or whose clock was set is noticed within this time. */
const longestNapMilliseconds = 20_000;

/**
 * Waits until the clock shows `time`.
 *
 * @returns False when the clock was set back meanwhile, so that `time` may no longer be the next.
 */
export async function waitUntil(time: Date, clock: Clock, signal: AbortSignal): Promise<boolean> {
  let seen = clock.now().getTime();
  while (seen < time.getTime()) {
    await clock.wait(Math.min(time.getTime() - seen, longestNapMilliseconds), signal);
    const now = clock.now().getTime();
    if (now < seen - 1000) return false;
    seen = now;
  }
  return true;
}
