import { writeSync } from 'node:fs';
import { type Applied, apply, type Event } from '../../discovery/change.ts';
import { type Cluster, endTime } from '../../discovery/cluster.ts';
import { DiscoveryError } from '../../discovery/errors.ts';
import { LIMITS, type Policy } from '../../discovery/limits.ts';
import { type Millis, type Revision, revision, type Token } from '../../discovery/model.ts';
import type { Decide, Store, View, Written } from '../../discovery/store.ts';
import { Batches, type Plan } from './batch.ts';
import {
  compactRevisionOf,
  damaged,
  decodeCluster,
  decodeEvent,
  decodeStoredCluster,
  encodeCluster,
  encodeEvent,
} from './codec.ts';
import { readFault, unavailable } from './fault.ts';
import { type Databases, openDatabases } from './open.ts';

export interface LmdbStoreOptions {
  /** The data directory; made when it is not there. */
  readonly path: string;
  readonly policy: Pick<Policy, 'maxTokens'>;
  /** Told in one line why the store ends the process. */
  readonly log?: (line: string) => void;
}

/** The embedded store: one LMDB environment in a directory that this process has to itself. */
export interface LmdbStore extends Store {
  /** Names the data directory, for as long as it lives. */
  readonly clusterId: bigint;
}

/** Rejects with STORE_UNAVAILABLE when the directory cannot be used; the text says what to do. */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<LmdbStore> {
  return new OpenStore(await openDatabases(options.path), options);
}

/** Puts and removals of one transaction of the sweep, so that it holds other calls up for a few ms. */
const SWEEP_STEPS = 1000;

class OpenStore implements LmdbStore {
  readonly clusterId: bigint;
  readonly #databases: Databases;
  readonly #batches: Batches;
  readonly #maxTokens: number;
  #listener: (token: Token | undefined) => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(databases: Databases, options: LmdbStoreOptions) {
    this.clusterId = databases.clusterId;
    this.#databases = databases;
    this.#maxTokens = options.policy.maxTokens;
    const log = options.log ?? ((line: string) => writeSync(2, `${line}\n`));
    this.#batches = new Batches(databases.env, options.path, (cause) => {
      log(`the store has failed, and the service ends so that it is started again: ${cause}`);
      process.exit(1);
    });
  }

  async read(token: Token): Promise<View> {
    try {
      // No await in between: both come from one read transaction.
      const stored = this.#databases.clusters.get(token);
      const at = this.#revision();
      return { cluster: stored === undefined ? undefined : decodeCluster(token, stored), revision: at };
    } catch (error) {
      throw this.#readFault(error);
    }
  }

  async write(token: Token, decide: Decide): Promise<Written> {
    const written = await this.#batches.submit(() => this.#plan(token, decide));
    if (written.changed) this.#listener(token);
    return written;
  }

  async events(token: Token, after: Revision, limit: number): Promise<readonly Event[]> {
    try {
      const stored = this.#databases.clusters.get(token);
      const now = this.#revision();
      if (stored === undefined || after >= now) return [];
      if (after < compactRevisionOf(stored)) {
        throw new DiscoveryError(
          'REVISION_COMPACTED',
          `the changes after revision ${after} are no longer all held; watch again without a revision, which begins with the members as they are`,
          { revision: now, compactRevision: revision(compactRevisionOf(stored)) },
        );
      }
      const range = { start: [token, Number(after) + 1], end: [token, Number(now) + 1], limit };
      const events: Event[] = [];
      for (const { key, value } of this.#databases.events.getRange(range)) {
        events.push(decodeEvent(revision(key[1]), value));
      }
      return events;
    } catch (error) {
      throw this.#readFault(error);
    }
  }

  async list(after: Token | undefined, limit: number): Promise<readonly Cluster[]> {
    try {
      const from = after === undefined ? {} : { start: after, exclusiveStart: true };
      const list: Cluster[] = [];
      for (const { key, value } of this.#databases.clusters.getRange({ ...from, limit })) {
        list.push(decodeCluster(key as Token, value));
      }
      return list;
    } catch (error) {
      throw this.#readFault(error);
    }
  }

  onCommit(listener: (token: Token | undefined) => void): void {
    this.#listener = listener;
  }

  async sweep(endedBefore: Millis, limit: number): Promise<number> {
    let swept = 0;
    while (swept < limit) {
      const round = await this.#batches.submit(() => this.#planSweep(endedBefore, limit - swept));
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
    await this.#databases.env.close();
    await this.#databases.claim.close();
  }

  #revision(): Revision {
    const counter = this.#databases.meta.get('revision');
    if (typeof counter !== 'number') throw damaged('the revision counter is missing');
    return revision(counter);
  }

  #readFault(error: unknown): DiscoveryError {
    if (this.#closing !== undefined) return unavailable('the store is closed', error);
    // An error in a read transaction would stay with the reads of other tokens that share it.
    if (!(error instanceof DiscoveryError)) this.#databases.env.resetReadTxn();
    return readFault(error);
  }

  #plan(token: Token, decide: Decide): Plan<Written> {
    const record = this.#databases.clusters.get(token);
    const stored = record === undefined ? undefined : decodeStoredCluster(token, record);
    const before = stored?.cluster;
    const now = this.#revision();
    const next = revision(now + 1n);
    const applied = this.#decided(decide, before, now, next);
    if (applied === undefined) {
      if (before === undefined) throw bug(new TypeError('nothing was decided for a token that is not there'));
      return { result: { cluster: before, before, revision: now, changed: false } };
    }
    const { cluster, event } = applied;
    const result = { cluster, before, revision: next, changed: true };
    const kept = { compactRevision: stored?.compactRevision ?? 0, eventCount: stored?.eventCount ?? 0 };
    return { result, commit: () => this.#put(cluster, before, kept, event) };
  }

  #decided(decide: Decide, before: Cluster | undefined, now: Revision, next: Revision): Applied | undefined {
    try {
      const change = decide(before);
      if (change?.type === 'CREATED' && this.#tokens() >= this.#maxTokens) throw this.#tooManyTokens();
      return change === undefined ? undefined : apply(before, change, next);
    } catch (error) {
      throw error instanceof DiscoveryError ? error.at(now) : bug(error);
    }
  }

  #tooManyTokens(): DiscoveryError {
    return new DiscoveryError(
      'TOO_MANY_TOKENS',
      `the service holds ${this.#maxTokens} tokens, as many as its operator allows; try again when old ones have ended`,
    );
  }

  #tokens(): number {
    return (this.#databases.clusters.getStats() as { entryCount: number }).entryCount;
  }

  #put(
    cluster: Cluster,
    before: Cluster | undefined,
    kept: { compactRevision: number; eventCount: number },
    event: Event | undefined,
  ): void {
    const { clusters, meta, events, ends } = this.#databases;
    const { token } = cluster;
    let { compactRevision, eventCount } = kept;
    if (event !== undefined) {
      void events.put([token, Number(event.revision)], encodeEvent(event));
      eventCount += 1;
      if (eventCount > LIMITS.eventsPerToken) {
        const [oldest] = [...events.getKeys({ start: [token, 0], limit: 1 })];
        if (oldest?.[0] !== token) throw damaged('events of a token are missing');
        void events.remove(oldest);
        compactRevision = oldest[1];
        eventCount -= 1;
      }
    }
    void clusters.put(token, encodeCluster({ cluster, compactRevision, eventCount }));
    void meta.put('revision', Number(cluster.modRevision));
    const end = endTime(cluster);
    if (before !== undefined) {
      if (end === endTime(before)) return;
      void ends.remove([endTime(before), token]);
    }
    void ends.put([end, token], true);
  }

  #planSweep(endedBefore: Millis, limit: number): Plan<Token[]> {
    const { clusters, events, ends } = this.#databases;
    const tokens: Token[] = [];
    const removals: Array<() => void> = [];
    for (const end of ends.getKeys({ start: [0, ''], end: [endedBefore, ''], limit })) {
      const token = end[1];
      removals.push(() => void ends.remove(end));
      if (clusters.doesExist(token)) {
        removals.push(() => void clusters.remove(token));
        for (const key of events.getKeys({ start: [token, 0], end: [token, Number.MAX_VALUE] })) {
          removals.push(() => void events.remove(key));
        }
      }
      tokens.push(token);
      if (removals.length >= SWEEP_STEPS) break;
    }
    return { result: tokens, commit: () => removals.forEach((remove) => remove()) };
  }
}

function bug(error: unknown): DiscoveryError {
  const detail = error instanceof Error ? error.message : String(error);
  return new DiscoveryError('INTERNAL', `the service has a bug, please report it: ${detail}`, {
    cause: error,
  });
}
