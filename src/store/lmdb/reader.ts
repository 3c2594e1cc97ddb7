import { firstEvents } from '../../discovery/bytes.ts';
import type { Event } from '../../discovery/change.ts';
import { DiscoveryError } from '../../discovery/errors.ts';
import { PHASES, type Phase, type Place } from '../../discovery/newest.ts';
import type { OnDamaged } from '../../discovery/store.ts';
import {
  type Cluster,
  type Millis,
  millis,
  type Revision,
  revision,
  type Token,
} from '../../discovery/types.ts';
import { ClusterListing } from '../listing.ts';
import { closed, compacted } from '../refusals.ts';
import type { CachedCluster } from './cache.ts';
import { damagedRecord } from './check/refusals.ts';
import { decodeCluster, decodeEvent, decodeStoredCluster, linkOf } from './codec.ts';
import { readFault } from './fault.ts';
import type { Databases } from './open.ts';
import type { RecordEntry } from './record-table.ts';
import { type EventKey, MARK_REVISION, newestFirst, sumOfPlace, type Tables } from './tables.ts';

/** LmdbReader reads what is on disk. */
export class LmdbReader {
  readonly #tables: Tables;
  readonly #places: Databases['places'];
  readonly #isClosing: () => boolean;

  constructor(tables: Tables & Pick<Databases, 'places'>, isClosing: () => boolean) {
    this.#tables = tables;
    this.#places = tables.places;
    this.#isClosing = isClosing;
  }

  /** Runs a read, and converts LMDB's failures to readable errors. */
  reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (this.#isClosing()) throw closed(error);
      // An error in a read transaction would also affect reads of other tokens that share it.
      if (!(error instanceof DiscoveryError)) this.#tables.env.resetReadTxn();
      throw readFault(error);
    }
  }

  ping(): void {
    this.reading(() => this.#tables.meta.get('revision'));
  }

  cluster(token: Token): CachedCluster | undefined {
    return this.reading(() => {
      const record = this.#tables.clusters.get(token);
      const latest = this.#latest(token);
      if (record === undefined && latest === undefined) return undefined;
      if (record === undefined) throw damagedRecord('its record is missing');
      const stored = decodeStoredCluster(token, record);
      const { changeCount, modRevision } = stored.cluster;
      if (latest !== (changeCount === 0 ? MARK_REVISION : Number(modRevision))) {
        throw damagedRecord('its record and its changes do not match');
      }
      const { cluster, compactRevision } = stored;
      return { cluster, compactRevision, recent: [], recentAfter: modRevision };
    });
  }

  /** Returns the events after a revision, up to the latest of the cluster. The store is at `at`. */
  events(cluster: Cluster, after: Revision, at: Revision, limit: number): readonly Event[] {
    return this.reading(() => {
      const { token, modRevision } = cluster;
      // No await in between: both come from one read transaction.
      const record = this.#tables.clusters.get(token);
      if (record === undefined) return [];
      const stored = decodeStoredCluster(token, record);
      // Forgotten, in a transaction that has not been reported yet.
      if (stored.cluster.createRevision !== cluster.createRevision) return [];
      const compactRevision = revision(stored.compactRevision);
      if (after < compactRevision) throw compacted(after, { revision: at, compactRevision });
      const range = { start: [token, Number(after) + 1], end: [token, Number(modRevision) + 1], limit };
      const from = after > cluster.createRevision ? after : cluster.createRevision;
      return firstEvents(linked(this.#tables.events.getRange(range), from, modRevision, limit), limit);
    });
  }

  list(after: Token | undefined, limit: number, onDamaged?: OnDamaged): readonly Cluster[] {
    return this.reading(() => {
      const listing = new ClusterListing(onDamaged);
      // Each token has a record and, in another tree, an event or a mark. A token that one of the two lacks is damaged:
      // with the records alone, a page in the place of another would be a silent gap.
      let expected = this.#following(after);
      const passTo = (isReached: (token: Token) => boolean): void => {
        for (; expected !== undefined && !isReached(expected); expected = this.#following(expected)) {
          listing.add(expected, () => {
            throw damagedRecord('its record is missing');
          });
        }
      };
      const from = after === undefined ? {} : { start: after };
      for (const { key: name, read } of this.#tables.clusters.getRange(from)) {
        const key = name as Token;
        if (key === after) continue;
        passTo((token) => token >= key);
        const isExpected = key === expected;
        listing.add(key, () => {
          if (!isExpected) throw damagedRecord('its changes are missing');
          return decodeCluster(key, read());
        });
        if (isExpected) expected = this.#following(key);
        if (listing.clusters.length === limit) return listing.end();
      }
      passTo(() => false);
      return listing.end();
    });
  }

  ending(from: Millis, until: Millis, limit: number): readonly Token[] {
    const span = { start: [from, ''], end: [until, ''], limit };
    return this.reading(() => Array.from(this.#tables.ends.getKeys(span), ([, token]) => token));
  }

  newest(phase: Phase, after: Place | undefined, limit: number): readonly Place[] {
    const at = PHASES.indexOf(phase);
    const start =
      after === undefined
        ? { start: [at, Number.NEGATIVE_INFINITY, ''] }
        : { start: [at, newestFirst(after.createTime), after.token], exclusiveStart: true };
    return this.reading(() => {
      const found: Place[] = [];
      for (const { key, value } of this.#places.getRange({ ...start, end: [at + 1], limit })) {
        if (value !== sumOfPlace(key))
          throw damagedRecord('its entry in the index of places does not match its checksum');
        found.push({ createTime: millis(-key[1]), token: key[2] });
      }
      return found;
    });
  }

  /** Returns the first token after `token`, or the first of all, by the events and marks. */
  #following(token: Token | undefined): Token | undefined {
    const start = token === undefined ? {} : { start: [token, Number.MAX_SAFE_INTEGER] };
    for (const [following] of this.#tables.events.getKeys({ ...start, limit: 1 })) return following;
    return undefined;
  }

  /** Returns the revision of the last event of a token, or of its mark. */
  #latest(token: Token): number | undefined {
    const own = {
      start: [token, Number.MAX_SAFE_INTEGER],
      end: [token, MARK_REVISION - 1],
      reverse: true,
      limit: 1,
    };
    for (const [, at] of this.#tables.events.getKeys(own)) return at;
    return undefined;
  }
}

/**
 * Checks that each change names the previous one, so that none is missing. `from` is at or after the change
 * before the first.
 */
function* linked(
  entries: Iterable<RecordEntry<EventKey>>,
  from: Revision,
  to: Revision,
  limit: number,
): Generator<Event, void, undefined> {
  let at = from;
  let count = 0;
  for (const { key, read } of entries) {
    const record = read();
    const link = linkOf(record);
    if (count === 0 ? link > from : link !== at) throw missing();
    at = revision(key[1]);
    count += 1;
    yield decodeEvent(at, record);
  }
  if (count < limit && at !== to) throw missing();
}

function missing(): DiscoveryError {
  return damagedRecord('one of its changes is missing');
}
