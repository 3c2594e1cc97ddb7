import assert from 'node:assert/strict';
import type { Event } from '../../../src/discovery/change.ts';
import { endTime } from '../../../src/discovery/cluster.ts';
import type { Cluster, Member } from '../../../src/discovery/types.ts';
import { revision, type Token } from '../../../src/discovery/types.ts';
import { decodeEvent, decodeStoredCluster } from '../../../src/store/lmdb/codec.ts';
import { openDatabases } from '../../../src/store/lmdb/open.ts';
import { MARK_REVISION, placeKey } from '../../../src/store/lmdb/tables.ts';

/** The contents of a data directory on disk. */
export interface Contents {
  readonly revision: bigint;
  readonly clusters: ReadonlyMap<Token, { readonly cluster: Cluster; readonly events: readonly Event[] }>;
}

/** Reads a whole data directory and checks that its parts agree: nothing is partial. */
export async function readWhole(path: string): Promise<Contents> {
  const { env, meta, clusters, events, ends, places, claim } = await openDatabases(path);
  try {
    const found = new Map<Token, { cluster: Cluster; events: Event[]; marks: number }>();
    for (const { key, read } of clusters.getRange()) {
      const token = key as Token;
      const { cluster } = decodeStoredCluster(token, read());
      found.set(token, { cluster, events: [], marks: 0 });
    }
    for (const { key, read } of events.getRange()) {
      const entry = found.get(key[0]);
      assert.ok(entry, 'an event without its cluster');
      // The mark of a token.
      if (key[1] === MARK_REVISION) entry.marks += 1;
      else entry.events.push(decodeEvent(revision(key[1]), read()));
    }
    const index = [...ends.getKeys()].map(([end, token]) => `${token} ${end}`);
    const due = [...found].map(([token, { cluster }]) => `${token} ${endTime(cluster)}`);
    assert.deepEqual(new Set(index), new Set(due), 'the index by end time');
    assert.equal(index.length, due.length);
    const stated = [...places.getKeys()].map((key) => key.join(' ')).sort();
    const wanted = [...found.values()].map(({ cluster }) => placeKey(cluster).join(' ')).sort();
    assert.deepEqual(stated, wanted, 'the index of places');
    const revisions = new Set<bigint>();
    for (const entry of found.values()) {
      assert.equal(entry.marks, 1);
      checkLog(entry.cluster, entry.events);
      assert.equal(entry.cluster.changeCount, entry.events.length);
      for (const each of [entry.cluster.createRevision, ...entry.events.map((event) => event.revision)]) {
        assert.ok(!revisions.has(each), 'a revision was reused');
        revisions.add(each);
      }
    }
    const counter = BigInt(meta.get('revision') as number);
    for (const each of revisions) assert.ok(each <= counter, 'the counter is behind');
    return { revision: counter, clusters: found };
  } finally {
    await env.close();
    await claim.close();
  }
}

/** Asserts that the events, applied in order, produce the record. */
function checkLog(cluster: Cluster, events: readonly Event[]): void {
  let members: Member[] = [];
  let at = cluster.createRevision;
  let isDeleted = false;
  for (const event of events) {
    assert.ok(event.revision > at, 'the events are in order');
    at = event.revision;
    const member = event.member as Member;
    if (event.type === 'REGISTERED') members.push(member);
    if (event.type === 'REPLACED') {
      assert.deepEqual(
        event.previous,
        members.find((each) => each.id === member.id),
      );
      members = members.map((each) => (each.id === member.id ? member : each));
    }
    if (event.type === 'DEREGISTERED') {
      assert.deepEqual(
        member,
        members.find((each) => each.id === member.id),
      );
      members = members.filter((each) => each.id !== member.id);
    }
    if (event.type === 'TOKEN_DELETED') {
      members = [];
      isDeleted = true;
    }
    const count = members.length;
    assert.deepEqual(
      [event.complete, event.memberCount, event.standbyCount],
      [count >= cluster.size, Math.min(count, cluster.size), Math.max(0, count - cluster.size)],
    );
  }
  assert.deepEqual(cluster.members, members);
  assert.equal(cluster.modRevision, at);
  assert.equal(cluster.deleteTime !== undefined, isDeleted);
}
