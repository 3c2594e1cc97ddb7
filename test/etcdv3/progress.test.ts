import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { ClusterSchema } from '../../gen/discovery/v1/cluster_pb.ts';
import {
  WatchCreateRequest_FilterType,
  WatchCreateRequestSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { Questions } from '../../src/etcdv3/progress.ts';
import { Watcher } from '../../src/etcdv3/watcher.ts';
import { slow } from '../slow.ts';
import { waitFor } from '../support/wait.ts';
import { membersPrefix, prefix, REGISTRY, WatchSession } from './etcd.ts';
import { startStack } from './stack.ts';

class Gate {
  open = (): void => {};
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

test('only a watch with progress notifications receives them, again and again', async (t) => {
  const stack = await startStack({ progressIntervalMs: 5 });
  t.after(() => stack.close());
  const { client } = stack;
  const first = await client.createToken({ token: 't', size: 3 });
  const stream = new WatchSession(stack.etcd.watch);
  t.after(() => stream.stop());
  await stream.started({ ...membersPrefix('t'), watchId: 1n });
  await stream.started({ ...membersPrefix('t'), watchId: 2n, progressNotify: true });
  let revision = first.revision;
  for (let round = 0; round < 3; round++) {
    const answer = await stream.next();
    assert.equal(answer.watchId, 2n);
    assert.equal(answer.events.length, 0);
    assert.ok((answer.header?.revision ?? 0n) >= revision);
    revision = answer.header?.revision ?? 0n;
    // A change of another token advances the store, and this watch with it.
    ({ revision } = await client.createToken({ token: `other-${round}`, size: 1 }));
    while ((await stream.next()).header?.revision !== revision);
  }
  stream.stop();
  await waitFor('the watches to end', () => stack.discovery.watchers() === 0);
  assert.deepEqual(stack.defects, []);
});

test('a waiting node receives notifications that nothing is new, at the revision that it has reached', async (t) => {
  const stack = await startStack({ progressIntervalMs: 5 });
  t.after(() => stack.close());
  const { client } = stack;
  const { revision: made } = await client.createToken({ token: 't', size: 3 });
  const stream = new WatchSession(stack.etcd.watch);
  t.after(() => stream.stop());
  const startRevision = made + 1n;
  await stream.started({ ...membersPrefix('t'), startRevision });
  const hears = async (revision: bigint): Promise<void> => {
    const answer = await stream.next();
    assert.deepEqual([answer.events.length, answer.canceled, answer.created], [0, false, false]);
    assert.equal(answer.header?.revision, revision);
  };
  await hears(made);
  // The store advances, and the node does not.
  await client.createToken({ token: 'other', size: 1 });
  for (let round = 0; round < 3; round++) await hears(made);
  const { revision } = await client.register({
    token: 't',
    memberId: '1',
    name: 'a',
    peerUrls: ['http://a:1'],
  });
  while ((await stream.next()).events.length === 0);
  while ((await stream.next()).header?.revision !== revision);
  await hears(revision);
});

for (const [what, other] of Object.entries({
  'without a revision': { startRevision: 0n },
  'of another prefix': prefix(`${REGISTRY}t/members/`),
  'that asks for the values before': { prevKv: true },
  'with a filter': { filters: [WatchCreateRequest_FilterType.NODELETE] },
})) {
  test(`a watch ${what} is not a node's, and receives only changes`, async (t) => {
    const stack = await startStack({ progressIntervalMs: 5 });
    t.after(() => stack.close());
    const { client } = stack;
    const { revision } = await client.createToken({ token: 't', size: 3 });
    const stream = new WatchSession(stack.etcd.watch);
    t.after(() => stream.stop());
    const startRevision = revision + 1n;
    // The other watch comes first, because with a node's watch the stream is no longer quiet.
    await stream.started({ ...membersPrefix('t'), startRevision, watchId: 2n, ...other });
    await stream.started({ ...membersPrefix('t'), startRevision, watchId: 1n });
    for (let round = 0; round < 5; round++) assert.equal((await stream.next()).watchId, 1n);
  });
}

test('a progress request is answered only after every watch has delivered earlier changes', async (t) => {
  const gate = new Gate();
  const stack = await startStack({
    client: (real) => ({
      ...real,
      async *watchMembers(request, options) {
        for await (const message of real.watchMembers(request, options)) {
          if (message.update.case === 'event') await gate.opened;
          yield message;
        }
      },
    }),
  });
  t.after(() => stack.close());
  const { client } = stack;
  const { revision } = await client.createToken({ token: 't', size: 3 });
  await client.createToken({ token: 'other', size: 3 });
  for (const i of [1, 2, 3]) {
    await client.register({
      token: 't',
      memberId: `m${i}`,
      name: `n${i}`,
      peerUrls: [`http://10.0.0.${i}:1`],
    });
  }
  const stream = new WatchSession(stack.etcd.watch);
  t.after(() => stream.stop());
  await stream.started(membersPrefix('other'));
  await stream.started({ ...membersPrefix('t'), startRevision: revision });
  stream.progress();
  // The stream handles requests in order, so it has handled the progress request without a response.
  await stream.started(membersPrefix('other'));
  gate.open();
  const events = await stream.events(3);
  const answer = await stream.next();
  assert.equal(answer.watchId, -1n);
  assert.equal(answer.header?.revision, events[2]?.kv?.modRevision);
  assert.deepEqual(stack.defects, []);
});

test('a progress request is not answered before a watch that started after it has caught up', async (t) => {
  const gates = new Map([
    ['first', new Gate()],
    ['second', new Gate()],
  ]);
  const stack = await startStack({
    client: (real) => ({
      ...real,
      async *watchMembers(request, options) {
        for await (const message of real.watchMembers(request, options)) {
          if (message.update.case === 'event') await gates.get(request.token ?? '')?.opened;
          yield message;
        }
      },
    }),
  });
  t.after(() => stack.close());
  const { client } = stack;
  const { revision } = await client.createToken({ token: 'first', size: 3 });
  await client.createToken({ token: 'second', size: 3 });
  for (const token of gates.keys()) {
    await client.register({ token, memberId: 'm', name: 'n', peerUrls: ['http://10.0.0.1:1'] });
  }
  const stream = new WatchSession(stack.etcd.watch);
  t.after(() => stream.stop());
  await stream.started({ ...membersPrefix('first'), startRevision: revision });
  stream.progress();
  await stream.started({ ...membersPrefix('second'), startRevision: revision });
  gates.get('first')?.open();
  const [first] = await stream.events(1);
  // A watch without progress, which starts after a response would have been sent.
  await stream.started(membersPrefix('first'));
  gates.get('second')?.open();
  const [second] = await stream.events(1);
  assert.ok((second?.kv?.modRevision ?? 0n) > (first?.kv?.modRevision ?? 0n));
  assert.equal((await stream.next()).watchId, -1n);
  assert.deepEqual(stack.defects, []);
});

test('a stream that ends while a watch starts leaves nothing behind', async (t) => {
  const gate = new Gate();
  let asked = 0;
  const stack = await startStack({
    client: (real) => ({
      ...real,
      async getCluster(request, options) {
        asked += 1;
        if (asked === 1) await gate.opened;
        return real.getCluster(request, options);
      },
    }),
  });
  t.after(() => stack.close());
  await stack.client.createToken({ token: 't', size: 3 });
  const first = new WatchSession(stack.etcd.watch);
  first.create(membersPrefix('t'));
  await waitFor('the watch to start', () => asked === 1);
  first.stop();
  const second = new WatchSession(stack.etcd.watch);
  t.after(() => second.stop());
  // On the same connection, so the service has seen the end of the first stream by now.
  await second.started(membersPrefix('t'));
  gate.open();
  await second.started(membersPrefix('t'));
  assert.equal(stack.discovery.watchers(), 2);
  assert.deepEqual(stack.defects, []);
});

test('progress is never ahead of events', async (t) => {
  const stack = await startStack({ progressIntervalMs: 1 });
  t.after(() => stack.close());
  const { client } = stack;
  await client.createToken({ token: 't', size: 1000 });
  const stream = new WatchSession(stack.etcd.watch);
  t.after(() => stream.stop());
  await stream.started({ ...membersPrefix('t'), progressNotify: true });
  const count = slow ? 300 : 60;
  const joining = (async () => {
    for (let i = 1; i <= count; i++) {
      const peerUrls = [`http://10.0.0.1:${i}`];
      await client.register({ token: 't', memberId: `m${i}`, name: `n${i}`, peerUrls });
    }
  })();
  let progressed = 0n;
  let notices = 0;
  for (let events = 0; events < count || notices === 0; ) {
    const answer = await stream.next();
    if (answer.events.length === 0) {
      notices += 1;
      progressed = answer.header?.revision ?? 0n;
    }
    for (const { kv } of answer.events) {
      assert.ok(
        (kv?.modRevision ?? 0n) > progressed,
        `the event ${kv?.modRevision} came after progress ${progressed}`,
      );
      events += 1;
    }
  }
  await joining;
  assert.deepEqual(stack.defects, []);
});

test('of many progress requests the first and the latest are kept', () => {
  const watcher = (delivered: bigint): Watcher => {
    const request = create(WatchCreateRequestSchema, { startRevision: delivered + 1n });
    const span = { token: 't', root: '/_etcd/registry/t', from: 'a', to: 'b' };
    return new Watcher(0n, span, request, create(ClusterSchema), delivered);
  };
  const questions = new Questions();
  assert.equal(questions.takeAnswered(), undefined);
  const [behind, level] = [watcher(3n), watcher(9n)];
  const targets = new Map([
    [behind, 5n],
    [level, 9n],
  ]);
  for (const revision of [10n, 11n, 12n, 13n]) questions.add({ revision, targets });
  assert.equal(questions.takeAnswered(), undefined);
  behind.stop();
  assert.equal(questions.takeAnswered(), 10n);
  assert.equal(questions.takeAnswered(), 13n);
  assert.equal(questions.takeAnswered(), undefined);
});
