import { firstEvents } from '../../discovery/bytes.ts';
import type { Event } from '../../discovery/change.ts';
import { DiscoveryError } from '../../discovery/errors.ts';
import { type Cluster, type Revision, revision, type Token } from '../../discovery/types.ts';
import { closed, compacted } from '../refusals.ts';
import type { CachedCluster } from './cache.ts';
import { compactRevisionOf, decodeCluster, decodeEvent, decodeStoredCluster } from './codec.ts';
import { readFault } from './fault.ts';
import type { Tables } from './open.ts';

/** Reads what is on disk. */
export class Reader {
  readonly #tables: Tables;
  readonly #isClosing: () => boolean;

  constructor(tables: Tables, isClosing: () => boolean) {
    this.#tables = tables;
    this.#isClosing = isClosing;
  }

  /** Reads from LMDB, with its failures in words. */
  reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (this.#isClosing()) throw closed(error);
      // An error in a read transaction would stay with the reads of other tokens that share it.
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
      if (record === undefined) return undefined;
      const stored = decodeStoredCluster(token, record);
      return { ...stored, recent: [], recentAfter: stored.cluster.modRevision };
    });
  }

  /** Those after a revision and up to another one. */
  events(token: Token, after: Revision, upTo: Revision, limit: number): readonly Event[] {
    return this.reading(() => {
      // No await in between: both come from one read transaction.
      const record = this.#tables.clusters.get(token);
      if (record === undefined) return [];
      const compactRevision = revision(compactRevisionOf(record));
      if (after < compactRevision) throw compacted(after, { revision: upTo, compactRevision });
      const range = { start: [token, Number(after) + 1], end: [token, Number(upTo) + 1], limit };
      const found = this.#tables.events
        .getRange(range)
        .map(({ key, value }) => decodeEvent(revision(key[1]), value));
      return firstEvents(found, limit);
    });
  }

  list(after: Token | undefined, limit: number): readonly Cluster[] {
    return this.reading(() => {
      const from = after === undefined ? {} : { start: after, exclusiveStart: true };
      const list: Cluster[] = [];
      for (const { key, value } of this.#tables.clusters.getRange({ ...from, limit })) {
        list.push(decodeCluster(key as Token, value));
      }
      return list;
    });
  }
}
