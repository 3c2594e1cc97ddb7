import { setTimeout as sleep } from 'node:timers/promises';
import { type State, stateOf } from '../../discovery/cluster.ts';
import type { Store } from '../../discovery/store.ts';
import type { Millis, Token } from '../../discovery/types.ts';

/** Tokens counted by state in one go: a fraction of a ms for most. */
const COUNTED_TOGETHER = 25;
/**
 * How many times as long as that took the counting rests then: half a hundredth of the time at most, 40 minutes for a
 * million tokens of the embedded store, some hours for those in etcd.
 */
const REST = 200;
/** Between two counts of all tokens. */
const INTERVAL_MS = 60_000;

export type Counts = Readonly<Record<State, number>>;

export interface Census {
  /** Of the last pass that was whole; undefined before the first one. */
  counts(): Counts | undefined;
  stop(): void;
}

/**
 * Counts tokens by state, over and over, a few at a time and with long rests: as expiry is no write, only looking
 * tells. `pause`: between passes, in ms.
 */
export function startCensus(
  store: Pick<Store, 'list'>,
  now: () => Millis,
  pause: number = INTERVAL_MS,
): Census {
  const stopped = new AbortController();
  const { signal } = stopped;
  let latest: Counts | undefined;
  const rest = (ms: number): Promise<void> => sleep(ms, undefined, { signal, ref: false });
  const run = async (): Promise<void> => {
    for (;;) {
      // A store that is away is counted when it is back.
      latest = await count(store, now, rest).catch(() => latest);
      await rest(pause);
    }
  };
  // Ends by the signal alone.
  run().catch(() => {});
  return { counts: () => latest, stop: () => stopped.abort() };
}

async function count(
  store: Pick<Store, 'list'>,
  now: () => Millis,
  rest: (ms: number) => Promise<void>,
): Promise<Counts> {
  const counts: Record<State, number> = { ASSEMBLING: 0, COMPLETE: 0, EXPIRED: 0, DELETED: 0 };
  let after: Token | undefined;
  for (;;) {
    const begin = performance.now();
    // One that is damaged has no state; whoever uses it is told.
    const clusters = await store.list(after, COUNTED_TOGETHER, () => {});
    for (const cluster of clusters) counts[stateOf(cluster, now())] += 1;
    after = clusters.at(-1)?.token;
    if (after === undefined) return counts;
    await rest((performance.now() - begin) * REST);
  }
}
