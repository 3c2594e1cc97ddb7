import { setTimeout as sleep } from 'node:timers/promises';

/** How long a test waits for a condition, in ms: far longer than a loaded machine needs. */
export const LIMIT_MS = 90_000;

const PAUSE_MS = 50;

/**
 * Retries until `attempt` returns a value; undefined and errors mean "not yet". Fails after LIMIT_MS with `what`, the
 * last error and `context`.
 */
export async function until<T>(
  what: string,
  attempt: () => Promise<T | undefined> | T | undefined,
  context: () => string = () => '',
): Promise<T> {
  const deadlineMs = performance.now() + LIMIT_MS;
  let last: unknown;
  while (performance.now() < deadlineMs) {
    try {
      const value = await attempt();
      if (value !== undefined) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(PAUSE_MS);
  }
  const why = last instanceof Error ? `\nlast error: ${last.message}` : '';
  throw new Error(`waited ${LIMIT_MS / 1000} s for ${what}${why}${context()}`);
}
