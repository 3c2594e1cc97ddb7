import { type Cluster, ClusterState } from '../../gen/discovery/v1/cluster_pb.ts';
import {
  type WatchCreateRequest,
  WatchCreateRequest_FilterType,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { Event } from '../../gen/etcd/mvccpb/kv_pb.ts';
import type { DiscoveryClient } from '../etcd/client.ts';
import { takesFromNodes } from '../etcd/cut.ts';
import { finalEvents } from './final.ts';
import { contains, type KeySpan } from './keys.ts';
import { changesOf, eventOf, type KeyChange, madeChange } from './kvs.ts';
import { isNodeWatch } from './node-watch.ts';

/** Happening is the events of one revision that a watcher delivers. */
export interface Happening {
  readonly revision: bigint;
  readonly events: readonly Event[];
}

/** Watcher is one watch: the changes of a cluster as events of the keys in its span. */
export class Watcher {
  readonly id: bigint;
  readonly span: KeySpan;
  readonly wantsProgress: boolean;
  /** Whether it is an etcd node that waits for its members. */
  readonly isNode: boolean;
  /** The fields of the request that are still needed. Its keys would hold the memory of the whole message. */
  readonly #startRevision: bigint;
  readonly #filters: WatchCreateRequest['filters'];
  readonly #prevKv: boolean;
  readonly #cluster: Cluster;
  readonly #abort = new AbortController();
  readonly #begun: bigint;
  #revision: bigint;
  #delivered: bigint;
  #seen: bigint;

  /**
   * `revision` is the store's when the cluster was read: a watch without a start revision begins after it.
   */
  constructor(id: bigint, span: KeySpan, request: WatchCreateRequest, cluster: Cluster, revision: bigint) {
    this.id = id;
    this.span = span;
    this.wantsProgress = request.progressNotify;
    this.isNode = isNodeWatch(span, request);
    this.#startRevision = request.startRevision;
    this.#filters = request.filters;
    this.#prevKv = request.prevKv;
    this.#cluster = cluster;
    this.#begun = revision;
    this.#revision = revision;
    this.#seen = cluster.modRevision;
    this.#delivered = request.startRevision > 0n ? request.startRevision - 1n : revision;
  }

  /** Returns the latest revision of the store that the watch knows of. */
  get revision(): bigint {
    return this.#revision;
  }

  /** Returns the revision up to which every change was delivered or was not requested. */
  get delivered(): bigint {
    return this.#delivered;
  }

  /**
   * Returns the latest change of the cluster that the watch knows of, whether or not it was to be delivered.
   */
  get seen(): bigint {
    return this.#seen;
  }

  /** Whether the watch starts after a revision. */
  startsAfter(revision: bigint): boolean {
    return this.#startRevision > revision;
  }

  /**
   * Whether this is the watch of a node from another store, or from this one before it was restored: only
   * such a node starts after a revision that the store has not reached. Its count is unknown here.
   */
  get isStrayNode(): boolean {
    return this.isNode && this.#startRevision - 1n > this.#begun;
  }

  stop(): void {
    // With a reason, because creating the default error of an abort takes long.
    this.#abort.abort('the watch is over');
  }

  get stopped(): boolean {
    return this.#abort.signal.aborted;
  }

  /**
   * Delivers the events in order, waiting until each is taken. Ends when the watch is stopped and when the
   * token is deleted. Rejects with the service's error.
   */
  async run(
    client: DiscoveryClient,
    deliver: (happening: Happening) => Promise<void>,
    onDelivered: () => void,
  ): Promise<void> {
    const { createRevision, modRevision } = this.#cluster;
    // Other clients get an error for a revision that the store has not reached, and read again.
    const afterRevision = this.isStrayNode ? this.#begun : this.#delivered;
    const tellMade = async (): Promise<void> => {
      if (this.#delivered >= createRevision) return;
      await this.#tell([madeChange(this.span, this.#cluster)], createRevision, deliver);
    };
    // Otherwise changes follow, or the error that they are no longer stored, before anything is delivered.
    if (modRevision === createRevision) await tellMade();
    const { token } = this.span;
    // A node that watches from before a cut receives only the final members from there on.
    let isStale = this.isStrayNode;
    let isTold = isStale && this.#cluster.state === ClusterState.COMPLETE;
    if (isTold) await this.#tellFinal(client, deliver);
    const messages = client.watchMembers({ token, afterRevision }, { signal: this.#abort.signal });
    for await (const { update } of messages) {
      if (this.stopped) return;
      if (update.case !== 'event') continue;
      if (update.value.revision > this.#seen) this.#seen = update.value.revision;
      isStale ||= this.isNode && takesFromNodes(update.value);
      if (isStale) {
        if (isTold || update.value.state !== ClusterState.COMPLETE) continue;
        isTold = true;
        await this.#tellFinal(client, deliver);
        continue;
      }
      await tellMade();
      await this.#tell(changesOf(this.span, this.#cluster, update.value), update.value.revision, deliver);
      onDelivered();
    }
  }

  /**
   * Returns a deletion of the span's first key, with the reason why no more changes come as its value. A node
   * logs this text, and cannot take it for a member, as it would any text with an equals sign.
   */
  farewell(reason: string, revision: bigint): Event[] {
    const change: KeyChange = { key: this.span.from, now: undefined, before: undefined };
    if (!this.#isWanted(change)) return [];
    const event = eventOf(change, revision, { prevKv: false });
    if (event.kv !== undefined) event.kv.value = Buffer.from(reason.replaceAll('=', ' '));
    return [event];
  }

  async #tellFinal(client: DiscoveryClient, deliver: (happening: Happening) => Promise<void>): Promise<void> {
    const { members } = await client.listMembers({ token: this.span.token, refuseExpired: true });
    const revision = this.#startRevision - 1n;
    await deliver({ revision, events: finalEvents(this.span, members, revision) });
  }

  async #tell(
    changes: readonly KeyChange[],
    revision: bigint,
    deliver: (happening: Happening) => Promise<void>,
  ): Promise<void> {
    const events = changes
      .filter((change) => contains(this.span, change.key) && this.#isWanted(change))
      .map((change) => eventOf(change, revision, { prevKv: this.#prevKv }));
    if (revision > this.#revision) this.#revision = revision;
    if (events.length > 0) await deliver({ revision, events });
    if (revision > this.#delivered) this.#delivered = revision;
  }

  #isWanted({ now }: KeyChange): boolean {
    const unwanted =
      now === undefined ? WatchCreateRequest_FilterType.NODELETE : WatchCreateRequest_FilterType.NOPUT;
    return !this.#filters.includes(unwanted);
  }
}
