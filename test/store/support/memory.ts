import { randomBytes } from 'node:crypto';
import { firstEvents, tokenBytes } from '../../../src/discovery/bytes.ts';
import { apply, type Event } from '../../../src/discovery/change.ts';
import { endTime } from '../../../src/discovery/cluster.ts';
import { DiscoveryError, type Reason } from '../../../src/discovery/errors.ts';
import { byPlace, phaseOf } from '../../../src/discovery/newest.ts';
import type { Policy } from '../../../src/discovery/policy.ts';
import type { Store } from '../../../src/discovery/store.ts';
import type { Cluster } from '../../../src/discovery/types.ts';
import { revision, type Token } from '../../../src/discovery/types.ts';
import { bytesBound, refusedFor } from '../../../src/store/refusals.ts';

/** The content of a store while it is closed. */
export interface Disk {
  readonly key: Uint8Array;
  revision: bigint;
  readonly clusters: Map<Token, Cluster>;
  readonly events: Map<Token, Event[]>;
}

export function emptyDisk(): Disk {
  return { key: randomBytes(32), revision: 0n, clusters: new Map(), events: new Map() };
}

/** Opens the simplest store that satisfies the laws: this shows that they are laws of the port, not of one database. */
export function openMemoryStore(disk: Disk, policy: Pick<Policy, 'maxTokens' | 'maxBytes'>): Store {
  let listener: (token: Token | undefined) => void = () => {};
  let closed = false;
  const refuseClosed = (reason: Reason): void => {
    if (closed) throw new DiscoveryError(reason, 'the store is closed');
  };
  return {
    key: disk.key,
    async ping() {
      refuseClosed('STORE_UNAVAILABLE');
    },
    async revision() {
      refuseClosed('STORE_UNAVAILABLE');
      return revision(disk.revision);
    },
    async read(token) {
      refuseClosed('STORE_UNAVAILABLE');
      return { cluster: disk.clusters.get(token), revision: revision(disk.revision) };
    },
    async write(token, decide) {
      refuseClosed('SHUTTING_DOWN');
      const before = disk.clusters.get(token);
      const now = revision(disk.revision);
      const change = ((): ReturnType<typeof decide> => {
        try {
          return decide(before);
        } catch (error) {
          if (error instanceof DiscoveryError) throw error.at(now);
          throw new DiscoveryError('INTERNAL', 'a bug', { cause: error });
        }
      })();
      if (change === undefined) return { cluster: before as Cluster, before, revision: now, changed: false };
      if (change.type === 'CREATED' && disk.clusters.size >= policy.maxTokens) {
        throw new DiscoveryError('TOO_MANY_TOKENS', 'too many', { revision: now });
      }
      const bytes = [...disk.clusters.values()].reduce((sum, each) => sum + tokenBytes(each), 0);
      const refused = refusedFor(change, bytes, bytesBound(policy.maxBytes));
      if (refused !== undefined) throw refused.at(now);
      disk.revision += 1n;
      const { cluster, event } = apply(before, change, revision(disk.revision));
      disk.clusters.set(token, cluster);
      const events = disk.events.get(token) ?? [];
      disk.events.set(token, events);
      if (event !== undefined) events.push(event);
      // After the promise resolves, as with a database.
      queueMicrotask(() => listener(token));
      return { cluster, before, revision: cluster.modRevision, changed: true };
    },
    async events(token, after, limit) {
      refuseClosed('STORE_UNAVAILABLE');
      return firstEvents(
        (disk.events.get(token) ?? []).filter((event) => event.revision > after),
        limit,
      );
    },
    async list(after, limit) {
      refuseClosed('STORE_UNAVAILABLE');
      const tokens = [...disk.clusters.keys()].filter((token) => after === undefined || token > after);
      return tokens
        .sort()
        .slice(0, limit)
        .map((token) => disk.clusters.get(token) as Cluster);
    },
    async ending(from, until, limit) {
      refuseClosed('STORE_UNAVAILABLE');
      const there = [...disk.clusters.values()].filter((cluster) => {
        const end = endTime(cluster);
        return end >= from && end < until;
      });
      there.sort((a, b) => endTime(a) - endTime(b));
      return there.slice(0, limit).map(({ token }) => token);
    },
    async newest(phase, after, limit) {
      refuseClosed('STORE_UNAVAILABLE');
      const there = [...disk.clusters.values()].filter((cluster) => phaseOf(cluster) === phase);
      const behind = there.filter((cluster) => after === undefined || byPlace(cluster, after) > 0);
      return behind.sort(byPlace).slice(0, limit);
    },
    onCommit(to) {
      listener = to;
    },
    async sweep(endedBefore, limit) {
      refuseClosed('SHUTTING_DOWN');
      const ended = [...disk.clusters.values()].filter((cluster) => endTime(cluster) < endedBefore);
      ended.sort((a, b) => endTime(a) - endTime(b));
      for (const { token } of ended.slice(0, limit)) {
        disk.clusters.delete(token);
        disk.events.delete(token);
        queueMicrotask(() => listener(token));
      }
      return Math.min(ended.length, limit);
    },
    async close() {
      closed = true;
    },
  };
}
