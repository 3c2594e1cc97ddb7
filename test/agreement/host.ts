import { setImmediate as nextTurn } from 'node:timers/promises';
import { Discovery } from '../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import type { Store } from '../../src/discovery/store.ts';
import { millis } from '../../src/discovery/types.ts';
import type { LocalClient } from '../../src/etcd/client.ts';
import { etcdV2Gateway, type V2Handler } from '../../src/etcdv2/gateway.ts';
import { etcdV3Gateway } from '../../src/etcdv3/gateway.ts';
import { inProcessClient } from '../../src/rpc/client.ts';
import { discoveryService } from '../../src/rpc/service.ts';
import { type HeldStore, heldStore } from './held-store.ts';
import { type Connection, exchange } from './http-exchange.ts';
import type { Answer, Call } from './node.ts';
import { handlersOf, rpcExchange, type V3Handlers } from './rpc-exchange.ts';

/** A defect planted in a gateway's view of the service, to check that the laws detect it. */
export interface Mutation {
  readonly v2Client?: (real: LocalClient) => LocalClient;
  readonly v3Client?: (real: LocalClient) => LocalClient;
  /** Returns what a node of v3 receives instead of a response. */
  readonly v3Answer?: (real: Answer) => readonly Answer[];
}

const LONG_MS = 3_600_000;
/** Work that waits for nothing outside continues within this many turns of the event loop. */
const IDLE_TURNS = 2;

/** The gateways, the API and the core over a store, as in one process of the service. */
export class Host {
  readonly held: HeldStore;
  readonly discovery: Discovery;
  readonly client: LocalClient;
  readonly v2: V2Handler;
  readonly v3: V3Handlers;
  readonly #v3Answer: (real: Answer) => readonly Answer[];
  readonly #stopping = new AbortController();

  constructor(store: Store, mutation: Mutation, onDefect: (defect: unknown) => void) {
    this.held = heldStore(store);
    // Both clocks stand still, so that every repeat is recent, however long the world exists.
    this.discovery = new Discovery(
      this.held.store,
      DEFAULT_POLICY,
      () => millis(1e12),
      () => 0,
    );
    this.client = inProcessClient(discoveryService(this.discovery, onDefect));
    this.#v3Answer = mutation.v3Answer ?? ((answer) => [answer]);
    const v2Client = mutation.v2Client?.(this.client) ?? this.client;
    const v3Client = mutation.v3Client?.(this.client) ?? this.client;
    this.v2 = etcdV2Gateway(() => v2Client, {
      version: '0.0.0',
      urlFor: () => 'http://discovery:8087',
      pollLimitMs: LONG_MS,
      onDefect,
    });
    this.v3 = handlersOf(
      etcdV3Gateway(() => v3Client, {
        identity: { clusterId: 1n, memberId: 2n },
        urlFor: () => 'http://discovery:8087',
        progressIntervalMs: LONG_MS,
        expiredPauseMs: LONG_MS,
        stopping: this.#stopping.signal,
        onDefect,
      }),
    );
  }

  call(call: Call, answered: (answer: Answer) => void): Connection {
    if (call.type === 'HTTP') return exchange(this.v2, call, answered);
    return rpcExchange(this.v3, call, (answer) => {
      for (const each of this.#v3Answer(answer)) answered(each);
    });
  }

  /** Stops like on SIGTERM: ends waits, and lets calls in progress finish. */
  stop(): void {
    this.discovery.stopWatches();
    this.#stopping.abort();
  }

  /** Waits until everything in progress has ended, is held, or waits for others. */
  async settle(): Promise<void> {
    for (let idle = 0, seen = -1; idle < IDLE_TURNS; idle++) {
      await nextTurn();
      const { activity, running } = this.held;
      if (activity !== seen || running > 0) idle = -1;
      seen = activity;
    }
  }
}
