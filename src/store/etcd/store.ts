import { type IEvent } from 'etcd3';
import { eventsAfter } from '../../discovery/bytes.ts';
import type { Event } from '../../discovery/change.ts';
import { shuttingDown } from '../../discovery/errors.ts';
import type { Policy } from '../../discovery/policy.ts';
import type { Decide, Store, View, Written } from '../../discovery/store.ts';
import { type Millis, type Revision, revision, type Token } from '../../discovery/types.ts';
import { bytesBound, closed, compacted } from '../refusals.ts';
import { Cache } from './cache.ts';
import { type EtcdAccess, EtcdConnection } from './client/connection.ts';
import { Health } from './client/health.ts';
import { versionOverHttp } from './client/http-version.ts';
import { Counts } from './counts.ts';
import { fillPlaces } from './fill-places.ts';
import { Histories } from './histories.ts';
import { type DataIdentity, identityBelow } from './identity.ts';
import { endingTokens, listStoredClusters, newestPlaces } from './list.ts';
import { Keys } from './log/keys.ts';
import { checkVersion, type FreePrefix } from './prefix.ts';
import { type CallCounter, EtcdReader } from './read.ts';
import { Sweeper } from './sweep/sweeper.ts';
import { WatchLoop } from './watch-loop.ts';
import { Writer } from './write.ts';
import { WriteProbe } from './write-probe.ts';

/** Tokens with own changes that etcd's watch has not reported yet. */
const OWN_CHANGES_KEPT = 100_000;

export interface EtcdStoreOptions extends EtcdAccess {
  /** The prefix of the keys, such as `/_etcd/registry`, without a trailing slash. */
  readonly prefix: string;
  /** What to do with an unused prefix. Default: take it. */
  readonly free?: FreePrefix;
  readonly policy: Pick<Policy, 'maxTokens' | 'maxBytes'>;
  /** Called with one line when etcd becomes unavailable and when it recovers. */
  readonly log?: (line: string) => void;
  /** Called with the number of reads or writes in one call to etcd. */
  readonly onBatch?: (operation: 'read' | 'write', size: number) => void;
}

/** EtcdStore is the store that several replicas share: an etcd cluster. */
export interface EtcdStore extends Store {
  /** Identifies the data below the prefix for its lifetime. All replicas have the same. */
  readonly clusterId: bigint;
  /** Returns the number of stored tokens, tombstones included. Those of other replicas appear with a short delay. */
  tokens(): number;
  /** Returns the bytes of the tokens in etcd, see `ByteCount`. */
  bytes(): number;
}

/** Opens the store. Rejects with STORE_UNAVAILABLE if etcd or the prefix is unusable; the message says what to do. */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<EtcdStore> {
  const connection = new EtcdConnection(options);
  try {
    const keys = new Keys(options.prefix);
    const identity = await identityBelow(connection, keys, options.prefix, options.free);
    const store = new OpenStore(connection, keys, identity, options);
    await store.start();
    return store;
  } catch (error) {
    connection.close();
    // An etcd too old for gRPC fails as if it were a different server.
    const version = await versionOverHttp(options);
    if (version !== undefined) checkVersion(version);
    throw error;
  }
}

class OpenStore implements EtcdStore {
  readonly clusterId: bigint;
  readonly key: Uint8Array;
  readonly #connection: EtcdConnection;
  readonly #keys: Keys;
  readonly #cache = new Cache();
  readonly #histories = new Histories();
  readonly #counts: Counts;
  readonly #health: Health;
  readonly #reader: EtcdReader;
  readonly #writer: Writer;
  readonly #sweeper: Sweeper;
  readonly #writeProbe: WriteProbe;
  /** Own changes already passed to the listener, by token, until the watch reports them too. */
  readonly #rung = new Map<Token, Revision>();
  #watch: WatchLoop | undefined;
  #listener: (token: Token | undefined) => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(connection: EtcdConnection, keys: Keys, identity: DataIdentity, options: EtcdStoreOptions) {
    this.clusterId = identity.clusterId;
    this.key = identity.key;
    this.#connection = connection;
    this.#keys = keys;
    this.#counts = new Counts(keys, options.policy.maxTokens);
    this.#health = new Health(options.log ?? (() => {}));
    const clock: CallCounter = { tick: 0 };
    const onBatch = options.onBatch ?? (() => {});
    const shared = { connection, keys, cache: this.#cache, clock, health: this.#health, onBatch };
    this.#reader = new EtcdReader(shared, () => this.#counts.tokens.count());
    this.#writer = new Writer({
      ...shared,
      reader: this.#reader,
      tokens: this.#counts.tokens,
      bytes: this.#counts.bytes,
      bound: bytesBound(options.policy.maxBytes),
      committed: (token, at) => this.#ring(token, at),
    });
    this.#writeProbe = new WriteProbe(connection, keys);
    this.#sweeper = new Sweeper(connection, keys, (token, at) => {
      this.#counts.tokens.did(-1, at);
      this.#cache.delete(token);
      this.#ring(token, at);
    });
  }

  /** Starts the watch. */
  async start(): Promise<void> {
    const after = await this.#counts.countTokens(this.#reader);
    this.#watch = new WatchLoop(
      {
        connection: this.#connection,
        span: this.#keys.clusters,
        health: this.#health,
        told: (events, at) => this.#told(events, at),
        missed: async () => {
          const at = await this.#counts.countTokens(this.#reader);
          this.#rung.clear();
          this.#listener(undefined);
          // The watch continues when this has returned.
          setImmediate(() => this.#readBytes());
          return at;
        },
      },
      after,
    );
    this.#readBytes();
    const isOver = (): boolean => this.#closing !== undefined;
    const filling = { connection: this.#connection, reader: this.#reader, keys: this.#keys, isOver };
    fillPlaces(filling).catch(() => {});
  }

  tokens(): number {
    return this.#counts.tokens.count();
  }

  bytes(): number {
    return this.#counts.bytes.count();
  }

  async ping(): Promise<void> {
    await this.revision();
    await this.#writeProbe.ask();
  }

  async revision(): Promise<Revision> {
    return (await this.#open().range(() => ({ key: this.#keys.format }))).revision;
  }

  async read(token: Token): Promise<View> {
    const { record, revision: at } = await this.#open().read(token);
    return { cluster: record?.cluster, revision: at };
  }

  write(token: Token, decide: Decide): Promise<Written> {
    if (this.#closing !== undefined) return Promise.reject(shuttingDown());
    return this.#writer.write(token, decide);
  }

  async events(token: Token, after: Revision, limit: number): Promise<readonly Event[]> {
    const { record, revision: at } = await this.#open().read(token);
    if (record === undefined || after >= record.cluster.modRevision) return [];
    if (after >= record.tailAfter || record.tail.length === record.head)
      return eventsAfter(record.tail, after, limit);
    let folded = this.#histories.upTo(token, record.cluster.modRevision);
    if (folded === undefined) {
      ({ folded } = await this.#reader.history(token));
      if (folded === undefined) return [];
      this.#histories.put(token, folded);
    }
    if (after < folded.after && folded.events.length < folded.record.head)
      throw compacted(after, { revision: at, compactRevision: folded.after });
    return eventsAfter(folded.events, after, limit);
  }

  readonly list: Store['list'] = async (...part) => listStoredClusters(this.#open(), this.#keys, ...part);
  readonly ending: Store['ending'] = async (...part) => endingTokens(this.#open(), this.#keys, ...part);
  readonly newest: Store['newest'] = async (...part) => newestPlaces(this.#open(), this.#keys, ...part);

  onCommit(listener: (token: Token | undefined) => void): void {
    this.#listener = listener;
  }

  async sweep(endedBefore: Millis, limit: number): Promise<number> {
    if (this.#closing !== undefined) throw shuttingDown();
    return this.#sweeper.sweep(endedBefore, limit);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#counts.stop();
    await this.#writer.idle();
    await this.#watch?.close();
    await this.#sweeper.close();
    // Pending reads then fail for this reason, not for an outage of etcd.
    this.#health.end();
    this.#connection.close();
  }

  #open(): EtcdReader {
    if (this.#closing !== undefined) throw closed();
    return this.#reader;
  }

  #readBytes(): void {
    this.#counts.readBytes(this.#reader, () => this.#watch?.revision ?? revision(0));
  }

  #told(events: readonly IEvent[], at: Revision): void {
    const changed = new Set<Token>();
    for (const { type, kv } of events) {
      const key = this.#keys.parseLog(kv.key);
      if (key === undefined) continue;
      const { token, number } = key;
      const made = revision(BigInt(kv.mod_revision));
      if (type === 'Put') {
        if (number > 0) this.#cache.follow(token, { number, value: kv.value, revision: made });
      } else if (number > 0) {
        // The changes removed with their token are reported by one event.
        continue;
      }
      if (this.#rung.get(token) === made) this.#rung.delete(token);
      else changed.add(token);
    }
    this.#counts.told(events, at);
    for (const token of changed) this.#listener(token);
  }

  /** Reports an own change. The watch reports it later, or already has. */
  #ring(token: Token, at: Revision): void {
    if (this.#watch !== undefined && this.#watch.revision >= at) return;
    // They accumulate while the watch is down. Without them, a watcher only makes one unnecessary read.
    if (this.#rung.size >= OWN_CHANGES_KEPT) this.#rung.clear();
    this.#rung.set(token, at);
    this.#listener(token);
  }
}
