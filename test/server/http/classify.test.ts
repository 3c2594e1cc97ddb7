import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseChosenToken } from '../../../src/discovery/parse.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { classify, surfaceOf } from '../../../src/server/http/classify.ts';
import type { Surface } from '../../../src/server/route.ts';

const TABLE: ReadonlyArray<[target: string, surface: Surface]> = [
  ['/', 'home'],
  ['/?x=1', 'home'],
  ['/health', 'health'],
  ['/health?verbose', 'health'],
  ['/readyz', 'health'],
  ['/livez', 'live'],
  ['/robots.txt', 'robots'],
  ['/openapi.json', 'openapi'],
  ['/metrics', 'metrics'],
  ['/discovery.v1.DiscoveryService/Register', 'rpc'],
  ['/discovery.v1.DiscoveryService/GetCluster?encoding=json&message=%7B%7D', 'rpc'],
  ['/discovery.v1.DiscoveryService/NoSuchMethod', 'rpc'],
  ['/grpc.health.v1.Health/Check', 'rpc'],
  ['/etcdserverpb.KV/Range', 'rpc'],
  ['/new', 'v2'],
  ['/new?size=3', 'v2'],
  ['/_start/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b?etcd=3.7', 'start'],
  ['/_start/', 'start'],
  ['/_start', 'v2'],
  ['/version', 'v2'],
  ['/health/', 'v2'],
  ['/v2/keys/_etcd/registry/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b', 'v2'],
  ['/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b', 'v2'],
  ['/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b/ade526d28b1f92f7', 'v2'],
  ['/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b/_config/size', 'v2'],
  ['/my.Token', 'v2'],
  ['/A1B2.c3/1', 'v2'],
  ['/my_cluster.Blue/1', 'v2'],
  ['/constructor', 'v2'],
  ['/__proto__', 'v2'],
  ['//', 'v2'],
  ['', 'v2'],
];

test('each path belongs to one interface', () => {
  for (const [target, surface] of TABLE) assert.equal(surfaceOf(target), surface, target);
});

test('method and path tell waits, probes and requests that are not retried', () => {
  const facets = (method: string, url: string): string => {
    const { surface, kind, path, isProbe, isQuiet, isLastChance } = classify({ method, url, headers: {} });
    const flags = Object.entries({ isProbe, isQuiet, isLastChance }).filter(([, is]) => is);
    return [surface, kind, path, ...flags.map(([name]) => name)].join(' ');
  };
  const table: ReadonlyArray<[method: string, url: string, facets: string]> = [
    ['GET', '/livez?x', 'live call /livez isProbe isQuiet'],
    ['GET', '/health', 'health call /health isProbe isQuiet'],
    ['GET', '/robots.txt', 'robots call /robots.txt'],
    ['POST', '/grpc.health.v1.Health/Check', 'rpc call /grpc.health.v1.Health/Check isProbe isQuiet'],
    ['POST', '/grpc.health.v1.Health/Watch', 'rpc wait /grpc.health.v1.Health/Watch isQuiet'],
    ['POST', '/etcdserverpb.Watch/Watch', 'rpc wait /etcdserverpb.Watch/Watch isLastChance'],
    ['POST', '/etcdserverpb.KV/Range', 'rpc call /etcdserverpb.KV/Range'],
    ['GET', '/t?wait=1', 'v2 wait /t'],
    ['GET', '/t/a?wait=true&waitIndex=3', 'v2 wait /t/a isLastChance'],
    ['GET', '/t?recursive=true&wait=true', 'v2 wait /t'],
    ['GET', '/t/_config/size', 'v2 call /t/_config/size'],
    ['PUT', '/t/a?prevExist=false', 'v2 call /t/a isLastChance'],
    ['PUT', '/new?size=3', 'v2 call /new'],
    ['PUT', '/health', 'health call /health isProbe isQuiet'],
  ];
  for (const [method, url, expected] of table) assert.equal(facets(method, url), expected, url);
});

test('a path below a valid token belongs to v2', () => {
  const part = fc.stringMatching(/^[A-Za-z0-9_~-]{1,3}$/);
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
      const token = parts.join('.');
      fc.pre(isToken(token));
      assert.equal(surfaceOf(`/${token}/1`), 'v2', token);
    }),
  );
});

test('a path of the service is not a valid token', () => {
  for (const [target, surface] of TABLE) {
    const [, name = ''] = /^\/([\w.]+)$/.exec(target) ?? [];
    if (surface !== 'v2' && surface !== 'start') assert.ok(!isToken(name), target);
  }
});

function isToken(text: string): boolean {
  try {
    return parseChosenToken(text, DEFAULT_POLICY) === text;
  } catch {
    return false;
  }
}
