import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Code, createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { Watch } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { noWatchLeft, rejectionMessage, type Served, serve } from './cluster.ts';
import {
  bytes,
  infraValue,
  memberKey,
  membersPrefix,
  prefix,
  REGISTRY,
  sizeKey,
  text,
  WatchSession,
} from './etcd.ts';

// One token in both dialects: each dialect lists, waits for and receives what the other writes, at the same
// revisions.

let served: Served;
before(async () => {
  served = await serve();
});
after(async () => {
  await noWatchLeft(served);
  await served.service.stop();
});

interface V2Answer {
  readonly index: bigint;
  readonly action: string;
  readonly node: Readonly<Record<string, string | number>>;
}

async function v2(path: string, init?: RequestInit): Promise<V2Answer> {
  const answer = await fetch(`${served.service.url}${path}`, init);
  const { action, node } = (await answer.json()) as Omit<V2Answer, 'index'>;
  return { index: BigInt(answer.headers.get('x-etcd-index') ?? -1), action, node };
}

function register(token: string, id: string, i: number): Promise<V2Answer> {
  const body = new URLSearchParams({ value: text(infraValue(i)) });
  return v2(`/${token}/${id}?prevExist=false`, { method: 'PUT', body });
}

suite('a token', () => {
  test('is the same, however it was created', async () => {
    const url = await (await fetch(`${served.service.url}/new?size=5`)).text();
    const { cluster } = await served.service.client.createToken({ size: 5 });
    const issued = url.split('/').at(-1) ?? '';
    const chosen = await served.token(5);
    for (const token of [issued, cluster?.token ?? '', chosen]) {
      const { kvs, header } = await served.kv.range({ key: sizeKey(token) });
      assert.equal(text(kvs[0]?.value ?? bytes('')), '5');
      const { node, index } = await v2(`/${token}/_config/size`);
      assert.equal(node['value'], '5');
      assert.equal(BigInt(node['createdIndex'] ?? 0), kvs[0]?.createRevision);
      assert.equal(index, header?.revision);
    }
  });

  test('can be the whole discovery URL in the keys of v3', async (t) => {
    const token = await served.token();
    const root = `${REGISTRY}http:/10.0.0.9:8087/${token}`;
    const session = new WatchSession(served.watch);
    t.after(() => session.stop());
    const { kvs } = await served.kv.range({ key: bytes(`${root}/_config/size`) });
    assert.equal(text(kvs[0]?.key ?? bytes('')), `${root}/_config/size`);
    await session.started(prefix(`${root}/members`));
    await register(token, 'a', 1);
    await served.kv.put({ key: bytes(`${root}/members/b`), value: infraValue(2) });
    const events = await session.events(2);
    assert.deepEqual(
      events.map(({ kv }) => text(kv?.key ?? bytes(''))),
      [`${root}/members/a`, `${root}/members/b`],
    );
    const { count } = await served.kv.range(membersPrefix(token));
    assert.equal(count, 2n);
    const words = await rejectionMessage(
      served.kv.txn({
        success: [
          { request: { case: 'requestRange', value: { key: bytes(`${root}/members/a`) } } },
          { request: { case: 'requestRange', value: { key: memberKey(token, 'a') } } },
        ],
      }),
      Code.PermissionDenied,
    );
    assert.match(words, /only the keys of one token/);
  });
});

suite('a member', () => {
  test('of one dialect wakes nodes that wait in the other', async (t) => {
    const token = await served.token();
    const session = new WatchSession(served.watch);
    t.after(() => session.stop());
    await session.started(membersPrefix(token));
    const { index } = await v2(`/${token}`);
    const waiting = v2(`/${token}?recursive=true&wait=true&waitIndex=${index + 1n}`);

    const put = await served.kv.put({ key: memberKey(token, 'a'), value: infraValue(1) });
    const woken = await waiting;
    assert.equal(woken.action, 'create');
    assert.equal(woken.node['key'], `${REGISTRY}${token}/a`);
    assert.equal(woken.node['value'], text(infraValue(1)));
    assert.equal(BigInt(woken.node['modifiedIndex'] ?? 0), put.header?.revision);
    assert.equal(BigInt(woken.node['createdIndex'] ?? 0), put.header?.revision);
    const [first] = await session.events(1);
    assert.equal(first?.kv?.modRevision, put.header?.revision);

    const created = await register(token, 'b', 2);
    const [second] = await session.events(1);
    assert.equal(text(second?.kv?.key ?? bytes('')), text(memberKey(token, 'b')));
    assert.equal(second?.kv?.createRevision, BigInt(created.node['createdIndex'] ?? 0));
    assert.equal(second?.kv?.version, 1n);
  });

  test('that repeats its registration in the other dialect stays the same member', async () => {
    const token = await served.token();
    const put = await served.kv.put({ key: memberKey(token, 'a'), value: infraValue(1) });
    const again = await register(token, 'a', 1);
    assert.equal(BigInt(again.node['createdIndex'] ?? 0), put.header?.revision);
    await served.kv.put({ key: memberKey(token, 'a'), value: infraValue(1) });
    const { kvs } = await served.kv.range({ key: memberKey(token, 'a') });
    assert.equal(kvs[0]?.modRevision, put.header?.revision);
  });

  test('beyond the size is listed last in both', async () => {
    const token = await served.token(2);
    await register(token, 'c', 1);
    await served.kv.put({ key: memberKey(token, 'b'), value: infraValue(2) });
    await register(token, 'a', 3);
    const { kvs } = await served.kv.range({ ...membersPrefix(token), sortTarget: 2 });
    assert.deepEqual(
      kvs.map(({ key }) => text(key).at(-1)),
      ['c', 'b', 'a'],
    );
    const { standbys } = await served.service.client.listMembers({ token });
    assert.deepEqual(
      standbys.map(({ id }) => id),
      ['a'],
    );
  });
});

suite('the watch of v3 over other protocols', () => {
  const baseUrl = (): string => served.service.url;
  const carried = {
    gRPC: () => createGrpcTransport({ baseUrl: baseUrl() }),
    'Connect over HTTP/2': () => createConnectTransport({ baseUrl: baseUrl(), httpVersion: '2' }),
    'gRPC-Web over HTTP/2': () => createGrpcWebTransport({ baseUrl: baseUrl(), httpVersion: '2' }),
  };
  for (const [name, transport] of Object.entries(carried)) {
    test(`works with ${name}`, async (t) => {
      const token = await served.token();
      const session = new WatchSession(createClient(Watch, transport()));
      t.after(() => session.stop());
      await session.started(membersPrefix(token));
      await served.join(token, 1);
      await session.events(1);
    });
  }

  test('is rejected with HTTP/1.1, which cannot carry it', async () => {
    const answer = await fetch(`${baseUrl()}/etcdserverpb.Watch/Watch`, {
      method: 'POST',
      headers: { 'content-type': 'application/connect+proto' },
      body: new Uint8Array(5),
    });
    assert.equal(answer.status, 505);
    await answer.body?.cancel();
    assert.equal((await fetch(`${baseUrl()}/health`)).status, 200);
  });
});
