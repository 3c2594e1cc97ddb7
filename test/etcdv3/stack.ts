import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Discovery } from '../../src/discovery/discovery.ts';
import { DEFAULT_POLICY, type Policy } from '../../src/discovery/policy.ts';
import type { LocalClient } from '../../src/etcd/client.ts';
import { etcdV3Gateway } from '../../src/etcdv3/gateway.ts';
import { openPort } from '../../src/port/port.ts';
import { inProcessClient } from '../../src/rpc/client.ts';
import { discoveryService } from '../../src/rpc/service.ts';
import { rpcHandler } from '../../src/server/rpc/handler.ts';
import { openLmdbStore } from '../../src/store/lmdb/store.ts';
import { connect, type Etcd } from './etcd.ts';

/** The gateway alone over a store on disk, with options that no setting has. */
export interface Stack {
  readonly discovery: Discovery;
  /** The service behind the gateway. */
  readonly client: LocalClient;
  readonly url: string;
  readonly etcd: Etcd;
  readonly defects: unknown[];
  close(): Promise<void>;
}

export interface StackOptions {
  readonly progressIntervalMs?: number;
  readonly expiredPauseMs?: number;
  readonly policy?: Partial<Policy>;
  /** Returns the client that the gateway calls instead of the service. */
  readonly client?: (real: LocalClient) => LocalClient;
}

export async function startStack({
  client: wrap,
  policy: rules,
  ...options
}: StackOptions = {}): Promise<Stack> {
  const dir = await mkdtemp(join(tmpdir(), 'etcd-discovery-test-etcdv3-'));
  const policy = { ...DEFAULT_POLICY, ...rules };
  const store = await openLmdbStore({ path: dir, policy });
  const discovery = new Discovery(store, policy);
  const defects: unknown[] = [];
  const onDefect = (defect: unknown): void => {
    defects.push(defect);
  };
  const client = inProcessClient(discoveryService(discovery, onDefect));
  const wrapped = wrap === undefined ? client : wrap(client);
  const gateway = etcdV3Gateway(() => wrapped, {
    identity: { clusterId: 1n, memberId: 2n },
    urlFor: ({ url }) => new URL(url).origin,
    stopping: new AbortController().signal,
    onDefect,
    ...options,
  });
  const rpc = rpcHandler(gateway);
  const port = await openPort({
    host: '127.0.0.1',
    port: 0,
    handler: (request, response) => rpc.request(request, response, {}),
    calls: { takes: rpc.takes, answer: (call) => rpc.call(call, {}) },
    log: { warn() {}, error: ({ err }: { readonly err?: unknown }) => onDefect(err) },
  });
  const url = `http://127.0.0.1:${port.port}`;
  return {
    discovery,
    client,
    url,
    etcd: connect(url),
    defects,
    async close() {
      discovery.stopWatches();
      await port.drain(0);
      await store.close();
      await rm(dir, { recursive: true });
    },
  };
}
