import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Code } from '@connectrpc/connect';
import { unserved } from '../../src/etcdv3/unserved.ts';

test('an unsupported call of etcd is rejected by name, with an alternative', () => {
  const refusals: ReadonlyArray<[path: string, words: string]> = [
    ['/etcdserverpb.Lease/LeaseGrant', 'members stay until they are deleted or the token expires'],
    [
      '/etcdserverpb.Maintenance/Snapshot',
      'back up with etcd-discovery backup, or the etcd that holds the data',
    ],
    ['/etcdserverpb.Maintenance/Defragment', 'it has no etcd members to maintain'],
    ['/v3lockpb.Lock/Lock', 'use an etcd cluster for locks'],
  ];
  for (const [path, words] of refusals) {
    const refusal = unserved(path);
    assert.equal(refusal?.code, Code.Unimplemented);
    const name = path.slice(1);
    assert.equal(refusal.rawMessage, `${name} is not supported by this discovery service; ${words}`);
  }
});

test('a call that etcd does not have is not rejected as one', () => {
  for (const path of ['/', '/constructor/x', '/discovery.v1.DiscoveryService/X', '/etcdserverpb.Lease/a/b']) {
    assert.equal(unserved(path), undefined, path);
  }
});
