import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import { createDiscoveryClient, type DiscoveryClient, watchCluster } from '../../src/client/node.ts';
import { expectCluster } from '../etcd/harness/cluster.ts';
import { EtcdNode, type NodeSetup } from '../etcd/harness/node.ts';
import { Scene } from '../etcd/harness/scene.ts';
import { Service } from '../etcd/harness/service.ts';
import { type Etcd, etcdsUnderTest } from '../etcd/harness/versions.ts';
import { infra } from '../rpc/calls.ts';
import { slow } from '../slow.ts';
import { needCommands } from '../support/debian.ts';
import { PACKAGES, type ReverseProxy, startHaproxy, startNginx } from './proxies.ts';

/** Longer than four times the idle timeout of any of the proxies. */
const WAIT_MS = 4 * 60_000;

const PROXIES = ['nginx', 'haproxy', 'haproxy with a tunnel time-out'] as const;
type ProxyName = (typeof PROXIES)[number];

/** A cluster of two nodes, of which one waits behind a proxy. */
interface Waiting {
  readonly setup: Omit<NodeSetup, 'name'>;
  readonly first: EtcdNode;
}

/** A watch of the API behind a proxy. */
interface Watching {
  readonly token: string;
  readonly connections: string[];
  readonly next: Promise<IteratorResult<{ readonly type: string }, void>>;
}

const versions = process.env['ETCD_DISCOVERY_TEST_VERSIONS'];
const why =
  !slow || versions === undefined
    ? 'it takes five minutes: ETCD_DISCOVERY_TEST_VERSIONS=3.5,3.6,3.7 npm test -- --slow test/proxies/'
    : await needCommands(PACKAGES);
const etcds =
  why === undefined
    ? (await etcdsUnderTest()).flatMap(([, etcd]) => (etcd.missing === undefined ? [etcd] : []))
    : [];

/** Every kind of node behind every proxy. A tunnel timeout does not affect HTTP/1.1. */
const CASES = etcds.flatMap((etcd) => {
  const minor = Number(etcd.series.split('.')[1]);
  const v2 = PROXIES.slice(0, 2).map((proxy) => ({ etcd, dialect: 'v2', proxy }) as const);
  const v3 = PROXIES.map((proxy) => ({ etcd, dialect: 'v3', proxy }) as const);
  return [...(minor <= 6 ? v2 : []), ...(minor >= 6 ? v3 : [])];
});
type Case = { readonly etcd: Etcd; readonly dialect: 'v2' | 'v3'; readonly proxy: ProxyName };
const nameOf = ({ etcd, dialect, proxy }: Case): string =>
  `etcd ${etcd.version} by ${dialect} behind ${proxy}`;

const WATCHES = PROXIES.slice(0, 2).flatMap((proxy) => [
  {
    proxy,
    name: `a watch over Connect behind ${proxy}`,
    by: (at: ReverseProxy) => createDiscoveryClient(at.http),
  },
  {
    proxy,
    name: `a watch over gRPC behind ${proxy}`,
    by: (at: ReverseProxy) => createClient(DiscoveryService, createGrpcTransport({ baseUrl: at.grpc })),
  },
]);

describe('after minutes of silence behind a proxy with default timeouts', { skip: why ?? false }, () => {
  const cleanUps: Array<() => Promise<void>> = [];
  const nodes = new Map<string, Waiting>();
  const watches = new Map<string, Watching>();
  const abort = new AbortController();
  let scene: Scene;
  let service: Service;
  let client: DiscoveryClient;

  before(async () => {
    scene = await Scene.open({ after: (cleanUp) => cleanUps.push(cleanUp) });
    service = await Service.start(scene);
    client = createDiscoveryClient(service.url);
    const target = new URL(service.url).host;
    const proxies: Readonly<Record<ProxyName, ReverseProxy>> = {
      nginx: await startNginx(scene, target),
      haproxy: await startHaproxy(scene, target),
      'haproxy with a tunnel time-out': await startHaproxy(
        scene,
        target,
        'haproxy-tunnel',
        'timeout tunnel 1h',
      ),
    };
    for (const each of CASES) {
      const { token } = await service.newTokenDiscovery(2);
      const { http, grpc } = proxies[each.proxy];
      const discovery = each.dialect === 'v2' ? `${http}/${token}` : { token, endpoints: [grpc] };
      const setup = { etcd: each.etcd, discovery };
      nodes.set(nameOf(each), { setup, first: await EtcdNode.start(scene, { ...setup, name: 'first' }) });
    }
    for (const { name, proxy, by } of WATCHES) {
      const { token } = await service.newTokenDiscovery(2);
      const connections: string[] = [];
      const watched = watchCluster(by(proxies[proxy]), token, {
        signal: abort.signal,
        onConnection: ({ type }) => connections.push(type),
      });
      const snapshot = await watched.next();
      assert.ok(snapshot.done !== true && snapshot.value.type === 'snapshot');
      const next = watched.next();
      // A failed test ends the watch before anything awaits it.
      next.catch(() => {});
      watches.set(name, { token, connections, next });
    }
    for (const { first } of nodes.values()) await first.waitUntilWaiting();
    const logs = [...nodes.values()].map(({ first }) => first.run.log);
    const before = service.run.log.length;
    await sleep(WAIT_MS);

    // No waiting client noticed anything, and no connection was cut.
    const ended = requestsIn(service.run.log.slice(before));
    assert.deepEqual(
      ended.filter(({ gone, path }) => gone === true || path.includes('Watch')),
      [],
    );
    assert.deepEqual(
      [...nodes.values()].map(({ first }) => first.run.log),
      logs,
    );
  });
  after(async () => {
    abort.abort();
    for (const cleanUp of cleanUps) await cleanUp();
  });

  for (const each of CASES) {
    test(`the cluster serves as soon as the last node registers: ${nameOf(each)}`, async (t) => {
      const waiting = nodes.get(nameOf(each));
      assert.ok(waiting !== undefined);
      const { setup, first } = waiting;
      const begin = performance.now();
      const last = await EtcdNode.start(scene, { ...setup, name: 'last' });
      await scene.until(
        'both to serve',
        async () => ((await serves(first)) && (await serves(last))) || undefined,
      );
      t.diagnostic(`it served ${Math.round(performance.now() - begin)} ms after its last node was started`);
      await expectCluster(scene, [first, last]);
      await first.crash();
      await last.crash();
    });
  }

  for (const { name } of WATCHES) {
    test(`the same stream delivers a change: ${name}`, async () => {
      const watching = watches.get(name);
      assert.ok(watching !== undefined);
      const { token, connections, next } = watching;
      await client.register({ token, ...infra(1) });
      const { value } = await next;
      assert.equal(value?.type, 'event');
      assert.deepEqual(connections, ['connected']);
    });
  }
});

async function serves({ clientUrl }: EtcdNode): Promise<boolean> {
  const answer = await fetch(`${clientUrl}/health`, { signal: AbortSignal.timeout(1000) });
  return /"health":\s*"true"/.test(await answer.text());
}

interface LoggedRequest {
  readonly msg: string;
  readonly path: string;
  /** The client was disconnected. */
  readonly gone?: boolean;
}

/** Returns the requests that ended, from the service's log. */
function requestsIn(log: string): LoggedRequest[] {
  const lines = log.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as LoggedRequest).filter(({ msg }) => msg === 'request');
}
