import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Surface, surfaceOf } from '../../src/server/route.ts';

const TABLE: ReadonlyArray<[target: string, surface: Surface]> = [
  ['/', 'home'],
  ['/?x=1', 'home'],
  ['/health', 'health'],
  ['/health?verbose', 'health'],
  ['/readyz', 'health'],
  ['/livez', 'live'],
  ['/robots.txt', 'robots'],
  ['/metrics', 'metrics'],
  ['/discovery.v1.DiscoveryService/Register', 'rpc'],
  ['/discovery.v1.DiscoveryService/GetCluster?encoding=json&message=%7B%7D', 'rpc'],
  ['/discovery.v1.DiscoveryService/NoSuchMethod', 'rpc'],
  ['/grpc.health.v1.Health/Check', 'rpc'],
  ['/etcdserverpb.KV/Range', 'rpc'],
  ['/new', 'v2'],
  ['/new?size=3', 'v2'],
  ['/version', 'v2'],
  ['/health/', 'v2'],
  ['/v2/keys/_etcd/registry/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b', 'v2'],
  ['/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b', 'v2'],
  ['/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b/ade526d28b1f92f7', 'v2'],
  ['/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b/_config/size', 'v2'],
  ['/my.Token', 'v2'],
  ['/A1B2.c3/1', 'v2'],
  ['/constructor', 'v2'],
  ['/__proto__', 'v2'],
  ['//', 'v2'],
  ['', 'v2'],
];

test('each path has one surface that answers it', () => {
  for (const [target, surface] of TABLE) assert.equal(surfaceOf(target), surface, target);
});
