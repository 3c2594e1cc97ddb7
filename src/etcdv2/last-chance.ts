import { PLAIN_WAIT } from './params.ts';

/**
 * Whether a node exits when this request is rejected: its registration, and the wait on itself that follows.
 * Decided by the target alone, before parsing.
 */
export function isLastChance(method: string | undefined, target: string): boolean {
  // `/new` itself is excluded, chosen tokens that start like it are not.
  if (method === 'PUT') return !/^\/new(?:[/?]|$)/.test(target);
  return PLAIN_WAIT.test(target) && !/[?&]recursive=true(?:&|$)/.test(target);
}
