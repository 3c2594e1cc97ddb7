import { setTimeout as sleep } from 'node:timers/promises';
import type { Discovery } from '../discovery/discovery.ts';
import type { Cluster } from '../discovery/types.ts';

/** The interval between checks, in ms. An expiry is not a write, so nothing else reports it. */
const INTERVAL_MS = 10_000;
/** Clusters of one check: further ones are not reported. */
const TOLD_TOGETHER = 100;

/**
 * Reports each token that expires while the service runs, some seconds later. Returns a function that stops
 * it. If the store is unavailable, the period is checked again when it has recovered.
 */
export function watchExpiries(
  discovery: Pick<Discovery, 'expired' | 'now'>,
  tell: (cluster: Cluster) => void,
  intervalMs: number = INTERVAL_MS,
): () => void {
  const stopped = new AbortController();
  const run = async (): Promise<void> => {
    let from = discovery.now();
    for (;;) {
      await sleep(intervalMs, undefined, { signal: stopped.signal, ref: false });
      const until = discovery.now();
      // The clock was set back: the period was already reported.
      if (until <= from) continue;
      const clusters = await discovery.expired(from, until, TOLD_TOGETHER).catch(() => undefined);
      if (clusters === undefined) continue;
      for (const cluster of clusters) tell(cluster);
      from = until;
    }
  };
  // Only the signal ends it.
  run().catch(() => {});
  return () => stopped.abort();
}
