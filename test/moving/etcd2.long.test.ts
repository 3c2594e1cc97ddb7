import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { readDiscoveryserver } from '../../src/moving/discoveryserver/read.ts';

// Recorded responses of etcd 2.3.8, which has v2 keys only, and rejects gRPC connections as bad HTTP.
const ANSWERS: Readonly<Record<string, string>> = {
  '/version': '{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}',
  '/v2/keys/_etcd/registry?recursive=true':
    '{"action":"get","node":{"key":"/_etcd/registry","dir":true,"nodes":[{"key":"/_etcd/registry/aaaabbbbcccc","dir":true,"nodes":[{"key":"/_etcd/registry/aaaabbbbcccc/1b","value":"infra2=http://10.0.0.2:2380","modifiedIndex":6,"createdIndex":6},{"key":"/_etcd/registry/aaaabbbbcccc/2c","value":"infra1=http://10.0.0.1:2380","modifiedIndex":5,"createdIndex":5}],"modifiedIndex":4,"createdIndex":4}],"modifiedIndex":4,"createdIndex":4}}',
  '/v2/keys/_etcd/registry/aaaabbbbcccc/_config/size':
    '{"action":"get","node":{"key":"/_etcd/registry/aaaabbbbcccc/_config/size","value":"3","modifiedIndex":4,"createdIndex":4}}',
};

test('tokens of the Go service in etcd 2.x are read with their members in order', async (t) => {
  const old = createServer((request, response) => {
    const answer = ANSWERS[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(answer);
  });
  old.listen(0, '127.0.0.1');
  await once(old, 'listening');
  t.after(() => old.close());
  const url = `http://127.0.0.1:${(old.address() as AddressInfo).port}`;
  const items = await readDiscoveryserver(url, 1000, 60_000);
  assert.deepEqual(
    items.map(({ cluster }) => {
      assert.ok(typeof cluster === 'object');
      const { token, size, expireTime, members } = cluster;
      return { token, size, expireTime, names: members.map(({ name }) => name) };
    }),
    [{ token: 'aaaabbbbcccc', size: 3, expireTime: 61_000, names: ['infra1', 'infra2'] }],
  );
});
