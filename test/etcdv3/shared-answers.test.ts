// Equal requests share a response as long as nothing is written. Here: whatever differs is told apart.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import { serve } from './cluster.ts';
import { membersPrefix, plain, sizeKey, text, tokenPrefix } from './etcd.ts';

test('requests that differ in one field, and equal ones after a write, get responses of their own', async (t) => {
  const served = await serve();
  const { service, kv } = served;
  t.after(() => service.stop());
  const [one, other] = [await served.token(), await served.token()];
  await served.join(one, 1);
  const members = membersPrefix(one);
  const first = await kv.range(members);
  assert.equal(first.kvs.length, 1);
  assert.deepEqual(plain(await kv.range(members)), plain(first));

  assert.equal((await kv.range({ ...members, keysOnly: true })).kvs[0]?.value.length, 0);
  assert.deepEqual(plain(await kv.range(members)), plain(first));
  const counted = await kv.range({ ...members, countOnly: true });
  assert.deepEqual([counted.count, counted.kvs.length], [1n, 0]);
  assert.equal((await kv.range(tokenPrefix(one))).kvs.length, 2);
  assert.equal(text((await kv.range({ key: sizeKey(one) })).kvs[0]?.value ?? new Uint8Array()), '3');

  // A write to another token changes the revision in the header alone.
  assert.deepEqual(plain(await kv.range(members)), plain(first));
  const revision = await served.join(other, 1);
  const later = await kv.range(members);
  assert.equal(later.header?.revision, revision);
  assert.deepEqual(plain(later.kvs), plain(first.kvs));
  await served.join(one, 2);
  assert.equal((await kv.range(members)).kvs.length, 2);
});

test('a cluster that is read again after a write to another has the new revision', async (t) => {
  const served = await serve();
  const { service } = served;
  t.after(() => service.stop());
  const [one, other] = [await served.token(), await served.token()];
  const client = createClient(DiscoveryService, createGrpcTransport({ baseUrl: service.url }));
  const first = await client.getCluster({ token: one });
  assert.deepEqual(await client.getCluster({ token: one }), first);
  const revision = await served.join(other, 1);
  assert.equal((await client.getCluster({ token: one })).revision, revision);
  await served.join(one, 1);
  assert.equal((await client.getCluster({ token: one })).cluster?.memberCount, 1);
});
