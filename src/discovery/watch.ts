import { CLUSTER_LIMITS } from '../limits.ts';
import { onEnd } from '../on-end.ts';
import { authorize, type Caller } from './access.ts';
import type { Event } from './change.ts';
import { requireKnown, requireLive } from './cluster.ts';
import { DiscoveryError, shuttingDown } from './errors.ts';
import type { Store } from './store.ts';
import { Bell, type Topics } from './topics.ts';
import type { Cluster, Millis, Revision, Token } from './types.ts';

/** WatchItem is one item of a watch: first the starting point, then each change once. */
export type WatchItem =
  | { readonly type: 'SNAPSHOT'; readonly cluster: Cluster; readonly revision: Revision }
  | { readonly type: 'STARTED'; readonly revision: Revision }
  | { readonly type: 'EVENT'; readonly event: Event };

export interface WatchContext {
  readonly store: Store;
  readonly topics: Topics;
  readonly now: () => Millis;
  readonly closing: () => boolean;
}

/**
 * Watches a token from a revision, or from a snapshot of the current state. Ends when the signal aborts and
 * after a TOKEN_DELETED event. Throws TOKEN_EXPIRED when the token expires, SHUTTING_DOWN when the service
 * stops, and REVISION_COMPACTED if the changes after the revision are no longer stored or the store has not
 * reached it. If the store fails, a new watch throws, and a running one waits until the store has recovered.
 */
export async function* watch(
  context: WatchContext,
  token: Token,
  after: Revision | undefined,
  signal: AbortSignal,
  caller: Caller,
): AsyncGenerator<WatchItem, void, undefined> {
  const { store, topics, now } = context;
  const bell = new Bell();
  if (signal.aborted) return;
  if (context.closing()) throw shuttingDown();
  topics.add(token, bell);
  const leave = onEnd(signal, () => {
    topics.remove(token, bell);
    bell.ring();
  });
  try {
    const view = await store.read(token);
    authorize(view.cluster?.locks, 'READ', caller, view.revision);
    let cursor = after ?? view.revision;
    if (after === undefined) {
      const cluster = requireLive(view.cluster, now(), view.revision);
      yield { type: 'SNAPSHOT', cluster, revision: view.revision };
    } else {
      requireKnown(view.cluster, view.revision);
      requireReached(after, view.revision);
      yield { type: 'STARTED', revision: view.revision };
    }
    while (!signal.aborted) {
      if (context.closing()) throw shuttingDown();
      const found = await news(store, token, cursor);
      if (found === undefined) {
        topics.ringLater(token);
        await bell.wait();
        continue;
      }
      const { cluster, revision, events } = found;
      requireReached(cursor, revision);
      for (const event of events) {
        if (signal.aborted) return;
        cursor = event.revision;
        yield { type: 'EVENT', event };
        if (event.type === 'TOKEN_DELETED') return;
      }
      if (events.length > 0) continue;
      topics.expireAt(token, requireLive(cluster, now()).expireTime, now());
      await bell.wait();
    }
  } finally {
    leave();
  }
}

/**
 * Throws if the store has not reached the revision. A client only knows revisions that the store had reached,
 * so a later one is from another history: the store was restored or exchanged. Waiting for it could last
 * forever, or miss all changes until then.
 */
function requireReached(after: Revision, revision: Revision): void {
  if (after <= revision) return;
  throw new DiscoveryError(
    'REVISION_COMPACTED',
    `the store is at revision ${revision}; revision ${after} is from another store, or from this one before a restore; watch again without a revision to start from the current members`,
    { revision, compactRevision: revision },
  );
}

interface News {
  readonly cluster: Cluster | undefined;
  /** A lower bound of the store's revision. */
  readonly revision: Revision;
  readonly events: readonly Event[];
}

/** Returns what has happened after a revision, or undefined if the store cannot say at the moment. */
async function news(store: Store, token: Token, after: Revision): Promise<News | undefined> {
  try {
    // Read before the events, so that a deletion in between appears as an event, not as an error.
    const { cluster, revision } = await store.read(token);
    return { cluster, revision, events: await store.events(token, after, CLUSTER_LIMITS.eventsPerRead) };
  } catch (thrown) {
    if (thrown instanceof DiscoveryError && thrown.reason === 'STORE_UNAVAILABLE') return undefined;
    throw thrown;
  }
}
