import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { RegisterMode } from '../../gen/discovery/v1/service_pb.ts';
import type { WatchCreateRequestSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import {
  bytes,
  infraValue,
  memberKey,
  membersPrefix,
  REGISTRY,
  text,
  tokenPrefix,
  WatchSession,
} from './etcd.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';

const T = 't';

/**
 * Creates a token for three with two members, and changes the second. Returns the revisions before and of that
 * change.
 */
async function cut(
  t: TestContext,
  how: 'REMOVED' | 'REPLACED',
  options: StackOptions = {},
): Promise<{ stack: Stack; start: bigint; at: bigint }> {
  const stack = await startStack(options);
  t.after(() => stack.close());
  const { client } = stack;
  await client.createToken({ token: T, size: 3 });
  await join(stack, 1);
  const { revision } = await join(stack, 2);
  const at =
    how === 'REMOVED'
      ? await client.deregister({ token: T, memberId: 'm2' })
      : await client.register({
          token: T,
          memberId: 'm2',
          name: 'other',
          peerUrls: ['http://10.0.0.9:2380'],
          mode: RegisterMode.REPLACE,
        });
  return { stack, start: revision + 1n, at: at.revision };
}

function join({ client }: Stack, i: number): Promise<{ revision: bigint }> {
  return client.register({
    token: T,
    memberId: `m${i}`,
    name: `infra${i}`,
    peerUrls: [`http://10.0.0.${i}:2380`],
  });
}

async function watch(
  t: TestContext,
  stack: Stack,
  more: MessageInitShape<typeof WatchCreateRequestSchema>,
): Promise<WatchSession> {
  const session = new WatchSession(stack.etcd.watch);
  t.after(() => session.stop());
  await session.started({ ...membersPrefix(T), ...more });
  return session;
}

suite('the watch of a node that has counted a removed member', () => {
  for (const how of ['REMOVED', 'REPLACED'] as const) {
    test(`receives the members at once when they are complete, before any older event (${how})`, async (t) => {
      const { stack, start } = await cut(t, how);
      const open = await watch(t, stack, { startRevision: start });
      for (const i of [3, 4, 5]) await join(stack, i).catch(() => {});
      const late = await watch(t, stack, { startRevision: start });
      const { members } = await stack.client.listMembers({ token: T });
      for (const session of [open, late]) {
        const { header, events, watchId } = await session.next();
        assert.deepEqual([header?.revision, watchId], [start - 1n, 0n]);
        assert.deepEqual(
          events.map(({ kv }) => [text(kv?.key ?? bytes('')), kv?.createRevision, kv?.modRevision]),
          members.map(({ id }, i) => [`${REGISTRY}${T}/members/${id}/final`, BigInt(i - 3), start - 1n]),
        );
        assert.deepEqual(
          events.map(({ kv }) => text(kv?.value ?? bytes(''))),
          members.map(({ name, peerUrls }) => `${name}=${peerUrls[0]}`),
        );
      }
    });
  }

  test('receives no revision past the removal from a heartbeat or an end of the token', async (t) => {
    const { stack, start } = await cut(t, 'REMOVED', { progressIntervalMs: 5 });
    const node = await watch(t, stack, { startRevision: start });
    await join(stack, 3);
    for (let beat = 0; beat < 3; beat++) {
      const { header, events } = await node.next();
      assert.deepEqual([header?.revision, events], [start - 1n, []]);
    }
    await stack.client.deleteToken({ token: T });
    for (;;) {
      const { header, events } = await node.next();
      assert.equal(header?.revision, start - 1n);
      if (events.length === 0) continue;
      assert.deepEqual(
        events.map(({ kv }) => kv?.modRevision),
        [start - 1n],
      );
      assert.match(text(events[0]?.kv?.value ?? bytes('')), /^the token was deleted/);
      return;
    }
  });

  test('starts again after the removal with the current members, like every other kind of watch', async (t) => {
    const { stack, start, at } = await cut(t, 'REMOVED');
    const fresh = await watch(t, stack, { startRevision: at + 1n });
    const ctl = await watch(t, stack, { startRevision: start, prevKv: true });
    const { revision } = await join(stack, 3);
    assert.equal((await fresh.events(1))[0]?.kv?.modRevision, revision);
    assert.deepEqual(
      (await ctl.events(2)).map(({ kv }) => kv?.modRevision),
      [at, revision],
    );
    assert.deepEqual((await stack.etcd.kv.range({ key: memberKey(T, 'm3') })).kvs[0]?.value, infraValue(3));
  });
});

suite('a watch from a revision of another life of the store', () => {
  test('of a node gets the reason, and the members when they are complete, in one response', async (t) => {
    const { stack, at } = await cut(t, 'REPLACED');
    const startRevision = at + 1000n;
    const early = await watch(t, stack, { startRevision });
    const why = await early.next();
    assert.equal(why.header?.revision, startRevision - 1n, 'the node resumes from there');
    assert.match(text(why.events[0]?.kv?.value ?? bytes('')), /restored[^=]*start it again$/);
    await join(stack, 3);
    const late = await watch(t, stack, { startRevision });
    await late.next();
    for (const session of [early, late]) {
      const { header, events } = await session.next();
      assert.equal(header?.revision, startRevision - 1n);
      assert.deepEqual(
        events.map(({ kv }) => text(kv?.key ?? bytes(''))),
        ['m1', 'm2', 'm3'].map((id) => `${REGISTRY}${T}/members/${id}/final`),
      );
    }
  });

  test('of another client ends as if compacted, and says where to start', async (t) => {
    const { stack, at } = await cut(t, 'REMOVED');
    for (const startRevision of [at + 2n, at + 1000n]) {
      const session = new WatchSession(stack.etcd.watch);
      t.after(() => session.stop());
      await session.started({ ...tokenPrefix(T), startRevision });
      const { canceled, compactRevision } = await session.next();
      assert.ok(canceled);
      assert.equal(compactRevision, at + 1n);
    }
    const session = await watch(t, stack, { startRevision: at + 1n });
    const { revision } = await join(stack, 4);
    assert.equal((await session.next()).header?.revision, revision, 'a node starts at the next revision');
  });
});
