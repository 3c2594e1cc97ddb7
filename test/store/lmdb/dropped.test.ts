import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { revision, type Token } from '../../../src/discovery/types.ts';
import { decodeStoredCluster, encodeCluster } from '../../../src/store/lmdb/codec.ts';
import { countersOf, putCounters } from '../../../src/store/lmdb/counters.ts';
import { openDatabases } from '../../../src/store/lmdb/open.ts';
import { openLmdbStore } from '../../../src/store/lmdb/store.ts';
import { run } from '../../support/child.ts';
import { allEvents, expectRefusal, take } from '../laws/subject.ts';
import { at, create, HOUR, node, size, token } from '../support/commands.ts';

/** Removes the first changes of a token, as versions before changes were counted did. */
async function drop(path: string, t: Token, count: number): Promise<void> {
  const data = await openDatabases(path);
  const { env, meta, clusters, events, claim } = data;
  const range = { start: [t, 1] as [string, number], end: [t, Number.MAX_SAFE_INTEGER] as [string, number] };
  const keys = [...events.getKeys({ ...range, limit: count })];
  const { cluster } = decodeStoredCluster(t, clusters.get(t));
  const changeCount = cluster.changeCount - count;
  const compactRevision = keys.at(-1)?.[1] ?? 0;
  const counters = countersOf(data);
  await env.transaction(() => {
    for (const key of keys) events.remove(key);
    clusters.put(t, encodeCluster({ cluster: { ...cluster, changeCount }, compactRevision }));
    putCounters(meta, data.clusterName, { ...counters, records: counters.records - count });
  });
  await env.close();
  await claim.close();
}

test('changes that an earlier version dropped are compacted, and later ones can be read', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const on = token();
  const first = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  const made = await new Discovery(first, DEFAULT_POLICY).createToken(create(on, size(6)));
  for (let i = 1; i <= 5; i++) await new Discovery(first, DEFAULT_POLICY).register(on, node(i));
  await first.close();
  await drop(path, on, 2);
  const { code, stdout } = await run(['check', '--data-dir', path]);
  assert.equal(code, 0, stdout);

  const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  t.after(() => store.close());
  const discovery = new Discovery(store, DEFAULT_POLICY);
  const dropped = made.revision + 2n;
  const signal = new AbortController();
  for (const from of [0n, made.revision, dropped - 1n]) {
    const { facts } = await expectRefusal('REVISION_COMPACTED', store.events(on, revision(from), 10));
    assert.equal(facts.compactRevision, dropped);
    await expectRefusal('REVISION_COMPACTED', take(discovery.watch(on, revision(from), signal.signal), 2));
  }
  await discovery.register(on, node(6));
  const held = await allEvents(store, on, Number(dropped), 2);
  assert.deepEqual(
    held.map((event) => event.revision),
    [3n, 4n, 5n, 6n].map((change) => made.revision + change),
  );
  const [snapshot] = await take(discovery.watch(on, undefined, signal.signal), 1);
  assert.equal(snapshot?.type, 'SNAPSHOT');
  assert.equal(await store.sweep(at(Date.now() + 2 * HOUR), 10), 1);
  assert.deepEqual(await store.events(on, revision(0), 10), []);
});
