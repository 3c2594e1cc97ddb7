import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Code } from '@connectrpc/connect';
import { unserved } from '../../src/etcdv3/unserved.ts';

test('a call of etcd that has no meaning here is refused by name, with what to do instead', () => {
  const refusals: ReadonlyArray<[path: string, words: string]> = [
    ['/etcdserverpb.Lease/LeaseGrant', 'members stay until they are deleted or the token expires'],
    [
      '/etcdserverpb.Maintenance/Snapshot',
      'back up with etcd-discovery backup, or the etcd that holds the data',
    ],
    ['/etcdserverpb.Maintenance/Defragment', 'this service is not an etcd'],
    ['/v3lockpb.Lock/Lock', 'locks are not available'],
  ];
  for (const [path, words] of refusals) {
    const refusal = unserved(path);
    assert.equal(refusal?.code, Code.Unimplemented);
    const name = path.slice(1);
    assert.equal(refusal.rawMessage, `${name} is not supported by this discovery service; ${words}`);
  }
});

test('what is no call of etcd is not refused as one', () => {
  for (const path of ['/', '/constructor/x', '/discovery.v1.DiscoveryService/X', '/etcdserverpb.Lease/a/b']) {
    assert.equal(unserved(path), undefined, path);
  }
});
