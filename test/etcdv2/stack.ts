import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type Http2ServerRequest } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiscoveryClient } from '../../src/client/discovery-client.ts';
import { Discovery } from '../../src/discovery/discovery.ts';
import { DEFAULT_POLICY, type Policy } from '../../src/discovery/policy.ts';
import { type Millis, millis } from '../../src/discovery/types.ts';
import { etcdV2Gateway, type V2GatewayOptions } from '../../src/etcdv2/gateway.ts';
import { inProcessClient } from '../../src/rpc/client.ts';
import { discoveryService } from '../../src/rpc/service.ts';
import { openLmdbStore } from '../../src/store/lmdb/store.ts';
import { type FailingStore, failingStore } from '../support/failing-store.ts';

/** The gateway over the whole service and a store on disk, behind a server of Node.js. */
export interface Stack {
  readonly port: number;
  readonly url: string;
  readonly discovery: Discovery;
  readonly client: DiscoveryClient;
  /** The store, to make it unavailable. */
  readonly failing: FailingStore;
  /** Stops the service's clock, which from now on only `advance` moves. */
  stopClock(): void;
  /** Moves the service's clock forward. */
  advance(ms: number): void;
  /** The defects that were reported. */
  readonly defects: unknown[];
  close(): Promise<void>;
}

export interface StackOptions extends Partial<V2GatewayOptions> {
  readonly http2?: boolean;
  readonly policy?: Partial<Policy>;
  /** Returns the client that the gateway calls instead of the service. */
  readonly client?: (real: DiscoveryClient) => DiscoveryClient;
}

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { http2 = false, policy: policyChanges, client: wrap, ...gatewayOptions } = options;
  const policy = { ...DEFAULT_POLICY, ...policyChanges };
  const dir = await mkdtemp(join(tmpdir(), 'etcdv2-'));
  const failing = failingStore(await openLmdbStore({ path: dir, policy }));
  const { store } = failing;
  let ahead = 0;
  let stopped: number | undefined;
  const now = (): Millis => millis((stopped ?? Date.now()) + ahead);
  const discovery = new Discovery(store, policy, now);
  const defects: unknown[] = [];
  const onDefect = (defect: unknown): void => {
    defects.push(defect);
  };
  const real = inProcessClient(discoveryService(discovery, onDefect));
  const client = wrap === undefined ? real : wrap(real);
  const urlFor = ({ headers }: IncomingMessage | Http2ServerRequest): string =>
    `http://${headers[':authority']?.toString() ?? headers.host}`;
  const handler = etcdV2Gateway(() => client, { urlFor, version: '0.0.0', onDefect, ...gatewayOptions });
  const { server, endConnections } = http2 ? http2Server(handler) : http1Server(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    discovery,
    client: real,
    failing,
    defects,
    stopClock: () => {
      stopped = Date.now();
    },
    advance: (ms) => {
      ahead += ms;
    },
    close: async () => {
      discovery.stopWatches();
      server.close();
      endConnections();
      await store.close();
      await rm(dir, { recursive: true });
    },
  };
}

type V2Handler = ReturnType<typeof etcdV2Gateway>;

function http1Server(handler: V2Handler): { server: Server; endConnections: () => void } {
  const server = createServer((request, response) => handler({ request, response }));
  return { server, endConnections: () => server.closeAllConnections() };
}

function http2Server(handler: V2Handler): { server: Http2Server; endConnections: () => void } {
  const server = createHttp2Server((request, response) => {
    // Like the port: nothing reads the rest of a body once the response is sent.
    const { stream } = response;
    stream.once('finish', () => {
      setImmediate(() => setImmediate(() => stream.close()));
    });
    handler({ request, response });
  });
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  return {
    server,
    endConnections: () => {
      for (const session of sessions) session.destroy();
    },
  };
}
