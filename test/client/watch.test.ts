import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { ClusterState, MemberEventType } from '../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { DiscoveryService, RegisterMode, WhenFull } from '../../gen/discovery/v1/service_pb.ts';
import {
  createDiscoveryClient,
  type DiscoveryClient,
  refusalOf,
  retryInterceptor,
  type WatchConnection,
  waitForCluster,
  watchCluster,
} from '../../src/client/node.ts';
import { TcpProxy } from '../etcd/harness/tcp-proxy.ts';
import { infra } from '../rpc/calls.ts';
import { onlyInLongRuns } from '../slow.ts';
import { SpawnedService } from '../support/child.ts';
import { forgetHistory } from '../support/forget-history.ts';
import { type RunningService, startService } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

const CLIENTS: Record<string, (url: string) => DiscoveryClient> = {
  'in Node.js': (url) => createDiscoveryClient(url),
  'over fetch': (baseUrl) =>
    createClient(DiscoveryService, createConnectTransport({ baseUrl, interceptors: [retryInterceptor()] })),
};

let service: RunningService;
before(async () => {
  service = await startService({ minTtl: 1 });
});
after(() => service.stop());

for (const [name, connect] of Object.entries(CLIENTS)) {
  suite(`a watch ${name}`, () => {
    let client: DiscoveryClient;
    before(() => {
      client = connect(service.url);
    });

    const newToken = async (size: number, ttlMs?: number): Promise<string> => {
      const ttl = ttlMs === undefined ? {} : { ttl: { seconds: 0n, nanos: ttlMs * 1_000_000 } };
      const { cluster } = await client.createToken({ size, ...ttl });
      assert.ok(cluster);
      return cluster.token;
    };

    test('returns after every change what ListMembers returns', async () => {
      const token = await newToken(2);
      const watched = watchCluster(client, token);
      const changes = [
        () => client.register({ token, ...infra(1) }),
        () => client.register({ token, ...infra(1), name: 'other', mode: RegisterMode.REPLACE }),
        () => client.deregister({ token, memberId: '1' }),
        () => client.register({ token, ...infra(2) }),
        () => client.register({ token, ...infra(1) }),
        () => client.register({ token, ...infra(3), whenFull: WhenFull.STANDBY }),
        () => client.register({ token, ...infra(4), whenFull: WhenFull.STANDBY }),
        () => client.register({ token, ...infra(3), name: 'other', mode: RegisterMode.REPLACE }),
        () => client.deregister({ token, memberId: '3' }),
      ];
      const first = await watched.next();
      assert.ok(first.done !== true && first.value.type === 'snapshot');
      assert.deepEqual(first.value.list.members, []);
      for (const change of changes) {
        const { revision } = await change();
        const update = await watched.next();
        assert.ok(update.done !== true && update.value.type === 'event');
        assert.equal(update.value.revision, revision);
        assert.deepEqual(update.value.list, await client.listMembers({ token }));
      }
      const { cluster } = await client.deleteToken({ token });
      const last = await watched.next();
      assert.ok(last.done !== true && last.value.type === 'event');
      assert.equal(last.value.event.type, MemberEventType.TOKEN_DELETED);
      assert.deepEqual(last.value.list.cluster, cluster);
      assert.deepEqual(last.value.list.members, []);
      assert.equal((await watched.next()).done, true);
    });

    test('resumes from a revision, and takes a snapshot when it missed too much', async () => {
      const { cluster, revision } = await client.createToken({ size: 3 });
      const token = cluster?.token ?? '';
      const registered = await client.register({ token, ...infra(1) });
      const resumed = watchCluster(client, token, { afterRevision: revision });
      const update = await resumed.next();
      assert.ok(update.done !== true && update.value.type === 'event');
      assert.deepEqual(
        [update.value.revision, update.value.event.member?.name, update.value.list],
        [registered.revision, 'infra1', undefined],
      );
      await resumed.return();

      forgetHistory(service.discovery, token, registered.revision);
      const late = watchCluster(client, token, { afterRevision: revision });
      const fresh = await late.next();
      assert.ok(fresh.done !== true && fresh.value.type === 'snapshot');
      assert.deepEqual(fresh.value.list, await client.listMembers({ token }));
      await late.return();
    });

    test('throws the rejection for an unknown and for an expired token', async () => {
      await assert.rejects(
        watchCluster(client, 'nobody-made-this').next(),
        (error) => refusalOf(error)?.reason === ErrorReason.TOKEN_NOT_FOUND,
      );
      const token = await newToken(1, 300);
      await assert.rejects(
        async () => {
          for await (const _ of watchCluster(client, token));
        },
        (error) => refusalOf(error)?.reason === ErrorReason.TOKEN_EXPIRED,
      );
    });

    test('throws the reason of its signal, during a watch and between two attempts', async () => {
      const token = await newToken(1);
      const abort = new AbortController();
      const watched = watchCluster(client, token, { signal: abort.signal });
      await watched.next();
      const next = watched.next();
      abort.abort(new Error('enough'));
      await assert.rejects(next, /^Error: enough$/);

      const between = new AbortController();
      const nobody = watchCluster(connect('http://127.0.0.1:1'), token, {
        signal: between.signal,
        onConnection: () => setImmediate(() => between.abort(new Error('enough'))),
      });
      await assert.rejects(nobody.next(), /^Error: enough$/);
      await waitFor('the watch to end', () => service.discovery.watchers() === 0);
    });

    test('leaves nothing behind when its loop ends early', async () => {
      const token = await newToken(1);
      for await (const _ of watchCluster(client, token)) break;
      await waitFor('the watch to end', () => service.discovery.watchers() === 0);
    });

    test('waits for a cluster, and reports that its token was deleted instead', async () => {
      const token = await newToken(2);
      const whole = waitForCluster(client, token);
      await client.register({ token, ...infra(1) });
      await client.register({ token, ...infra(2) });
      const { cluster, initialCluster } = await whole;
      assert.equal(cluster?.state, ClusterState.COMPLETE);
      assert.equal(initialCluster, 'infra1=http://10.0.0.1:2380,infra2=http://10.0.0.2:2380');
      assert.equal((await waitForCluster(client, token)).initialCluster, initialCluster);

      const gone = await newToken(2);
      const never = waitForCluster(client, gone);
      never.catch(() => {});
      await waitFor('the watch to start', () => service.discovery.watchers() > 0);
      await client.deleteToken({ token: gone });
      await assert.rejects(never, (error) => refusalOf(error)?.reason === ErrorReason.TOKEN_DELETED);
      await assert.rejects(waitForCluster(client, await newToken(1), { signal: AbortSignal.timeout(50) }), {
        name: 'TimeoutError',
      });
    });

    const isOther = connect !== CLIENTS['in Node.js'] && onlyInLongRuns;
    test('delivers every change once and in order, through a crash, a restart and a lost connection', {
      skip: isOther,
    }, async (t) => {
      let spawned = await SpawnedService.start();
      t.after(() => spawned.remove());
      const proxy = await TcpProxy.open(t, spawned.url);
      const writer = createDiscoveryClient(spawned.url);
      const watcher = connect(proxy.url);
      const token = (await writer.createToken({ size: 40 })).cluster?.token ?? '';
      const complete = waitForCluster(watcher, token);
      const connections: WatchConnection['type'][] = [];
      const received: bigint[] = [];
      const watching = (async () => {
        const onConnection = ({ type }: WatchConnection): number => connections.push(type);
        for await (const update of watchCluster(watcher, token, { onConnection })) {
          if (update.type === 'event') received.push(update.revision);
          if (update.list.members.length === 40) return update.list;
        }
        return undefined;
      })();
      await waitFor('the watch to begin', () => connections.length === 1);
      const written: bigint[] = [];
      for (let i = 1; i <= 40; i++) {
        // Each break hits an established watch.
        if (i % 10 === 0)
          await waitFor('the watch to receive all changes', () => received.length === written.length);
        if (i === 10 || i === 20) {
          await spawned.end(i === 10 ? 'SIGKILL' : 'SIGTERM');
          spawned = await spawned.again();
        }
        if (i === 30) proxy.cut();
        if (i === 35) proxy.restore();
        written.push((await writer.register({ token, ...infra(i) })).revision);
      }
      assert.deepEqual(await watching, await writer.listMembers({ token }));
      assert.deepEqual(received, written);
      assert.equal((await complete).members.length, 40);
      assert.ok(connections.filter((type) => type === 'lost').length >= 3, String(connections));
    });
  });
}
