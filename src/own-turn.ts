let latest: Promise<void> = Promise.resolve();

/**
 * Resolves in a turn of the event loop that no other caller shares. Work of several milliseconds starts
 * there, so that a thousand callers at once leave room for all others between them.
 */
export function ownTurn(): Promise<void> {
  latest = latest.then(() => new Promise((resolve) => setImmediate(resolve)));
  return latest;
}
