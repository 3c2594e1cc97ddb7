import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toBinary } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { ListMembersResponseSchema } from '../../gen/discovery/v1/service_pb.ts';
import { KV, RangeResponseSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { createDiscoveryClient, refusalOf } from '../../src/client/node.ts';
import { BoundedService } from './support/bounded.ts';
import { largest } from './support/filling.ts';

const MEMBERS = 1000;
const MOST_BYTES = 1_000_000;

test('the list of the largest cluster stays below 1 MB in every dialect, and many clients can read it', async (t) => {
  const service = await BoundedService.start();
  t.after(() => service.remove());
  const client = createDiscoveryClient(service.url);
  const { cluster } = await client.createToken({ size: MEMBERS });
  const token = cluster?.token ?? '';
  await assert.rejects(client.register({ token, memberId: 'a', ...largest(1) }), (thrown) => {
    assert.equal(refusalOf(thrown)?.reason, ErrorReason.INVALID_ARGUMENT);
    return true;
  });
  const join = (i: number, size: number) =>
    client.register({
      token,
      memberId: `${i}`.padStart(16, '0'),
      name: `n${i}`.padEnd(8, 'x'),
      peerUrls: [`http://${`${i}-`.padEnd(size, 'h')}:2380`],
      discoveryText: `https://discovery.example/${token}`,
    });
  // Finds the longest URL that is accepted: each member fills its place.
  let size = 75;
  while (
    await join(0, size).then(
      () => false,
      () => true,
    )
  )
    size -= 1;
  assert.ok(size > 50);
  for (let i = 1; i < MEMBERS; i += 50) {
    await Promise.all(Array.from({ length: Math.min(50, MEMBERS - i) }, (_, j) => join(i + j, size)));
  }
  const list = await client.listMembers({ token });
  assert.equal(list.members.length, MEMBERS);
  assert.ok(list.initialCluster.length > 0);
  const kv = createClient(KV, createGrpcTransport({ baseUrl: service.url }));
  const text = (value: string) => Buffer.from(`/_etcd/registry/${token}/${value}`);
  const range = await kv.range({ key: text('members'), rangeEnd: text('membert') });
  assert.equal(range.kvs.length, MEMBERS);
  const get = async (path: string, accept: string): Promise<number> =>
    (await (await fetch(service.url + path, { headers: { accept } })).text()).length;
  const asked = `/discovery.v1.DiscoveryService/ListMembers?encoding=json&message=${encodeURIComponent(JSON.stringify({ token }))}`;
  const sizes = {
    API: toBinary(ListMembersResponseSchema, list).length,
    'API in JSON': await get(asked, '*/*'),
    v2: await get(`/${token}`, 'application/json'),
    v3: toBinary(RangeResponseSchema, range).length,
    page: await get(`/${token}`, 'text/html'),
  };
  for (const [what, bytes] of Object.entries(sizes)) {
    assert.ok(bytes > 100_000 && bytes < MOST_BYTES, `${what}: ${bytes} bytes`);
  }
  await service.servesDuring(async () => {
    const readers = Array.from({ length: 20 }, async () => {
      for (let i = 0; i < 2; i++) await client.listMembers({ token });
    });
    await Promise.all(readers);
  });
  await service.assertWell();
});
