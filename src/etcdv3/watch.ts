import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { Cluster } from '../../gen/discovery/v1/cluster_pb.ts';
import {
  type WatchCreateRequest,
  type WatchRequest,
  type WatchResponse,
  WatchResponseSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { type DiscoveryClient, present } from '../etcd/client.ts';
import { compacted, detailOf, outside, reasonOf, refusal } from './errors.ts';
import { header, type Identity } from './header.ts';
import { parseSpan, type Span } from './keys.ts';
import { LIMITS } from './limits.ts';
import { Outbox } from './outbox.ts';
import { type Happening, Watcher } from './watcher.ts';

/** The id in answers that are about no watch, or about all of them. */
const NO_WATCH = -1n;

/** One stream of a client, with all of its watches. */
export class WatchStream {
  readonly #client: DiscoveryClient;
  readonly #identity: Identity;
  readonly #watchers = new Map<bigint, Watcher>();
  readonly #outbox = new Outbox<WatchResponse>();
  #nextId = 0n;
  /** A question for progress that waits for a watcher to catch up, by the revision that it must have seen. */
  #awaited: { readonly revision: bigint; readonly targets: ReadonlyMap<Watcher, bigint> } | undefined;

  constructor(client: DiscoveryClient, identity: Identity) {
    this.#client = client;
    this.#identity = identity;
  }

  /** The answers. Ends with the requests or the signal; fails when the service stops, so that clients return. */
  async *answers(requests: AsyncIterable<WatchRequest>, signal: AbortSignal): AsyncGenerator<WatchResponse> {
    const end = (): void => this.#end();
    signal.addEventListener('abort', end, { once: true });
    this.#take(requests).then(end, end);
    try {
      yield* this.#outbox.items();
    } finally {
      signal.removeEventListener('abort', end);
      this.#end();
    }
  }

  /** Tells the watches that asked for it how far they have come. */
  async notifyProgress(): Promise<void> {
    for (const watcher of this.#watchers.values()) {
      if (!watcher.wantsProgress) continue;
      const { modRevision, revision } = await this.#stateOf(watcher.span.token);
      if (watcher.delivered >= modRevision) await this.#send(watcher.id, revision, {});
    }
  }

  #end(failure?: Error): void {
    for (const watcher of this.#watchers.values()) watcher.stop();
    this.#watchers.clear();
    this.#outbox.end(failure);
  }

  async #take(requests: AsyncIterable<WatchRequest>): Promise<void> {
    for await (const { requestUnion } of requests) {
      switch (requestUnion.case) {
        case 'createRequest':
          await this.#create(requestUnion.value);
          break;
        case 'cancelRequest':
          await this.#cancel(requestUnion.value.watchId);
          break;
        case 'progressRequest':
          await this.#progress();
          break;
        case undefined:
          break;
      }
    }
  }

  async #create(request: WatchCreateRequest): Promise<void> {
    const span = parseSpan(request.key, request.rangeEnd);
    if (span === undefined) return this.#refuse(outside().rawMessage, 0n);
    if (this.#watchers.size >= LIMITS.watchesPerStream) {
      return this.#refuse(`a stream carries at most ${LIMITS.watchesPerStream} watches; open another`, 0n);
    }
    const id = request.watchId === 0n ? this.#newId() : request.watchId;
    if (this.#watchers.has(id)) return this.#refuse(`the watch id ${id} is taken on this stream`, 0n);
    let found: { cluster: Cluster; revision: bigint };
    try {
      const { cluster, revision } = await this.#client.getCluster({ token: span.token });
      found = { cluster: present(cluster), revision };
    } catch (thrown) {
      return this.#refuse(refusal(thrown).rawMessage, detailOf(thrown)?.revision ?? 0n);
    }
    await this.#start(id, span, request, found);
  }

  async #start(
    id: bigint,
    span: Span,
    request: WatchCreateRequest,
    { cluster, revision }: { cluster: Cluster; revision: bigint },
  ): Promise<void> {
    const watcher = new Watcher(id, span, request, cluster, revision);
    this.#watchers.set(id, watcher);
    await this.#send(id, revision, { created: true });
    const deliver = ({ revision, events }: Happening): Promise<void> =>
      watcher.stopped ? Promise.resolve() : this.#send(id, revision, { events: [...events] });
    watcher
      .run(this.#client, deliver, () => this.#answerProgress())
      .then(
        () => this.#ended(watcher, 'the token was deleted'),
        (thrown: unknown) => this.#failed(watcher, thrown),
      );
  }

  async #failed(watcher: Watcher, thrown: unknown): Promise<void> {
    const reason = reasonOf(thrown);
    if (reason === 'SHUTTING_DOWN' || reason === 'STORE_UNAVAILABLE') return this.#end(refusal(thrown));
    if (reason !== 'REVISION_COMPACTED') return this.#ended(watcher, refusal(thrown).rawMessage);
    const compactRevision = detailOf(thrown)?.compactRevision ?? 0n;
    return this.#ended(watcher, compacted().rawMessage, compactRevision);
  }

  /** Tells that a watch is over; says nothing of one that its client has ended. */
  async #ended(watcher: Watcher, cancelReason: string, compactRevision = 0n): Promise<void> {
    if (watcher.stopped) return;
    this.#forget(watcher);
    await this.#send(watcher.id, watcher.delivered, { canceled: true, cancelReason, compactRevision });
  }

  async #cancel(id: bigint): Promise<void> {
    const watcher = this.#watchers.get(id);
    if (watcher === undefined) return;
    this.#forget(watcher);
    await this.#send(id, watcher.delivered, { canceled: true });
  }

  #forget(watcher: Watcher): void {
    watcher.stop();
    this.#watchers.delete(watcher.id);
    this.#answerProgress();
  }

  /** Answers once every watch has delivered what had happened when the question came. */
  async #progress(): Promise<void> {
    const targets = new Map<Watcher, bigint>();
    let common: bigint | undefined;
    for (const watcher of this.#watchers.values()) {
      const { modRevision, revision } = await this.#stateOf(watcher.span.token);
      targets.set(watcher, modRevision);
      if (common === undefined || revision < common) common = revision;
    }
    if (common === undefined) return;
    this.#awaited = { revision: common, targets };
    this.#answerProgress();
  }

  #answerProgress(): void {
    if (this.#awaited === undefined) return;
    const { revision, targets } = this.#awaited;
    for (const [watcher, target] of targets) if (!watcher.stopped && watcher.delivered < target) return;
    this.#awaited = undefined;
    void this.#send(NO_WATCH, revision, {});
  }

  /** The revisions of a token's latest change and of the store; zeros when the token is gone. */
  async #stateOf(token: string): Promise<{ modRevision: bigint; revision: bigint }> {
    try {
      const { cluster, revision } = await this.#client.getCluster({ token });
      return { modRevision: present(cluster).modRevision, revision };
    } catch (thrown) {
      return { modRevision: 0n, revision: detailOf(thrown)?.revision ?? 0n };
    }
  }

  /** etcd answers a watch that it does not begin as created and cancelled at once. */
  #refuse(cancelReason: string, revision: bigint): Promise<void> {
    return this.#send(NO_WATCH, revision, { created: true, canceled: true, cancelReason });
  }

  #newId(): bigint {
    while (this.#watchers.has(this.#nextId)) this.#nextId += 1n;
    return this.#nextId++;
  }

  #send(
    watchId: bigint,
    revision: bigint,
    fields: MessageInitShape<typeof WatchResponseSchema>,
  ): Promise<void> {
    const response = create(WatchResponseSchema, fields);
    response.watchId = watchId;
    response.header = header(this.#identity, revision);
    return this.#outbox.put(response);
  }
}
