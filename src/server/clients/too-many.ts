import { DiscoveryError } from '../../discovery/errors.ts';

/** Returns the error for exceeding a limit, with the retry delay in ms. */
export function tooMany(words: string, retryAfter: number): DiscoveryError {
  const seconds = Math.ceil(retryAfter / 1000);
  return new DiscoveryError('TOO_MANY_REQUESTS', `${words}; try again in ${seconds} s`, { retryAfter });
}
