/** Asks again, after growing pauses, for as long as a fault may pass. */

import pRetry from 'p-retry';
import type { HttpTiming } from './timing.ts';
import { TransferFault } from './transfer-fault.ts';

/** Where nobody answers, many tries only make the user wait for the news. */
const unreachableTries = 3;

export interface RetryRequest {
  timing: HttpTiming;
  signal: AbortSignal;
  /** Told of each fault that is tried over. */
  onRetry: (message: string) => void;
  /** What the user reads once a fault has not passed. */
  givenUp: (fault: TransferFault) => Error;
  /**
   * True when the try that has just failed still brought enough to be worth its while: a long file over a bad
   * line then gets there by many short tries.
   */
  broughtMuch?: () => boolean;
}

/**
 * @param once Throws a TransferFault for what may pass; any other error ends it.
 * @throws What `givenUp` makes of a fault that has not passed after the number of tries.
 */
export async function withRetries<T>(request: RetryRequest, once: () => Promise<T>): Promise<T> {
  const { timing, signal } = request;
  try {
    return await pRetry(once, {
      retries: timing.tries - 1,
      minTimeout: timing.firstPauseMilliseconds,
      maxTimeout: timing.longestPauseMilliseconds,
      factor: 2,
      // Many machines that were cut off at once must not all come back at once.
      randomize: true,
      signal,
      shouldConsumeRetry: () => !(request.broughtMuch?.() ?? false),
      shouldRetry: async ({ error, attemptNumber }) => {
        if (!(error instanceof TransferFault)) return false;
        if (error.unreachable && attemptNumber >= unreachableTries) return false;
        const seconds = error.retryAfterSeconds ?? 0;
        if (seconds > timing.longestRetryAfterSeconds) return false;
        request.onRetry(`${error.message}; ${seconds > 0 ? `trying again in ${seconds} s` : 'trying again'}`);
        if (seconds > 0) await timing.wait(seconds * 1000, signal);
        return true;
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof TransferFault ? request.givenUp(error) : error;
  }
}
