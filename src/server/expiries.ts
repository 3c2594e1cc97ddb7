import { setTimeout as sleep } from 'node:timers/promises';
import type { Discovery } from '../discovery/discovery.ts';
import type { Cluster } from '../discovery/types.ts';

/** Between two looks: an expiry is no write, so that nothing else tells of it. */
const INTERVAL_MS = 10_000;
/** Clusters of one look: of more, the others are not told of. */
const TOLD_TOGETHER = 100;

/**
 * Tells of each token that expires while the service runs, some seconds later. Returns what stops it. A store that is
 * away is asked again for the same time when it is back.
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
      // A clock that was put back: what it passes again was told of.
      if (until <= from) continue;
      const clusters = await discovery.expired(from, until, TOLD_TOGETHER).catch(() => undefined);
      if (clusters === undefined) continue;
      for (const cluster of clusters) tell(cluster);
      from = until;
    }
  };
  // Ends by the signal alone.
  run().catch(() => {});
  return () => stopped.abort();
}
