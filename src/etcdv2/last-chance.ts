/**
 * Whether a node that is refused this gives up: its registration, and the wait on itself that follows. Told by the
 * target alone, before anything is parsed.
 */
export function isLastChance(method: string | undefined, target: string): boolean {
  if (method === 'PUT') return !target.startsWith('/new');
  return /[?&]wait=true(?:&|$)/.test(target) && !/[?&]recursive=true(?:&|$)/.test(target);
}
