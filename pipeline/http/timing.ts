/** How long to wait for a server, and how often to ask it. */

import { setTimeout } from 'node:timers/promises';

/** Tests shorten it. */
export interface HttpTiming {
  /** Times that a request is made before it is given up. */
  tries: number;
  /** Pause before the second try; each further one is twice as long, and all get a random share on top. */
  firstPauseMilliseconds: number;
  longestPauseMilliseconds: number;
  /** Longest Retry-After that is waited for. */
  longestRetryAfterSeconds: number;
  /** How long a server may send nothing. */
  idleMilliseconds: number;
  /** Sleeps, as for as long as a server has asked us to. */
  wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

export const httpTiming: HttpTiming = {
  tries: 6,
  firstPauseMilliseconds: 1000,
  longestPauseMilliseconds: 30_000,
  // Services that count requests do so in windows of up to five minutes.
  longestRetryAfterSeconds: 330,
  idleMilliseconds: 30_000,
  wait: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }),
};
