import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventBytes } from '../../../src/discovery/bytes.ts';
import { apply } from '../../../src/discovery/change.ts';
import type { Cluster } from '../../../src/discovery/types.ts';
import { revision, type Token } from '../../../src/discovery/types.ts';
import { ClusterCache } from '../../../src/store/lmdb/cache.ts';
import { create, node, token } from '../support/commands.ts';

function entry(cluster: Cluster) {
  return { cluster, compactRevision: 0, recent: [], recentAfter: cluster.modRevision };
}

function made(t: Token, at: number): Cluster {
  const { token: name, size, ttl, allowRejoin } = create(t);
  const times = { time: 0 as never, expireTime: ttl as never };
  const change = { type: 'CREATED', token: name, size, description: '' as never, allowRejoin } as const;
  return apply(undefined, { ...change, ...times }, revision(at)).cluster;
}

test('the cache keeps what is read often, and evicts the rest', () => {
  const cache = new ClusterCache();
  const tokens = Array.from({ length: 50_000 }, () => token());
  const [hot] = tokens as [Token];
  for (const t of tokens) {
    cache.set(t, entry(made(t, 1)));
    assert.ok(cache.get(hot), 'read all the time');
  }
  const kept = tokens.filter((t) => cache.get(t) !== undefined).length;
  assert.ok(kept < 25_000, `${kept} are kept`);
});

test('the cache has the latest state of a cluster, and nothing of a removed one', () => {
  const cache = new ClusterCache();
  const [changed, removed] = [token(), token()];
  cache.set(changed, entry(made(changed, 1)));
  cache.set(removed, entry(made(removed, 2)));
  // Both are in the older generation by now.
  for (let i = 0; i < 11_000; i++) {
    const t = token();
    cache.set(t, entry(made(t, 3)));
  }
  cache.set(changed, entry(made(changed, 4)));
  assert.equal(cache.get(changed)?.cluster.modRevision, 4n);
  cache.delete(changed);
  cache.delete(removed);
  assert.equal(cache.get(changed), undefined);
  assert.equal(cache.get(removed), undefined);
});

test('deleted clusters weigh as much as the members in their last event', () => {
  const cache = new ClusterCache();
  const removed = Array.from({ length: 1000 }, (_, n) => ({ ...node(n), version: 1 }) as never);
  const tokens = Array.from({ length: 50 }, () => token());
  for (const [i, t] of tokens.entries()) {
    const { cluster } = entry(made(t, i));
    const event = { type: 'TOKEN_DELETED', removed } as never;
    cache.set(t, { ...entry({ ...cluster, changeBytes: eventBytes(event) }), recent: [event] });
  }
  const kept = tokens.filter((t) => cache.get(t) !== undefined).length;
  assert.ok(kept > 0 && kept <= 40, `${kept} are kept`);
});

test('what was read from disk is kept when it is read again, not when everything is read once', () => {
  const cache = new ClusterCache();
  const tokens = Array.from({ length: 1000 }, () => token());
  assert.ok(tokens.filter((t) => cache.isWanted(t)).length < 10, 'the first time');
  // Two tokens that share a slot evict each other.
  assert.ok(tokens.filter((t) => cache.isWanted(t)).length > 500, 'the second time');
  for (let i = 0; i < 100_000; i++) cache.isWanted(token());
  assert.ok(tokens.filter((t) => cache.isWanted(t)).length < 10, 'after many others');
});
