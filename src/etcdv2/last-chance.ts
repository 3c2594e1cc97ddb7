import { PLAIN_WAIT } from './params.ts';

/**
 * Whether a node that is refused this gives up: its registration, and the wait on itself that follows. Told by the
 * target alone, before anything is parsed.
 */
export function isLastChance(method: string | undefined, target: string): boolean {
  // Not of `/new` itself; a chosen token may begin like it.
  if (method === 'PUT') return !/^\/new(?:[/?]|$)/.test(target);
  return PLAIN_WAIT.test(target) && !/[?&]recursive=true(?:&|$)/.test(target);
}
