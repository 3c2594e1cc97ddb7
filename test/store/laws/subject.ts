import assert from 'node:assert/strict';
import type { Event } from '../../../src/discovery/change.ts';
import type { Discovery } from '../../../src/discovery/discovery.ts';
import { DiscoveryError, type Reason } from '../../../src/discovery/errors.ts';
import type { Policy } from '../../../src/discovery/policy.ts';
import type { Store } from '../../../src/discovery/store.ts';
import { revision, type Token } from '../../../src/discovery/types.ts';
import type { WatchItem } from '../../../src/discovery/watch.ts';
import type { Place } from '../support/factory.ts';

/** The store under test, as the laws need it. Everything is removed after each test. */
export interface Subject {
  /** Opens a place of its own. */
  readonly start: (policy?: Partial<Policy>) => Promise<Opened>;
  readonly newPlace: () => Place;
  /** Closes the open stores and opens the place, for the first time or as after a restart. */
  readonly reopen: (place: Place, policy?: Partial<Policy>) => Promise<Opened>;
}

export interface Opened {
  readonly store: Store;
  readonly discovery: Discovery;
}

export async function expectRefusal(reason: Reason, call: Promise<unknown>): Promise<DiscoveryError> {
  const error = await call.then(
    () => assert.fail(`expected an error with reason ${reason}`),
    (rejection: unknown) => rejection,
  );
  assert.ok(error instanceof DiscoveryError, `not a DiscoveryError: ${String(error)}`);
  assert.equal(error.reason, reason, error.message);
  return error;
}

export function rejections(results: ReadonlyArray<PromiseSettledResult<unknown>>): DiscoveryError[] {
  return results.flatMap((each) => (each.status === 'rejected' ? [each.reason as DiscoveryError] : []));
}

/** Returns all events after a revision, read in pages. */
export async function allEvents(store: Store, t: Token, from: number, limit: number): Promise<Event[]> {
  const events: Event[] = [];
  for (let cursor = revision(from); ; ) {
    const part = await store.events(t, cursor, limit);
    assert.ok(part.length <= limit);
    events.push(...part);
    const last = part.at(-1);
    if (last === undefined) return events;
    cursor = last.revision;
  }
}

/** Returns the next items of a watch, which stays open. */
export async function take(watch: AsyncGenerator<WatchItem>, count: number): Promise<WatchItem[]> {
  const items: WatchItem[] = [];
  while (items.length < count) {
    const next = await watch.next();
    if (next.done === true) break;
    items.push(next.value);
  }
  return items;
}

export function eventsOf(items: readonly WatchItem[]): Event[] {
  return items.flatMap((item) => (item.type === 'EVENT' ? [item.event] : []));
}
