import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../gen/grpc/health/v1/health_pb.ts';
import { createDiscoveryClient, type DiscoveryClient } from '../../src/client/node.ts';
import { BackingEtcd } from '../etcd/harness/backing.ts';
import { Scene } from '../etcd/harness/scene.ts';
import { Service } from '../etcd/harness/service.ts';
import type { TcpProxy } from '../etcd/harness/tcp-proxy.ts';
import { installedEtcd } from '../etcd/harness/versions.ts';
import { connect, sizeKey } from '../etcdv3/etcd.ts';

// A service whose etcd is unreachable, as every kind of client sees it.

const OUTAGES: Readonly<Record<string, (proxy: TcpProxy) => void>> = {
  'refuses connections': (proxy) => proxy.cut(),
  'does not answer': (proxy) => proxy.stall(),
};

const etcd = await installedEtcd();

suite('during an outage', { skip: etcd.missing ?? false, concurrency: 2 }, () => {
  if (etcd.missing !== undefined) return;
  for (const [what, begin] of Object.entries(OUTAGES)) {
    test(`where etcd ${what}, every client gets an error, the log says so once, and everything recovers`, async (t) => {
      const scene = await Scene.open(t);
      const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
      const service = await Service.start(scene, [], { store: ['--etcd', backing.endpoints] });
      const url = await service.newDiscoveryUrl(3);
      const path = new URL(url).pathname;
      const token = path.slice(1);
      const client = createDiscoveryClient(service.url, { retryForMs: 0, tryTimeoutMs: 20_000 });
      const watch = watchNames(client, token);
      await scene.until('the watch to begin', () => (watch.begun ? true : undefined));
      const probe = watchHealth(service.url);
      await scene.until('the health check to report', () => (probe.length > 0 ? true : undefined));
      // Once a wait has begun, its headers have been sent.
      const waiting = await fetch(`${url}?recursive=true&wait=true`);

      const proxy = backing.members[0]?.proxy;
      assert.ok(proxy !== undefined);
      begin(proxy);
      const put = service.fetch(`${path}/9?prevExist=false`, {
        method: 'PUT',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'value=infra9=http://10.0.0.9:2380',
      });
      const held = fetch(`${url}/9?wait=true`);
      const [health, list, read, write, range] = await Promise.all([
        service.fetch('/health'),
        service.fetch(path),
        codeOf(client.listMembers({ token })),
        codeOf(register(client, token, 1)),
        codeOf(connect(service.url).kv.range({ key: sizeKey(token) })),
      ]);
      assert.deepEqual([health.status, list.status, (await put).status], [503, 500, 409]);
      assert.match(health.text, /^not ready: .*etcd/);
      // A node logs message and cause.
      assert.match(list.text, /^\{"errorCode":300,"message":"Store is unavailable","cause":".*etcd.*",/);
      assert.match((await put).text, /the token is still valid: start this node again/);
      assert.deepEqual([read, write, range], [Code.Unavailable, Code.Unavailable, Code.Unavailable]);
      assert.deepEqual(watch.names, [], 'the watch is still open');

      await Promise.all([1, 2, 3].map(() => service.fetch(path)));
      const lines = (): string[] =>
        service.run.log
          .split('\n')
          .filter((line) => /store/.test(line) && !/"msg":"(request|serving)"/.test(line));
      assert.equal(lines().length, 1, lines().join('\n'));
      assert.match(lines()[0] ?? '', /"level":"warn".*"the store is unavailable, .*: .*etcd/);

      // The health check polls every few seconds, and must see the failure before the recovery.
      await scene.until('the health check to report the failure', () =>
        probe.length > 1 ? true : undefined,
      );
      if (what === 'does not answer') proxy.cut();
      proxy.restore();
      await scene.until('the service to recover', async () =>
        (await service.fetch('/health')).status === 200 ? true : undefined,
      );
      await register(client, token, 2);
      assert.match(await waiting.text(), /^\{"action":"create",.*"value":"infra[129]=/);
      await scene.until('the watch to report the registration', () =>
        watch.names.includes('infra2') ? true : undefined,
      );
      assert.equal(await (await held).text(), '', 'the wait without a store returns empty, to be retried');
      assert.equal(watch.breaks, 0);
      await scene.until('the health check to report the recovery', () =>
        probe.length > 2 ? true : undefined,
      );
      assert.deepEqual(probe, [Status.SERVING, Status.NOT_SERVING, Status.SERVING]);
      await scene.until('the log to report the recovery', () => (lines().length > 1 ? true : undefined));
      assert.equal(lines().length, 2, lines().join('\n'));
      assert.match(lines()[1] ?? '', /the store is available again after \d+ s/);
      assert.equal(service.run.ending, undefined);
    });
  }
});

function register(client: DiscoveryClient, token: string, i: number): Promise<unknown> {
  const request = { token, memberId: String(i), name: `infra${i}`, peerUrls: [`http://10.0.0.${i}:2380`] };
  return client.register(request);
}

async function codeOf(call: Promise<unknown>): Promise<Code | 'ok'> {
  return call.then(
    () => 'ok',
    (thrown: unknown) => ConnectError.from(thrown).code,
  );
}

interface Watch {
  readonly names: string[];
  begun: boolean;
  breaks: number;
}

/** Collects the names that a watch reports on one stream. */
function watchNames(client: DiscoveryClient, token: string): Watch {
  const watch: Watch = { names: [], begun: false, breaks: 0 };
  const run = async (): Promise<void> => {
    for await (const { update } of client.watchMembers({ token })) {
      if (update.case === 'snapshot') watch.begun = true;
      if (update.case === 'event') watch.names.push(update.value.member?.name ?? '');
    }
  };
  run().catch(() => {
    watch.breaks += 1;
  });
  return watch;
}

/** Collects what a watch of gRPC's health check reports. */
function watchHealth(baseUrl: string): readonly Status[] {
  const statuses: Status[] = [];
  const watch = async (): Promise<void> => {
    const client = createClient(Health, createGrpcTransport({ baseUrl }));
    const service = 'discovery.v1.DiscoveryService';
    for await (const { status } of client.watch({ service })) statuses.push(status);
  };
  // It ends with the service.
  watch().catch(() => {});
  return statuses;
}
