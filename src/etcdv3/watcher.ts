import { type Cluster, ClusterState } from '../../gen/discovery/v1/cluster_pb.ts';
import {
  type WatchCreateRequest,
  WatchCreateRequest_FilterType,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { Event } from '../../gen/etcd/mvccpb/kv_pb.ts';
import type { DiscoveryClient } from '../etcd/client.ts';
import { takesFromNodes } from '../etcd/cut.ts';
import { finalEvents } from './final.ts';
import { contains, type Span } from './keys.ts';
import { changesOf, eventOf, type KeyChange, madeChange } from './kvs.ts';
import { isNodeWatch } from './node-watch.ts';

/** What a watcher has to say: events of one revision. */
export interface Happening {
  readonly revision: bigint;
  readonly events: readonly Event[];
}

/** One watch: the changes of a cluster as events of the keys in its span. */
export class Watcher {
  readonly id: bigint;
  readonly span: Span;
  readonly wantsProgress: boolean;
  /** Whether it is an etcd node that waits for its members. */
  readonly isNode: boolean;
  readonly #request: WatchCreateRequest;
  readonly #cluster: Cluster;
  readonly #abort = new AbortController();
  readonly #begun: bigint;
  #revision: bigint;
  #delivered: bigint;
  #seen: bigint;

  /** `revision` is the store's when the cluster was read: a watch without a start begins after it. */
  constructor(id: bigint, span: Span, request: WatchCreateRequest, cluster: Cluster, revision: bigint) {
    this.id = id;
    this.span = span;
    this.wantsProgress = request.progressNotify;
    this.isNode = isNodeWatch(span, request);
    this.#request = request;
    this.#cluster = cluster;
    this.#begun = revision;
    this.#revision = revision;
    this.#seen = cluster.modRevision;
    this.#delivered = request.startRevision > 0n ? request.startRevision - 1n : revision;
  }

  /** The latest revision that the watch knows the store to have had. */
  get revision(): bigint {
    return this.#revision;
  }

  /** Every change of the cluster up to here was delivered, or was not asked for. */
  get delivered(): bigint {
    return this.#delivered;
  }

  /** The latest change of the cluster that the watch knows of, whether it was to be told or not. */
  get seen(): bigint {
    return this.#seen;
  }

  /** Whether the watch begins after a revision. */
  startsAfter(revision: bigint): boolean {
    return this.#request.startRevision > revision;
  }

  /**
   * Whether it is the watch of a node that comes from another store, or from this one before it was restored: nobody
   * else begins behind a revision that the store has not reached. What the node has counted is not known here.
   */
  get isStrayNode(): boolean {
    return this.isNode && this.#request.startRevision - 1n > this.#begun;
  }

  stop(): void {
    // With a reason, as making the error of an abort without one takes long.
    this.#abort.abort('the watch is over');
  }

  get stopped(): boolean {
    return this.#abort.signal.aborted;
  }

  /**
   * Hands over what happens, in order, waiting until each is taken. Ends when the watch is stopped and when
   * the token is deleted; rejects with what the service refuses.
   */
  async run(
    client: DiscoveryClient,
    deliver: (happening: Happening) => Promise<void>,
    onDelivered: () => void,
  ): Promise<void> {
    const { createRevision, modRevision } = this.#cluster;
    // Another than a node is refused a revision that the store has not reached, and reads anew.
    const afterRevision = this.isStrayNode ? this.#begun : this.#delivered;
    const tellMade = async (): Promise<void> => {
      if (this.#delivered >= createRevision) return;
      await this.#tell([madeChange(this.span, this.#cluster)], createRevision, deliver);
    };
    // Otherwise changes follow, or the refusal of those that are no longer held, before which nothing is told.
    if (modRevision === createRevision) await tellMade();
    const { token } = this.span;
    // A node that watches from before a cut is told nothing from there on but the members in the end.
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
   * The deletion of where the span begins, with the reason why no more changes come as its value: a node logs
   * what it is told and cannot take for a member, which any text with an equals sign would be.
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
    const revision = this.#request.startRevision - 1n;
    await deliver({ revision, events: finalEvents(this.span, members, revision) });
  }

  async #tell(
    changes: readonly KeyChange[],
    revision: bigint,
    deliver: (happening: Happening) => Promise<void>,
  ): Promise<void> {
    const events = changes
      .filter((change) => contains(this.span, change.key) && this.#isWanted(change))
      .map((change) => eventOf(change, revision, this.#request));
    if (revision > this.#revision) this.#revision = revision;
    if (events.length > 0) await deliver({ revision, events });
    if (revision > this.#delivered) this.#delivered = revision;
  }

  #isWanted({ now }: KeyChange): boolean {
    const unwanted =
      now === undefined ? WatchCreateRequest_FilterType.NODELETE : WatchCreateRequest_FilterType.NOPUT;
    return !this.#request.filters.includes(unwanted);
  }
}
