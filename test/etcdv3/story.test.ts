import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MemberEvent, MemberEventType } from '../../gen/discovery/v1/cluster_pb.ts';
import { RegisterMode, WhenFull } from '../../gen/discovery/v1/service_pb.ts';
import type { Event } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { formatValue } from '../../src/etcd/value.ts';
import { seed } from '../etcdv2/seed.ts';
import { slow } from '../slow.ts';
import { noWatchLeft, type Served, serve } from './cluster.ts';
import {
  bytes,
  memberKey,
  membersPrefix,
  prefix,
  REGISTRY,
  sizeKey,
  text,
  tokenPrefix,
  WatchSession,
} from './etcd.ts';

// Random histories of one token, written through all three APIs and watched through two.

const HISTORIES = slow ? 60 : 2;
const CHANGES = 40;
const IDS = ['a', 'b', 'c', 'd', 'e'];
/** A size that completes, after which only standbys change, and one that does not. */
const SIZES = [3, 9];

/** Returns a generator of the same numbers for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed % 2147483647 || 1;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

/** A change in the form common to all dialects: `PUT members/a infra1=... 7 5 2` is its key, value and revisions. */
type Change = string;

function ofEtcd(token: string, { type, kv }: Event): Change {
  const key = text(kv?.key ?? bytes('')).slice(`${REGISTRY}${token}/`.length);
  if (type === 1) return `DELETE ${key} ${kv?.modRevision}`;
  return `PUT ${key} ${text(kv?.value ?? bytes(''))} ${kv?.modRevision} ${kv?.createRevision} ${kv?.version}`;
}

function ofRpc(event: MemberEvent): Change[] {
  const { type, member, revision, removedMembers } = event;
  if (type === MemberEventType.TOKEN_DELETED) {
    const keys = ['_config/size', ...removedMembers.map(({ id }) => `members/${id}`)].sort();
    return keys.map((key) => `DELETE ${key} ${revision}`);
  }
  assert.ok(member);
  if (type === MemberEventType.DEREGISTERED) return [`DELETE members/${member.id} ${revision}`];
  const { id, modRevision, createRevision, version } = member;
  assert.equal(modRevision, revision);
  return [`PUT members/${id} ${formatValue(member)} ${modRevision} ${createRevision} ${version}`];
}

/** Makes one random change through a random API. Rejections are part of the history, and cause no event. */
async function change(served: Served, token: string, random: (below: number) => number): Promise<void> {
  const id = IDS[random(IDS.length)] ?? 'a';
  const value = `n${random(6)}=http://10.0.0.${random(6) + 1}:2380`;
  const [name = '', url = ''] = value.split('=');
  const { client, url: base } = served.service;
  const key = memberKey(token, id);
  const calls: ReadonlyArray<() => Promise<unknown>> = [
    () => fetch(`${base}/${token}/${id}`, { method: 'PUT', body: new URLSearchParams({ value }) }),
    () =>
      fetch(`${base}/${token}/${id}?prevExist=false`, {
        method: 'PUT',
        body: new URLSearchParams({ value }),
      }),
    () => fetch(`${base}/${token}/${id}`, { method: 'DELETE' }),
    () =>
      client.register({
        token,
        memberId: id,
        name,
        peerUrls: [url],
        mode: RegisterMode.CREATE_OR_REPLACE,
        whenFull: WhenFull.STANDBY,
      }),
    () => client.deregister({ token, memberId: id }),
    () => served.kv.put({ key, value: bytes(value) }),
    () => served.kv.put({ key, value: bytes(value) }),
    () => served.kv.deleteRange({ key }),
    () =>
      served.kv.txn({ success: [{ request: { case: 'requestPut', value: { key, value: bytes(value) } } }] }),
  ];
  await calls[random(calls.length)]?.().catch(() => {});
}

/** Returns all changes of a token from a revision on, by the RPC, up to the end of the token. */
async function changesByRpc({ service }: Served, token: string, start: bigint): Promise<Change[]> {
  const changes: Change[] = [];
  for await (const { update } of service.client.watchMembers({ token, afterRevision: start - 1n })) {
    if (update.case === 'event') changes.push(...ofRpc(update.value));
  }
  return changes;
}

/** Returns the same from a watch of v3, which ends with the reason. */
async function changesByEtcd({ watch }: Served, token: string, start: bigint): Promise<Change[]> {
  const session = new WatchSession(watch);
  const changes: Change[] = [];
  await session.started({ ...tokenPrefix(token), startRevision: start });
  for (;;) {
    for (const event of (await session.next()).events) {
      if (event.type === 1 && event.kv?.value.length !== 0) {
        session.stop();
        return changes;
      }
      changes.push(ofEtcd(token, event));
    }
  }
}

test('both dialects and the API report the same changes in order, each once', async (t) => {
  const served = await serve();
  t.after(() => served.service.stop());
  const random = randomOf(seed);
  for (let history = 0; history < HISTORIES; history++) {
    const size = SIZES[history % SIZES.length] as number;
    const token = await served.token(size);
    const { header } = await served.kv.range({ key: sizeKey(token) });
    const first = header?.revision ?? 0n;
    const made = `PUT _config/size ${size} ${first} ${first} 1`;
    const early = { rpc: changesByRpc(served, token, first + 1n), etcd: changesByEtcd(served, token, first) };
    for (let i = 0; i < CHANGES; i += 4) {
      await Promise.all(Array.from({ length: 4 }, () => change(served, token, random)));
      await compareStates(served, token);
    }
    const { revision } = await served.service.client.getCluster({ token });
    // From any revision so far; later ones may be gone when the watch starts.
    const start = first + BigInt(random(Number(revision - first) + 1));
    const late = { rpc: changesByRpc(served, token, start), etcd: changesByEtcd(served, token, start) };
    await served.kv.deleteRange(tokenPrefix(token));
    const story = [made, ...(await early.rpc)];
    const from = (at: bigint): Change[] =>
      story.filter((telling) => BigInt(/ (\d+)(?: \d+ \d+)?$/.exec(telling)?.[1] ?? 0) >= at);
    const why = `history ${history}, from ${start}`;
    assert.ok(story.length > size, 'the history is not empty');
    assert.deepEqual(await early.etcd, story, why);
    assert.deepEqual(await late.etcd, from(start), why);
    assert.deepEqual(
      await late.rpc,
      from(start).filter((telling) => telling !== made),
      why,
    );
  }
  await noWatchLeft(served);
});

/** Asserts that all three list the same members with the same revisions at one moment. */
async function compareStates({ service, kv }: Served, token: string): Promise<void> {
  const list = await service.client.listMembers({ token });
  const ofRpc = [...list.members, ...list.standbys]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((member) => [member.id, formatValue(member), member.createRevision, member.modRevision]);
  const range = await kv.range(membersPrefix(token));
  const ofEtcd = range.kvs.map(({ key, value, createRevision, modRevision }) => [
    text(key).split('/').at(-1),
    text(value),
    createRevision,
    modRevision,
  ]);
  assert.deepEqual(ofEtcd, ofRpc);
  assert.equal(range.header?.revision, list.revision);
  const answer = await fetch(`${service.url}/${token}?sorted=true`);
  const body = (await answer.json()) as { node: { nodes?: ReadonlyArray<Record<string, string | number>> } };
  const ofV2 = (body.node.nodes ?? []).map((node) => [
    String(node['key']).split('/').at(-1),
    node['value'],
    BigInt(node['createdIndex'] ?? 0),
    BigInt(node['modifiedIndex'] ?? 0),
  ]);
  assert.deepEqual(ofV2, ofRpc);
  assert.equal(answer.headers.get('x-etcd-index'), String(list.revision));
}

test('a prefix of a member’s id and its key receive their part of the changes', async (t) => {
  const served = await serve();
  const token = await served.token(9);
  const session = new WatchSession(served.watch);
  t.after(async () => {
    session.stop();
    await served.service.stop();
  });
  await session.started(prefix(`${REGISTRY}${token}/members/m1`));
  await session.started({ key: memberKey(token, 'm11') });
  for (const i of [2, 1, 11, 3, 12]) await served.join(token, i);
  const seen: string[] = [];
  while (seen.length < 4) {
    const answer = await session.next();
    seen.push(`${answer.watchId} ${answer.events.map((event) => ofEtcd(token, event).split(' ')[1]).join()}`);
  }
  assert.deepEqual(seen.toSorted(), ['0 members/m1', '0 members/m11', '0 members/m12', '1 members/m11']);
});
