import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import { millis } from '../../src/discovery/types.ts';
import { ageOf, clustersOf, type OldKey, treePathOf } from '../../src/moving/discoveryserver/keys.ts';
import { parseCluster } from '../../src/moving/parse.ts';

// Keys that the Go discovery service left in etcd 3.4, recorded with `etcdctl get --prefix ''`: from the version that
// uses the v3 API, and from Debian's over `etcd --experimental-enable-v2v3`. Both got the same requests, which the
// tests show.

interface Recorded {
  readonly key: string;
  readonly value: string;
  readonly create_revision: number;
}

function recorded(name: string): { keys: OldKey[]; createTimes: Map<string, number> } {
  const file = fileURLToPath(new URL(`../../../test/golden/${name}.jsonl`, import.meta.url));
  const all = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);
  const keys: OldKey[] = [];
  const createTimes = new Map<string, number>();
  for (const { key, value, create_revision } of all) {
    const path = treePathOf(key);
    const age = ageOf(key);
    if (path !== undefined) keys.push({ path, value, createRevision: create_revision });
    if (age !== undefined) createTimes.set(...age);
  }
  return { keys, createTimes };
}

const NOW = Date.parse('2026-11-24T00:00:00Z');
const WEEK = 7 * 86_400_000;

/** Returns the result for each token: its members by rank, or its error. */
function outcomes(name: string): string[] {
  const { keys, createTimes } = recorded(name);
  const items = clustersOf(keys, { createTimes, now: NOW, ttl: WEEK });
  return items
    .map(({ cluster }) => {
      const parsed =
        typeof cluster === 'string' ? cluster : parseCluster(cluster, DEFAULT_POLICY, millis(NOW));
      if (typeof parsed === 'string') return parsed.split(';')[0] ?? '';
      return `${parsed.size}: ${parsed.members.map((each) => `${each.id} ${each.name}=${each.peerUrls.join('+')}`).join(', ')}`;
    })
    .sort();
}

const COMMON = [
  '1: 1 n1=http://10.0.0.1:2380, 2 n2=http://10.0.0.2:2380, 3 n3=http://10.0.0.3:2380',
  '3: 8e9e05c52164694d infra3=http://10.0.0.3:2380, 1b infra1=http://10.0.0.1:2380, 9a infra2=http://10.0.0.2:2380+https://10.0.0.2:2381',
  '5: ',
  "invalid size '-1'",
  "invalid size '0'",
  "the member 1: 'rubbish' has no equals sign",
  'two members share the name a',
];

test('v3 keys of the Go service become clusters with sizes and ranked members, or errors', () => {
  // One member was removed and registered again: over v2 keys it is then the last, while the version that uses v3
  // rejects the removal.
  assert.deepEqual(
    outcomes('discoveryserver-etcd-v3'),
    [
      ...COMMON.slice(0, 2),
      '3: 1 a=http://10.0.0.1:2380, 2 b=http://10.0.0.2:2380',
      ...COMMON.slice(2),
    ].sort(),
  );
  assert.deepEqual(
    outcomes('discoveryserver-etcd-v2v3'),
    [
      ...COMMON.slice(0, 2),
      '3: 2 b=http://10.0.0.2:2380, 1 a=http://10.0.0.1:2380',
      ...COMMON.slice(2),
    ].sort(),
  );
});

test('tokens keep their age if the Go service stored it, and start now otherwise', () => {
  for (const [name, isGuessed] of [
    ['discoveryserver-etcd-v3', false],
    ['discoveryserver-etcd-v2v3', true],
  ] as const) {
    const { keys, createTimes } = recorded(name);
    for (const { cluster } of clustersOf(keys, { createTimes, now: NOW, ttl: WEEK })) {
      if (typeof cluster === 'string') continue;
      const made = createTimes.get(cluster.token) ?? NOW;
      assert.equal(made === NOW, isGuessed);
      assert.equal(cluster.isAgeGuessed, isGuessed);
      assert.deepEqual([cluster.createTime, cluster.expireTime], [made, made + WEEK]);
      for (const { registerTime } of cluster.members) assert.equal(registerTime, made);
    }
  }
});

test('keys that do not belong to a token are skipped', () => {
  for (const key of [
    '/discovery.etcd.io/registry/act',
    '/discovery.etcd.io/registry/001/k//abc/',
    '/discovery.etcd.io/registry/003/k//abc/1',
    '/discovery.etcd.io/registry/k//abc/1',
    '/discovery.etcd.io/other/002/k//abc/1',
  ]) {
    assert.equal(treePathOf(key), undefined, key);
  }
  assert.equal(treePathOf('/discovery.etcd.io/registry/002/k//abc/1'), 'abc/1');
  assert.equal(ageOf('/discoverygc/yesterday/abc'), undefined);
  assert.equal(ageOf('/discoverygclock/694d9a1c'), undefined);
});
