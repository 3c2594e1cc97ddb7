import { writeSync } from 'node:fs';
import { firstEvents } from '../../discovery/bytes.ts';
import type { Change, Event } from '../../discovery/change.ts';
import type { Policy } from '../../discovery/policy.ts';
import type { Decide, Store, View, Written } from '../../discovery/store.ts';
import { type Cluster, type Millis, type Revision, revision, type Token } from '../../discovery/types.ts';
import { closed, nothingDecided, storeRefusalOf } from '../refusals.ts';
import { Admission } from './admit.ts';
import { type CachedCluster, ClusterCache } from './cache.ts';
import { Disk } from './disk.ts';
import { Draft } from './draft.ts';
import { Batches } from './group-commit.ts';
import { type Databases, openDatabases } from './open.ts';
import { LmdbReader } from './reader.ts';
import { planSweep } from './sweep.ts';

export interface LmdbStoreOptions {
  /** The data directory. It is created if it does not exist. */
  readonly path: string;
  readonly policy: Pick<Policy, 'maxTokens' | 'maxBytes'>;
  /** Called with one line when the store has to end the process. */
  readonly log?: (line: string) => void;
  /** Called with the number of writes that share a transaction. */
  readonly onBatch?: (operation: 'write', size: number) => void;
  /** Called once with the reason when writes start to be rejected, and with undefined when they are accepted again. */
  readonly onTrouble?: (trouble: string | undefined) => void;
}

/** LmdbStore is the embedded store: one LMDB environment in a directory that only this process uses. */
export interface LmdbStore extends Store {
  /** Identifies the data directory for its lifetime. */
  readonly clusterId: bigint;
  /** Returns the number of stored tokens, tombstones included. */
  tokens(): number;
  /** Returns their bytes, see `tokenBytes`. */
  bytes(): number;
  /** Whether the previous process was killed. */
  readonly followsKilled: boolean;
  /** Returns the bytes that can still be written. */
  room(): number;
}

/** Opens the store. Rejects with STORE_UNAVAILABLE if the directory cannot be used; the message says what to do. */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<LmdbStore> {
  const store = new OpenStore(await openDatabases(options.path), options);
  // Reports problems of the disk now. Existing data can be read regardless.
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
  readonly #reader: LmdbReader;
  readonly #admission: Admission;
  readonly #cache = new ClusterCache();
  #listener: (token: Token | undefined) => void = () => {};
  #closing: Promise<void> | undefined;
  #closed = false;
  /** The revision of the last transaction on disk. */
  #revision: Revision;
  #tokens: number;
  #counters: Databases['counters'];
  /** The transaction that is planned or in progress. */
  #draft: Draft;

  constructor(databases: Databases, options: LmdbStoreOptions) {
    this.clusterId = databases.clusterId;
    this.key = databases.key;
    this.followsKilled = databases.claim.followsKilled;
    this.#databases = databases;
    this.#admission = new Admission(options.policy);
    this.#reader = new LmdbReader(databases, () => this.#closing !== undefined);
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
      // After a failure nothing is assumed: everything is read again.
      failed: () => {
        this.#cache.clear();
        this.#draft = new Draft(databases, this.#counters);
      },
    };
    const fatal = (cause: string): never => {
      log(`the store has failed, and the service exits so that it can be restarted: ${cause}`);
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
    // The problem may be over, and no client writes to a service that is not ready.
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
    // A killed backup would keep the pages that it read from being reused.
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

  /** Returns the cluster as on disk. */
  #durable(token: Token): CachedCluster | undefined {
    this.#requireOpen();
    // LMDB may have committed changes that are not reported yet, but only of these tokens.
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
      throw storeRefusalOf(error).at(this.#draft.revision);
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
