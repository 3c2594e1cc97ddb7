import { CLUSTER_LIMITS } from '../limits.ts';
import { onEnd } from '../on-end.ts';
import { authorize, type Caller } from './access.ts';
import type { Event } from './change.ts';
import { requireKnown, requireLive } from './cluster.ts';
import { DiscoveryError, shuttingDown } from './errors.ts';
import type { Store } from './store.ts';
import { Bell, type Topics } from './topics.ts';
import type { Cluster, Millis, Revision, Token } from './types.ts';

/** What a watch yields: first where it begins, then each change once. */
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
 * Watches a token from a revision, or from a snapshot of now. Ends when the signal aborts and after a
 * TOKEN_DELETED event; throws TOKEN_EXPIRED at the token's time, SHUTTING_DOWN when the service stops, and
 * REVISION_COMPACTED for a revision that the store does not hold the changes after, or has not reached. A store that fails keeps a watch from its beginning, and one that has begun waits until it is back.
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
 * Every revision that a client was told is one that the store has reached. One beyond is of another life of it, before
 * it was restored or exchanged: to wait for it would be to wait for a change that may never come, or to miss all others.
 */
function requireReached(after: Revision, revision: Revision): void {
  if (after <= revision) return;
  throw new DiscoveryError(
    'REVISION_COMPACTED',
    `the store is at revision ${revision}, and ${after} is of another, or of this one before it was restored; watch again without a revision, which begins with the members as they are`,
    { revision, compactRevision: revision },
  );
}

interface News {
  readonly cluster: Cluster | undefined;
  /** The store's, at least. */
  readonly revision: Revision;
  readonly events: readonly Event[];
}

/** What has happened after a revision; undefined when the store cannot say now. */
async function news(store: Store, token: Token, after: Revision): Promise<News | undefined> {
  try {
    // Read before the events: a deletion in between is then an event, not a refusal.
    const { cluster, revision } = await store.read(token);
    return { cluster, revision, events: await store.events(token, after, CLUSTER_LIMITS.eventsPerRead) };
  } catch (thrown) {
    if (thrown instanceof DiscoveryError && thrown.reason === 'STORE_UNAVAILABLE') return undefined;
    throw thrown;
  }
}
