import { ANYONE, authorize, authorizeMaker, authorizeOperator, type Caller } from './access.ts';
import { requireKnown, requireListed } from './cluster.ts';
import {
  decideDelete,
  decideDeregister,
  decideRegister,
  decideReopen,
  type RegisterCommand,
  takesOut,
} from './decide.ts';
import { type CreateCommand, decideCreate } from './decide-create.ts';
import { DiscoveryError } from './errors.ts';
import { type ListPage, type ListQuery, listClusters } from './list-clusters.ts';
import type { Policy } from './policy.ts';
import { RetryClock } from './retry-clock.ts';
import type { Decide, Store, View, Written } from './store.ts';
import { Topics } from './topics.ts';
import type { Access, Cluster, Member } from './types.ts';
import { type MemberId, type Millis, millis, type Revision, type Token, type Ttl } from './types.ts';
import { type WatchItem, watch } from './watch.ts';

/** Clusters deleted in one transaction. It takes a few ms, so that calls are not delayed. */
const SWEPT_TOGETHER = 100;

/** KnownView is a view of a cluster that exists. */
export interface KnownView extends View {
  readonly cluster: NonNullable<View['cluster']>;
}

export interface Registered extends Written {
  readonly member: Member;
  /** The member before a replacement. */
  readonly previous: Member | undefined;
  readonly outcome: 'CREATED' | 'REPLACED' | 'UNCHANGED';
  /** The rank of the member, starting at 1. Above the cluster's size it is a standby. */
  readonly rank: number;
}

export interface Deregistered extends Written {
  readonly member: Member;
  /** The rank that the member had, starting at 1. */
  readonly rank: number;
}

/**
 * Discovery implements the use cases over one store. Every method rejects with a DiscoveryError:
 * UNAUTHENTICATED or FORBIDDEN if the caller lacks the access.
 */
export class Discovery {
  readonly policy: Policy;
  /** See `repeatingIssuer`. */
  readonly key: Uint8Array;
  readonly now: () => Millis;
  readonly #store: Store;
  readonly #topics = new Topics();
  readonly #retries: RetryClock;
  #closing = false;

  /** `steady` returns milliseconds of a monotonic clock. */
  constructor(
    store: Store,
    policy: Policy,
    now: () => Millis = () => millis(Date.now()),
    steady: () => number = () => performance.now(),
  ) {
    this.#store = store;
    this.policy = policy;
    this.key = store.key;
    this.now = now;
    this.#retries = new RetryClock(now, steady);
    // Deferred by one turn, so that the writer gets its response before the work for the watchers starts.
    store.onCommit((token) => setImmediate(() => this.#topics.ring(token)));
  }

  /** Returns the store's revision. For callers that may use unguarded tokens. */
  async revision(caller: Caller = ANYONE): Promise<Revision> {
    const revision = await this.#store.revision();
    authorize(undefined, 'READ', caller, revision);
    return revision;
  }

  async createToken(command: CreateCommand, caller: Caller = ANYONE): Promise<Written> {
    authorizeMaker(caller);
    return this.#store.write(command.token, (cluster) =>
      decideCreate(cluster, command, this.now(), this.policy.retention),
    );
  }

  /** Returns the cluster in any state, tombstones included. */
  getCluster(token: Token, caller: Caller = ANYONE): Promise<KnownView> {
    return this.#store.read(token).then(({ cluster, revision }) => {
      authorize(cluster?.locks, 'READ', caller, revision);
      return { cluster: requireKnown(cluster, revision), revision };
    });
  }

  /**
   * Returns the cluster with its members until it is forgotten. Callers that want to join pass `requireLive`.
   */
  listMembers(token: Token, caller: Caller = ANYONE, which = requireListed): Promise<KnownView> {
    return this.#store.read(token).then(({ cluster, revision }) => {
      authorize(cluster?.locks, 'READ', caller, revision);
      return { cluster: which(cluster, this.now(), revision), revision };
    });
  }

  /** A registration that removes another one requires the access for a removal. A retry removes nothing. */
  async register(token: Token, command: RegisterCommand, caller: Caller = ANYONE): Promise<Registered> {
    const written = await this.#change(token, 'JOIN', caller, (cluster) => {
      if (takesOut(cluster, command)) authorize(cluster?.locks, 'ADMINISTER', caller);
      return decideRegister(cluster, command, this.now(), this.#retries.timeFor(token, command.id));
    });
    if (written.changed) this.#retries.registered(token, command.id);
    const { members } = written.cluster;
    // A new member is the last one.
    const rank = members.findLastIndex((member) => member.id === command.id) + 1;
    const member = members[rank - 1];
    if (member === undefined) throw new TypeError('the store lost a member that it had registered');
    const outcome = written.changed ? (member.version === 1 ? 'CREATED' : 'REPLACED') : 'UNCHANGED';
    const previous =
      outcome === 'REPLACED' ? written.before?.members.find(({ id }) => id === command.id) : undefined;
    return { member, previous, outcome, rank, ...written };
  }

  async deregister(
    token: Token,
    id: MemberId,
    expected: Revision | undefined,
    caller: Caller = ANYONE,
  ): Promise<Deregistered> {
    const written = await this.#change(token, 'ADMINISTER', caller, (cluster) =>
      decideDeregister(cluster, id, expected, this.now()),
    );
    const rank = (written.before?.members ?? []).findIndex((each) => each.id === id) + 1;
    const member = written.before?.members[rank - 1];
    if (member === undefined) throw new TypeError('the store removed a member that did not exist');
    return { ...written, member, rank };
  }

  deleteToken(token: Token, caller: Caller = ANYONE): Promise<Written> {
    return this.#change(token, 'ADMINISTER', caller, (cluster) => decideDelete(cluster, this.now()));
  }

  reopenToken(token: Token, ttl: Ttl, caller: Caller = ANYONE): Promise<Written> {
    return this.#change(token, 'ADMINISTER', caller, (cluster) => decideReopen(cluster, ttl, this.now()));
  }

  /** For operators only. See `listClusters`. */
  async listClusters(query: ListQuery, caller: Caller = ANYONE): Promise<ListPage> {
    authorizeOperator(caller);
    return listClusters(this.#store, query, this.now());
  }

  #change(token: Token, access: Access, caller: Caller, decide: Decide): Promise<Written> {
    return this.#store.write(token, (cluster) => {
      authorize(cluster?.locks, access, caller);
      try {
        return decide(cluster);
      } catch (thrown) {
        throw thrown instanceof DiscoveryError && cluster !== undefined ? thrown.within(cluster) : thrown;
      }
    });
  }

  /** See `watch`. Throws SHUTTING_DOWN if the service is stopping or stops during the watch. */
  watch(
    token: Token,
    after: Revision | undefined,
    signal: AbortSignal,
    caller: Caller = ANYONE,
  ): AsyncGenerator<WatchItem, void, undefined> {
    const context = { store: this.#store, topics: this.#topics, now: this.now, closing: () => this.#closing };
    return watch(context, token, after, signal, caller);
  }

  /** Returns the number of open watches. */
  watchers(): number {
    return this.#topics.count();
  }

  /** Returns the clusters whose tokens expired in [from, until), earliest first, at most `limit`. */
  async expired(from: Millis, until: Millis, limit: number): Promise<readonly Cluster[]> {
    const tokens = await this.#store.ending(from, until, limit);
    const views = await Promise.all(tokens.map((token) => this.#store.read(token)));
    return views
      .flatMap(({ cluster }) => cluster ?? [])
      .filter(
        ({ deleteTime, expireTime }) => deleteTime === undefined && expireTime >= from && expireTime < until,
      );
  }

  /** Deletes the clusters that ended longer than the retention time ago, in batches. Returns their number. */
  async sweep(): Promise<number> {
    const endedBefore = millis(this.now() - this.policy.retention);
    let total = 0;
    while (!this.#closing) {
      const swept = await this.#store.sweep(endedBefore, SWEPT_TOGETHER);
      total += swept;
      if (swept < SWEPT_TOGETHER) break;
    }
    return total;
  }

  /** Ends every watch with SHUTTING_DOWN. Calls in progress finish. */
  stopWatches(): void {
    this.#closing = true;
    this.#topics.ring(undefined);
  }
}
