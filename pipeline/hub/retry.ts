/** Asks the hub again for as long as a fault may pass, in the hub's own words when it does not. */

import { withRetries } from '../http/retry.ts';
import type { HubEnvironment } from './environment.ts';
import { type Asked, givenUp } from './faults.ts';

export interface HubRetry {
  asked: Asked;
  environment: HubEnvironment;
  signal: AbortSignal;
  /** Told of each fault that is tried over. */
  onRetry: (message: string) => void;
  /** @see RetryRequest.broughtMuch */
  broughtMuch?: () => boolean;
}

/** @throws UserError when the fault has not passed after the environment's number of tries. */
export function withHubRetries<T>(request: HubRetry, once: () => Promise<T>): Promise<T> {
  const { asked, environment, ...rest } = request;
  const { timing } = environment;
  return withRetries({ ...rest, timing, givenUp: (fault) => givenUp(fault, asked, environment) }, once);
}
