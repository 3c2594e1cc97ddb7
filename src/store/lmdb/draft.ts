import { tokenBytes } from '../../discovery/bytes.ts';
import { type Applied, apply, type Change, type Event } from '../../discovery/change.ts';
import { endTime } from '../../discovery/cluster.ts';
import { type Cluster, type Revision, revision, type Token } from '../../discovery/types.ts';
import { CLUSTER_LIMITS } from '../../limits.ts';
import type { CachedCluster } from './cache.ts';
import { encodeCluster, encodeEvent } from './codec.ts';
import { type Counters, putCounters } from './counters.ts';
import { type Footprint, footprintOf } from './footprint.ts';
import type { Databases } from './open.ts';
import { MARK, MARK_REVISION, placeKey, sumOfEnd, sumOfPlace } from './tables.ts';

/** The changes to one cluster in a transaction. */
interface Entry {
  /** The cluster as on disk. */
  readonly before: CachedCluster | undefined;
  /** The cluster after the transaction. Undefined if it is forgotten. */
  after: CachedCluster | undefined;
  readonly events: Event[];
  /** For each of `events`, the revision of the change before it. */
  readonly links: Revision[];
  /** The latest events of `after`, in an array that is not shared: each change appends to it. */
  recent: Event[] | undefined;
  /** Revisions of events that are no longer stored. */
  readonly dropped: number[];
}

/**
 * Draft collects the changes of one transaction. They are planned one after the other and then written
 * together: each record once.
 */
export class Draft {
  readonly #databases: Databases;
  readonly #entries = new Map<Token, Entry>();
  #revision: Revision;
  #created = 0;
  #bytes: number;
  #records: number;

  /** The counters before the draft. */
  constructor(databases: Databases, { revision: at, bytes, records }: Counters) {
    this.#databases = databases;
    this.#revision = revision(at);
    this.#bytes = bytes;
    this.#records = records;
  }

  /** Returns the bytes of all tokens after the commit, see `tokenBytes`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Returns the counters after the commit. */
  get counters(): Counters {
    return { revision: Number(this.#revision), bytes: this.#bytes, records: this.#records };
  }

  /** Returns the store's revision after the commit. */
  get revision(): Revision {
    return this.#revision;
  }

  /** Returns the number of tokens added by the commit. Negative if more are forgotten than added. */
  get created(): number {
    return this.#created;
  }

  isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  entries(): Iterable<readonly [Token, Readonly<Entry>]> {
    return this.#entries;
  }

  /** Returns the maximum that its transaction writes. */
  footprint(): Footprint {
    return footprintOf(this.#entries.values());
  }

  get(token: Token): Pick<Entry, 'before' | 'after'> | undefined {
    return this.#entries.get(token);
  }

  /** Adds a change to a cluster. `current` is the cluster after the earlier changes. */
  change(token: Token, current: CachedCluster | undefined, change: Change): Applied {
    const next = revision(this.#revision + 1n);
    const applied = apply(current?.cluster, change, next);
    const entry = this.#entry(token, current);
    entry.after = current === undefined ? fresh(applied) : this.#follow(entry, current, applied);
    if (current === undefined) this.#created += 1;
    this.#bytes += tokenBytes(applied.cluster) - (current === undefined ? 0 : tokenBytes(current.cluster));
    // An event, or the mark of a new token.
    if (current === undefined || applied.event !== undefined) this.#records += 1;
    this.#revision = next;
    return applied;
  }

  /** Forgets a cluster and its events. */
  forget(token: Token, current: CachedCluster): void {
    const held = { start: [token, current.compactRevision + 1], end: [token, Number.MAX_SAFE_INTEGER] };
    // Read before anything is changed: this may fail while other changes are still committed.
    const keys = current.cluster.changeCount > 0 ? [...this.#databases.events.getKeys(held)] : [];
    const entry = this.#entry(token, current);
    for (const key of keys) entry.dropped.push(key[1]);
    this.#records -= keys.length + entry.events.length + 1;
    entry.events.length = 0;
    entry.links.length = 0;
    entry.recent = undefined;
    entry.after = undefined;
    this.#created -= 1;
    this.#bytes -= tokenBytes(current.cluster);
  }

  /** Writes everything. Reads nothing, so it fails only together with the transaction. */
  put(): void {
    for (const [token, entry] of this.#entries) this.#putEntry(token, entry);
    putCounters(this.#databases.meta, this.#databases.clusterName, this.counters);
  }

  #entry(token: Token, current: CachedCluster | undefined): Entry {
    let entry = this.#entries.get(token);
    if (entry === undefined) {
      entry = { before: current, after: current, events: [], links: [], recent: undefined, dropped: [] };
      this.#entries.set(token, entry);
    }
    return entry;
  }

  #follow(entry: Entry, current: CachedCluster, { cluster, event }: Applied): CachedCluster {
    if (event === undefined) return { ...current, cluster };
    let { recentAfter } = current;
    entry.events.push(event);
    entry.links.push(current.cluster.modRevision);
    // Not visible before everything is committed.
    const recent = (entry.recent ??= [...current.recent]);
    recent.push(event);
    if (recent.length > CLUSTER_LIMITS.eventsPerRead) recentAfter = (recent.shift() as Event).revision;
    return { cluster, compactRevision: current.compactRevision, recent, recentAfter };
  }

  #putEntry(token: Token, { before, after, events, links, dropped }: Entry): void {
    const { clusters, events: log, ends } = this.#databases;
    for (const [i, event] of events.entries()) {
      log.put([token, Number(event.revision)], encodeEvent(event, links[i] as Revision));
    }
    for (const each of dropped) log.remove([token, each]);
    if (after === undefined) clusters.remove(token);
    else clusters.put(token, encodeCluster(after));
    if (before === undefined && after !== undefined) log.put([token, MARK_REVISION], MARK);
    if (before !== undefined && after === undefined) log.remove([token, MARK_REVISION]);
    this.#move(before?.cluster, after?.cluster);
    const oldEnd = before && endTime(before.cluster);
    const newEnd = after && endTime(after.cluster);
    if (oldEnd === newEnd) return;
    if (oldEnd !== undefined) void ends.remove([oldEnd, token]);
    if (newEnd !== undefined) void ends.put([newEnd, token], sumOfEnd([newEnd, token]));
  }

  /** Moves the cluster to another place, which is rare. */
  #move(before: Cluster | undefined, after: Cluster | undefined): void {
    const { places } = this.#databases;
    const from = before && placeKey(before);
    const to = after && placeKey(after);
    if (from?.[0] === to?.[0] && from?.[1] === to?.[1]) return;
    if (from !== undefined) void places.remove(from);
    if (to !== undefined) void places.put(to, sumOfPlace(to));
  }
}

function fresh({ cluster }: Applied): CachedCluster {
  return { cluster, compactRevision: 0, recent: [], recentAfter: cluster.createRevision };
}
