import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type WatchCreateRequest,
  type WatchRequest,
  type WatchResponse,
  WatchResponseSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { reasonOf, refusalOf } from '../client/refusal.ts';
import type { LocalClient } from '../etcd/client.ts';
import { V3_LIMITS } from '../limits.ts';
import { compactedError, isAway, refusal } from './errors.ts';
import { header } from './header.ts';
import type { KeySpan } from './keys.ts';
import type { WatchStreamOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import { Pace } from './pace.ts';
import { progressOf, statesOf } from './progress.ts';
import { ProgressRequests } from './progress-requests.ts';
import { ReadableRequests } from './readable-requests.ts';
import { farewellRevision, isStillExpired, isTokenGone, refusalNow, strayFarewell } from './token-end.ts';
import { clusterToWatch, type Found, spanToWatch } from './watch-request.ts';
import { type Happening, Watcher } from './watcher.ts';

/** The watch ID of responses about no watch, or about all. */
const NO_WATCH = -1n;
/** How long a node's watch waits before it checks again for a free place, in ms. */
const ROOM_PAUSE_MS = 1000;
/** How long a watch waits before it checks again whether its expired token was reopened, in ms. */
const EXPIRED_PAUSE_MS = 15_000;

/** WatchStream is one stream of a client, with all of its watches. */
export class WatchStream {
  readonly #client: LocalClient;
  readonly #options: WatchStreamOptions;
  readonly #watchers = new Map<bigint, Watcher>();
  readonly #outbox: Outbox<WatchResponse>;
  readonly #pace: Pace;
  /** Nodes never request progress. */
  #progress: ProgressRequests | undefined;
  /** The watches whose token has ended. */
  #idle: Set<Watcher> | undefined;
  #nextId = 0n;
  #noMoreRequests = false;
  #notifying = false;

  constructor(client: LocalClient, options: WatchStreamOptions) {
    this.#client = client;
    this.#options = options;
    this.#outbox = new Outbox(() => {
      for (const watcher of this.#watchers.values()) watcher.stop();
      this.#watchers.clear();
      options.onEnded();
    });
    this.#pace = new Pace(client.work, () => this.#outbox.ended);
  }

  /**
   * Handles the requests, and returns the responses. They end when no requests and no watches are left, and with the
   * failure with which the stream is ended.
   */
  answers(requests: AsyncIterable<WatchRequest>): AsyncIterable<WatchResponse> {
    this.#take(new ReadableRequests(requests)).catch((thrown: Error) => this.end(thrown));
    return this.#outbox;
  }

  get watches(): number {
    return this.#watchers.size;
  }

  /** Sends progress to the watches that requested it, and to nodes so that they know they are still served. */
  async notifyProgress(): Promise<void> {
    // Skipped if the client has not read the previous progress.
    if (this.#notifying) return;
    this.#notifying = true;
    try {
      const watchers = [...this.#watchers.values()];
      const states = await statesOf(
        this.#client,
        watchers.filter(({ wantsProgress }) => wantsProgress),
      );
      for (const watcher of watchers) {
        const revision = progressOf(watcher, states);
        if (revision !== undefined) await this.#send(watcher.id, revision, {});
      }
    } finally {
      this.#notifying = false;
    }
  }

  /** Ends every watch and the stream, with or without a failure. */
  end(failure?: Error): void {
    if (!this.#outbox.ended) this.#outbox.end(failure && this.#options.refused(failure));
  }

  #endIfDone(): void {
    if (this.#noMoreRequests && this.#watchers.size === 0) this.end();
  }

  async #take(requests: AsyncIterable<WatchRequest>): Promise<void> {
    for await (const { requestUnion } of requests) {
      await this.#pace.next();
      if (requestUnion.case !== 'progressRequest') await this.#progress?.settled();
      switch (requestUnion.case) {
        case 'createRequest':
          await this.#create(requestUnion.value);
          break;
        case 'cancelRequest':
          await this.#cancel(requestUnion.value.watchId);
          break;
        case 'progressRequest':
          this.#progress ??= this.#progressRequests();
          await this.#progress.ask();
          break;
        case undefined:
          break;
      }
    }
    this.#noMoreRequests = true;
    this.#endIfDone();
  }

  async #create(request: WatchCreateRequest): Promise<void> {
    const span = spanToWatch(request, this.#watchers);
    if (typeof span === 'string') return this.#refuse(span);
    const found = await clusterToWatch(this.#client, span, request);
    if (typeof found === 'string') return this.#refuse(found);
    // The stream may have ended in the meantime, with all of its watches.
    if (!this.#outbox.ended) await this.#start(span, request, found);
  }

  async #start(span: KeySpan, request: WatchCreateRequest, { cluster, revision }: Found): Promise<void> {
    const id = request.watchId === 0n ? this.#newId() : request.watchId;
    const watcher = new Watcher(id, span, request, cluster, revision);
    this.#watchers.set(id, watcher);
    this.#progress?.include(watcher, cluster.modRevision);
    await this.#send(id, revision, { created: true });
    if (watcher.isStrayNode) await this.#send(id, watcher.delivered, { events: strayFarewell(watcher) });
    this.#run(watcher);
  }

  #run(watcher: Watcher): void {
    const deliver = async ({ revision, events }: Happening): Promise<void> => {
      if (!watcher.stopped) await this.#send(watcher.id, revision, { events: [...events] });
    };
    watcher
      .run(this.#client, deliver, () => void this.#progress?.answer())
      .then(
        async () => {
          if (!watcher.stopped)
            await this.#tokenEnded(watcher, await refusalNow(this.#client, watcher.span.token));
        },
        (thrown: Error) => this.#failed(watcher, thrown),
      );
  }

  async #failed(watcher: Watcher, thrown: Error): Promise<void> {
    if (reasonOf(thrown) === undefined || isAway(thrown)) return this.end(thrown);
    if (isTokenGone(thrown)) return this.#tokenEnded(watcher, thrown);
    // A node, which has only one watch, would restart it at once, forever: it waits here for a free place.
    if (reasonOf(thrown) === 'TOO_MANY_REQUESTS' && this.#watchers.size === 1) {
      setTimeout(() => watcher.stopped || this.#run(watcher), ROOM_PAUSE_MS).unref();
      return;
    }
    if (reasonOf(thrown) !== 'REVISION_COMPACTED') return this.#ended(watcher, refusal(thrown).rawMessage);
    // The first revision from which a watch can start, as in etcd.
    const compactRevision = (refusalOf(thrown)?.compactRevision ?? 0n) + 1n;
    return this.#ended(watcher, compactedError().rawMessage, compactRevision);
  }

  /** A waiting node does not restart its watch by itself: it continues when somebody reopens the token. */
  #runWhenReopened(watcher: Watcher): void {
    const look = async (): Promise<void> => {
      if (watcher.stopped) return;
      if (await isStillExpired(this.#client, watcher)) return this.#runWhenReopened(watcher);
      this.#idle?.delete(watcher);
      if (!watcher.stopped) this.#run(watcher);
    };
    setTimeout(() => void look(), this.#options.expiredPauseMs ?? EXPIRED_PAUSE_MS).unref();
  }

  /**
   * As in etcd, the watch outlives its keys: a node would restart a cancelled watch at once, forever. One last event
   * says why nothing more will come unless the token is reopened. A client with many such watches is not a node, and
   * has them cancelled.
   */
  async #tokenEnded(watcher: Watcher, thrown: unknown): Promise<void> {
    if (watcher.stopped) return;
    if ((this.#idle?.size ?? 0) >= V3_LIMITS.endedPerStream)
      return this.#ended(watcher, refusal(thrown).rawMessage);
    this.#idle ??= new Set();
    this.#idle.add(watcher);
    const revision = farewellRevision(watcher, thrown);
    const events = watcher.farewell(refusal(thrown).rawMessage, revision);
    if (events.length > 0) await this.#send(watcher.id, revision, { events });
    if (reasonOf(thrown) === 'TOKEN_EXPIRED') this.#runWhenReopened(watcher);
  }

  /** Reports that a watch has ended, unless its client ended it. */
  async #ended(watcher: Watcher, cancelReason: string, compactRevision = 0n): Promise<void> {
    if (watcher.stopped) return;
    this.#forget(watcher);
    await this.#send(watcher.id, watcher.revision, { canceled: true, cancelReason, compactRevision });
    this.#endIfDone();
  }

  async #cancel(id: bigint): Promise<void> {
    const watcher = this.#watchers.get(id);
    if (watcher === undefined) return;
    this.#forget(watcher);
    await this.#send(id, watcher.revision, { canceled: true });
  }

  #forget(watcher: Watcher): void {
    watcher.stop();
    this.#watchers.delete(watcher.id);
    this.#progress?.forget(watcher);
    this.#idle?.delete(watcher);
  }

  /** etcd answers a watch that it rejects as created and cancelled at once. */
  async #refuse(cancelReason: string): Promise<void> {
    const revision = await this.#client.revision();
    await this.#send(NO_WATCH, revision, { created: true, canceled: true, cancelReason });
  }

  #progressRequests(): ProgressRequests {
    return new ProgressRequests({
      client: this.#client,
      watchers: this.#watchers,
      answer: (revision) => this.#send(NO_WATCH, revision, {}),
      onFailure: (thrown) => this.end(thrown),
    });
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
    response.header = header(this.#options.identity, revision);
    return this.#outbox.put(response);
  }
}
