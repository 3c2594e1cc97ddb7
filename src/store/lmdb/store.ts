import { writeSync } from 'node:fs';
import { firstEvents } from '../../discovery/bytes.ts';
import type { Change, Event } from '../../discovery/change.ts';
import type { Policy } from '../../discovery/policy.ts';
import type { Decide, Store, View, Written } from '../../discovery/store.ts';
import { type Cluster, type Millis, type Revision, revision, type Token } from '../../discovery/types.ts';
import { closed, nothingDecided, refusalOf } from '../refusals.ts';
import { Admission } from './admit.ts';
import { type CachedCluster, ClusterCache } from './cache.ts';
import { Disk } from './disk.ts';
import { Draft } from './draft.ts';
import { Batches } from './group-commit.ts';
import { type Databases, openDatabases } from './open.ts';
import { Reader } from './reader.ts';
import { planSweep } from './sweep.ts';

export interface LmdbStoreOptions {
  /** The data directory; made when it is not there. */
  readonly path: string;
  readonly policy: Pick<Policy, 'maxTokens' | 'maxBytes'>;
  /** Told in one line why the store ends the process. */
  readonly log?: (line: string) => void;
  /** Told how many writes share a transaction. */
  readonly onBatch?: (operation: 'write', size: number) => void;
  /** Told why writes are refused, once, and with undefined when they are not any more. */
  readonly onTrouble?: (trouble: string | undefined) => void;
}

/** The embedded store: one LMDB environment in a directory that this process has to itself. */
export interface LmdbStore extends Store {
  /** Names the data directory, for as long as it lives. */
  readonly clusterId: bigint;
  /** How many tokens are held, tombstones included. */
  tokens(): number;
  /** What they take, see `tokenBytes`. */
  bytes(): number;
  /** Whether the process before was killed. */
  readonly followsKilled: boolean;
  /** What may still be written, in bytes. */
  room(): number;
}

/** Rejects with STORE_UNAVAILABLE when the directory cannot be used; the text says what to do. */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<LmdbStore> {
  const store = new OpenStore(await openDatabases(options.path), options);
  // What there is to say of the disk is said now; what is there can be read all the same.
  await store.look();
  return store;
}

class OpenStore implements LmdbStore {
  readonly clusterId: bigint;
  readonly key: Uint8Array;
  readonly followsKilled: boolean;
  readonly #databases: Databases;
  readonly #batches: Batches;
  readonly #disk: Disk;
  readonly #reader: Reader;
  readonly #admission: Admission;
  readonly #cache = new ClusterCache();
  #listener: (token: Token | undefined) => void = () => {};
  #closing: Promise<void> | undefined;
  #closed = false;
  /** Of the last transaction that is on disk. */
  #revision: Revision;
  #tokens: number;
  #counters: Databases['counters'];
  /** The transaction that is planned, or under way. */
  #draft: Draft;

  constructor(databases: Databases, options: LmdbStoreOptions) {
    this.clusterId = databases.clusterId;
    this.key = databases.key;
    this.followsKilled = databases.claim.followsKilled;
    this.#databases = databases;
    this.#admission = new Admission(options.policy);
    this.#reader = new Reader(databases, () => this.#closing !== undefined);
    this.#revision = revision(databases.counters.revision);
    this.#tokens = databases.tokens;
    this.#counters = databases.counters;
    this.#draft = new Draft(databases, this.#counters);
    const log = options.log ?? ((line: string) => writeSync(2, `${line}\n`));
    const changes = {
      isEmpty: () => this.#draft.isEmpty(),
      footprint: () => this.#draft.footprint(),
      put: () => this.#draft.put(),
      committed: () => this.#committed(),
      // Nothing is taken for granted then: all of it is read again.
      failed: () => {
        this.#cache.clear();
        this.#draft = new Draft(databases, this.#counters);
      },
    };
    const fatal = (cause: string): never => {
      log(`the store has failed, and the service ends so that it is started again: ${cause}`);
      process.exit(1);
    };
    this.#disk = new Disk(databases.file, databases.room, options.onTrouble ?? (() => {}));
    const onBatch = (writes: number): void => options.onBatch?.('write', writes);
    this.#batches = new Batches(databases.env, this.#disk, changes, fatal, onBatch);
  }

  tokens(): number {
    return this.#tokens;
  }

  bytes(): number {
    return this.#counters.bytes;
  }

  room(): number {
    return this.#disk.left;
  }

  async ping(): Promise<void> {
    this.#requireOpen();
    this.#reader.ping();
    // It may be over, and nobody writes to a service that is not ready.
    if (this.#disk.trouble() !== undefined) await this.#batches.look();
  }

  async look(): Promise<void> {
    await this.#batches.look().catch(() => {});
  }

  async revision(): Promise<Revision> {
    this.#requireOpen();
    this.#reader.ping();
    return this.#revision;
  }

  async read(token: Token): Promise<View> {
    return { cluster: this.#durable(token)?.cluster, revision: this.#revision };
  }

  async write(token: Token, decide: Decide): Promise<Written> {
    const written = await this.#batches.submit(() => this.#plan(token, decide));
    if (written.changed) this.#listener(token);
    return written;
  }

  async events(token: Token, after: Revision, limit: number): Promise<readonly Event[]> {
    const entry = this.#durable(token);
    if (entry === undefined || after >= entry.cluster.modRevision) return [];
    if (after < entry.recentAfter) return this.#reader.events(entry.cluster, after, this.#revision, limit);
    const { recent } = entry;
    let first = recent.length;
    while (first > 0 && (recent[first - 1] as Event).revision > after) first -= 1;
    return firstEvents(recent.slice(first), limit);
  }

  readonly list: Store['list'] = async (...part) => this.#reader.list(...part);
  readonly ending: Store['ending'] = async (...part) => this.#reader.ending(...part);
  readonly newest: Store['newest'] = async (...part) => this.#reader.newest(...part);

  onCommit(listener: (token: Token | undefined) => void): void {
    this.#listener = listener;
  }

  async sweep(endedBefore: Millis, limit: number): Promise<number> {
    // A backup that was killed would keep the pages that it read from being used again.
    if (!this.#closed) this.#databases.env.readerCheck();
    let swept = 0;
    while (swept < limit) {
      const round = await this.#batches.submit(() =>
        planSweep(this.#databases, this.#reader, this.#draft, {
          endedBefore,
          limit: limit - swept,
          isFirst: swept === 0,
          hasRoom: this.#disk.trouble() === undefined,
        }),
      );
      if (round.length === 0) break;
      swept += round.length;
      for (const token of round) this.#listener(token);
    }
    return swept;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#batches.close();
    this.#closed = true;
    await this.#databases.env.close();
    this.#disk.close();
    await this.#databases.claim.close();
  }

  #requireOpen(): void {
    if (this.#closed) throw closed();
  }

  /** The cluster as it stands on disk. */
  #durable(token: Token): CachedCluster | undefined {
    this.#requireOpen();
    // LMDB may have committed what is not told of here yet, but of these tokens alone.
    const drafted = this.#draft.get(token);
    if (drafted !== undefined) return drafted.before;
    const cached = this.#cache.get(token);
    if (cached !== undefined) return cached;
    const loaded = this.#reader.cluster(token);
    if (loaded !== undefined && this.#cache.isWanted(token)) this.#cache.set(token, loaded);
    return loaded;
  }

  #plan(token: Token, decide: Decide): Written {
    const draft = this.#draft;
    const drafted = draft.get(token);
    const current = drafted === undefined ? this.#durable(token) : drafted.after;
    const before = current?.cluster;
    const change = this.#decided(decide, before);
    if (change === undefined) {
      if (before === undefined) throw nothingDecided();
      return { cluster: before, before, revision: draft.revision, changed: false };
    }
    const { cluster } = draft.change(token, current, change);
    return { cluster, before, revision: draft.revision, changed: true };
  }

  #decided(decide: Decide, before: Cluster | undefined): Change | undefined {
    try {
      const change = decide(before);
      if (change !== undefined) {
        this.#admission.admit(change, {
          tokens: this.#tokens + this.#draft.created,
          bytes: this.#draft.bytes,
          shortage: this.#disk.shortage(),
        });
      }
      return change;
    } catch (error) {
      throw refusalOf(error).at(this.#draft.revision);
    }
  }

  #committed(): void {
    for (const [token, { after }] of this.#draft.entries()) {
      if (after === undefined) this.#cache.delete(token);
      else this.#cache.set(token, after);
    }
    this.#revision = this.#draft.revision;
    this.#tokens += this.#draft.created;
    this.#counters = this.#draft.counters;
    this.#draft = new Draft(this.#databases, this.#counters);
  }
}
