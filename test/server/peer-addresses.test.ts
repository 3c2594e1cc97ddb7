import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { type Cluster, WarningKind } from '../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { KV } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { watchCluster } from '../../src/client/node.ts';
import { infra, rejectionDetail } from '../rpc/calls.ts';
import { type RunningService, startService } from '../support/service.ts';

// Peer URLs that cannot work, and those that probably do not, on every interface for registrations.

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

async function newToken(size = 3): Promise<string> {
  const { cluster } = await service.client.createToken({ size });
  return cluster?.token ?? '';
}

const register = (token: string, number: number, url: string): ReturnType<typeof service.client.register> =>
  service.client.register({ token, ...infra(number), peerUrls: [url] });

const warningsOf = (cluster: Cluster | undefined): string[] =>
  (cluster?.warnings ?? []).map(({ kind, members }) => `${kind} ${members.join(' ')}`);

const UNUSABLE: ReadonlyArray<readonly [url: string, why: RegExp]> = [
  ['http://0.0.0.0:2380', /listen address/],
  ['http://[::]:2380', /listen address/],
  ['http://$private_ipv4:2380', /placeholder/],
  ['http://{{ip}}:2380', /placeholder/],
  ['http://:2380', /has no host/],
];

for (const [url, why] of UNUSABLE) {
  test(`${url} is rejected with the reason in every dialect`, async () => {
    const token = await newToken();
    const { reason, field, text } = await rejectionDetail(register(token, 1, url));
    assert.deepEqual([reason, field], [ErrorReason.INVALID_ARGUMENT, 'peer_urls']);
    assert.match(text, why);

    const body = new URLSearchParams({ value: `infra1=${url}` });
    const v2 = await fetch(`${service.url}/${token}/1?prevExist=false`, { method: 'PUT', body });
    assert.equal(v2.status, 400);
    assert.match(((await v2.json()) as { cause: string }).cause, why);

    const kv = createClient(KV, createGrpcTransport({ baseUrl: service.url }));
    const key = Buffer.from(`/_etcd/registry/${token}/members/1`);
    await assert.rejects(kv.put({ key, value: Buffer.from(`infra1=${url}`) }), (thrown) => {
      assert.ok(thrown instanceof ConnectError && thrown.code === Code.InvalidArgument);
      return why.test(thrown.rawMessage);
    });
    assert.deepEqual((await service.client.listMembers({ token })).members, []);
  });
}

test('every response with the cluster has its warnings, and a watch derives the same after each change', async () => {
  const token = await newToken();
  const watched = watchCluster(service.client, token);
  await watched.next();
  const steps: ReadonlyArray<readonly [url: string, warnings: readonly string[]]> = [
    ['http://localhost:2380', []],
    ['http://10.0.0.2:2380', [`${WarningKind.LOOPBACK} infra1`]],
    ['https://10.0.0.3:2380', [`${WarningKind.LOOPBACK} infra1`, `${WarningKind.MIXED_SCHEMES} infra3`]],
  ];
  for (const [i, [url, warnings]] of steps.entries()) {
    const { cluster } = await register(token, i + 1, url);
    assert.deepEqual(warningsOf(cluster), warnings);
    assert.deepEqual(warningsOf((await service.client.getCluster({ token })).cluster), warnings);
    const list = await service.client.listMembers({ token });
    assert.deepEqual(warningsOf(list.cluster), warnings);
    const { value: step } = await watched.next();
    assert.deepEqual(step?.list, list);
  }
  await watched.return();
});

test('a standby causes no warning, because it is not in the cluster', async () => {
  const token = await newToken(1);
  await register(token, 1, 'http://10.0.0.1:2380');
  const form = new URLSearchParams({ value: 'infra2=http://localhost:2380' });
  const v2 = await fetch(`${service.url}/${token}/2?prevExist=false`, { method: 'PUT', body: form });
  assert.equal(v2.status, 201);
  assert.deepEqual(warningsOf((await service.client.listMembers({ token })).cluster), []);
});

test('each warning is logged once, with the registration that causes it, and without the whole token', async () => {
  const token = await newToken();
  const lines = (): Array<Record<string, unknown>> =>
    service.logged
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(
        ({ warning, token: label }) => warning !== undefined && String(label).startsWith(token.slice(0, 4)),
      );
  await register(token, 1, 'http://127.0.0.1:2380');
  assert.deepEqual(lines(), []);
  await register(token, 2, 'http://10.0.0.2:2380');
  await register(token, 2, 'http://10.0.0.2:2380');
  await register(token, 3, 'http://10.0.0.3:2380');
  assert.deepEqual(
    lines().map(({ level, warning, members }) => ({ level, warning, members })),
    [{ level: 'warn', warning: 'LOOPBACK', members: ['infra1'] }],
  );
  assert.ok(!service.logged.some((line) => line.includes(token)));
});
