import { DiscoveryError } from '../../discovery/errors.ts';

/** The refusal of what is one too many, with when to come again, in ms. */
export function tooMany(words: string, retryAfter: number): DiscoveryError {
  const seconds = Math.ceil(retryAfter / 1000);
  return new DiscoveryError('TOO_MANY_REQUESTS', `${words}; try again in ${seconds} s`, { retryAfter });
}
