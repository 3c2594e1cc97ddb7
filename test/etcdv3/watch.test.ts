import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { after, before, suite, test } from 'node:test';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import type {
  WatchCreateRequestSchema,
  WatchRequestSchema,
  WatchResponse,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { V3_LIMITS } from '../../src/limits.ts';
import { slow } from '../slow.ts';
import { forgetHistory } from '../support/forget-history.ts';
import { waitFor } from '../support/wait.ts';
import { noWatchLeft, rejectionMessage, type Served, serve } from './cluster.ts';
import {
  bytes,
  connect,
  infraValue,
  memberKey,
  membersPrefix,
  prefix,
  REGISTRY,
  sizeKey,
  text,
  tokenPrefix,
  WatchSession,
} from './etcd.ts';

let served: Served;
before(async () => {
  served = await serve({ minTtl: 1 });
});
after(async () => {
  await noWatchLeft(served);
  await served.service.stop();
});

/** Opens a stream that is closed at the end of the test. */
function session(t: { after(end: () => void): void }): WatchSession {
  const session = new WatchSession(served.watch);
  t.after(() => session.stop());
  return session;
}

/** The requests of a client that creates one watch and keeps its stream open. */
async function* createOnce(
  value: MessageInitShape<typeof WatchCreateRequestSchema>,
): AsyncGenerator<MessageInitShape<typeof WatchRequestSchema>> {
  yield { requestUnion: { case: 'createRequest', value } };
  await new Promise(() => {});
}

suite('watches', () => {
  test('from every revision of a history deliver the changes since then, in order', async (t) => {
    await served.token();
    await served.token();
    const token = await served.token(9);
    const { header } = await served.kv.range({ key: sizeKey(token) });
    const history = [{ key: `${REGISTRY}${token}/_config/size`, revision: header?.revision ?? 0n }];
    for (let i = 1; i <= 6; i++) {
      // Other tokens use revisions in between.
      await served.token();
      history.push({ key: text(memberKey(token, `m${i}`)), revision: await served.join(token, i) });
    }
    const first = history[0]?.revision ?? 0n;
    const last = history.at(-1)?.revision ?? 0n;
    const stream = session(t);
    for (let start = first - 1n; start <= last; start++) {
      const { watchId } = await stream.started({ ...tokenPrefix(token), startRevision: start });
      const expected = history.filter(({ revision }) => revision >= start);
      const events = await stream.events(expected.length);
      assert.deepEqual(
        events.map(({ kv }) => ({ key: text(kv?.key ?? bytes('')), revision: kv?.modRevision })),
        expected,
      );
      stream.cancel(watchId);
      assert.ok((await stream.next()).canceled);
    }
  });

  test('up to the limit of a stream receive only their own key, and one more is rejected', async (t) => {
    const token = await served.token(1000);
    const stream = session(t);
    for (let i = 0; i < V3_LIMITS.watchesPerStream; i++) stream.create({ key: memberKey(token, `m${i}`) });
    for (let i = 0; i < V3_LIMITS.watchesPerStream; i++)
      assert.equal((await stream.next()).watchId, BigInt(i));
    stream.create(membersPrefix(token));
    const refusal = await stream.next();
    assert.ok(refusal.created && refusal.canceled);
    assert.equal(refusal.watchId, -1n);
    assert.match(refusal.cancelReason, /^a stream can carry at most 1000 watches; /);
    for (const i of [3, 500, 999]) await served.join(token, i);
    // Only the changes of each watch are ordered.
    const seen: number[] = [];
    while (seen.length < 3) {
      const answer = await stream.next();
      assert.equal(answer.events.length, 1);
      seen.push(Number(answer.watchId));
    }
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      [3, 500, 999],
    );
    stream.cancel(500n);
    assert.ok((await stream.next()).canceled);
    await stream.started(membersPrefix(token));
  });

  test('start at the requested revision, whatever happens meanwhile', async (t) => {
    const token = await served.token(100);
    const stream = session(t);
    const joins = Array.from({ length: 50 }, (_, i) => served.join(token, i + 1));
    stream.create(membersPrefix(token));
    const revisions = await Promise.all(joins);
    const created = await stream.next();
    const from = created.header?.revision ?? 0n;
    const expected = revisions.filter((revision) => revision > from).toSorted((a, b) => Number(a - b));
    const events = await stream.events(expected.length);
    assert.deepEqual(
      events.map(({ kv }) => kv?.modRevision),
      expected,
    );
  });

  test('continue when the client has no more requests, and end with the last one', async (t) => {
    const token = await served.token();
    const stream = session(t);
    await stream.started(membersPrefix(token));
    stream.endRequests();
    await served.join(token, 1);
    await stream.events(1);
    await served.join(token, 2);
    await stream.events(1);
    const none = session(t);
    none.endRequests();
    await none.end();
  });

  test('deliver nothing after they were cancelled', async (t) => {
    const token = await served.token();
    const stream = session(t);
    await stream.started({ ...membersPrefix(token), watchId: 5n });
    await stream.started({ ...membersPrefix(token), watchId: 6n });
    stream.cancel(5n);
    stream.cancel(5n);
    assert.ok((await stream.next()).canceled);
    await served.join(token, 1);
    const answer = await stream.next();
    assert.equal(answer.watchId, 6n);
    await stream.started({ ...membersPrefix(token), watchId: 5n });
  });

  test('ignore requests without content', async (t) => {
    const token = await served.token();
    const stream = session(t);
    stream.cancel(77n);
    stream.progress();
    await stream.started(membersPrefix(token));
  });
});

suite('tokens that do not exist', () => {
  test('a watch from now of an unknown token is rejected with an error message', async (t) => {
    const stream = session(t);
    stream.create(tokenPrefix('never-made'));
    const answer = await stream.next();
    assert.ok(answer.created && answer.canceled);
    assert.match(answer.cancelReason, /^no such token: .* create a new one$/);
    assert.ok((answer.header?.revision ?? 0n) > 0n);
  });

  test('a stream keeps a few watches of ended tokens, outside of all limits, and cancels others', async (t) => {
    const stream = session(t);
    const begin = { ...tokenPrefix('never-made'), startRevision: 1n };
    for (let i = 0; i < V3_LIMITS.endedPerStream; i++) {
      await stream.started(begin);
      const [last] = await stream.events(1);
      assert.match(text(last?.kv?.value ?? bytes('')), /^no such token: /);
    }
    const { watchId } = await stream.started(begin);
    const answer = await stream.next();
    assert.deepEqual([answer.watchId, answer.canceled], [watchId, true]);
    assert.match(answer.cancelReason, /^no such token: /);
    stream.cancel(0n);
    assert.equal((await stream.next()).canceled, true);
    await stream.started(begin);
    assert.equal((await stream.events(1)).length, 1);
  });

  test('a watch of an invalid token is rejected with an error message', async (t) => {
    const stream = session(t);
    stream.create(prefix(`${REGISTRY}a b/`));
    assert.match((await stream.next()).cancelReason, /^a token must have 1 to 128 letters/);
  });

  test('a deletion is delivered key by key, and then the reason that the watch ends', async (t) => {
    const token = await served.token();
    await served.join(token, 1);
    const stream = session(t);
    await stream.started({ ...tokenPrefix(token), prevKv: true });
    await served.kv.deleteRange(tokenPrefix(token));
    const gone = await stream.events(2);
    assert.deepEqual(
      gone.map(({ kv, prevKv }) => [text(kv?.key ?? bytes('')), text(prevKv?.value ?? bytes(''))]),
      [
        [text(sizeKey(token)), '3'],
        [text(memberKey(token, 'm1')), text(infraValue(1))],
      ],
    );
    const [last] = await stream.events(1);
    assert.match(text(last?.kv?.value ?? bytes('')), /^the token was deleted .* ago; create a new one$/);
    stream.progress();
    assert.equal((await stream.next()).watchId, -1n);
  });

  test('a watch from the past of a deleted token delivers its whole history', async (t) => {
    const token = await served.token();
    const { header } = await served.kv.range({ key: sizeKey(token) });
    await served.join(token, 1);
    await served.kv.deleteRange(tokenPrefix(token));
    const stream = session(t);
    await stream.started({ ...tokenPrefix(token), startRevision: header?.revision ?? 0n });
    const events = await stream.events(5);
    assert.deepEqual(
      events.slice(0, 4).map(({ type, kv }) => [type, text(kv?.key ?? bytes(''))]),
      [
        [0, text(sizeKey(token))],
        [0, text(memberKey(token, 'm1'))],
        [1, text(sizeKey(token))],
        [1, text(memberKey(token, 'm1'))],
      ],
    );
    assert.match(text(events[4]?.kv?.value ?? bytes('')), /^the token was deleted/);
  });

  test('watches learn that their token expired', async (t) => {
    const stream = session(t);
    let created: WatchResponse | undefined;
    // On a slow machine a token may expire before the watch starts: then retry with a longer lifetime.
    for (let seconds = 1n; created === undefined; seconds *= 2n) {
      const ttl = { seconds, nanos: 0 };
      const { cluster } = await served.service.client.createToken({ size: 1, ttl });
      stream.create(tokenPrefix(cluster?.token ?? ''));
      const answer = await stream.next();
      if (!answer.canceled) created = answer;
      else assert.match(answer.cancelReason, /^the token expired/);
    }
    const { header } = created;
    const [last] = await stream.events(1);
    assert.ok((last?.kv?.modRevision ?? 0n) >= (header?.revision ?? 0n), 'a client resumes after it');
    assert.match(
      text(last?.kv?.value ?? bytes('')),
      /^the token expired .* ago with .* registered.*; reopen it .*, or create a new one$/,
    );
  });
});

suite('history', () => {
  test('that is no longer kept ends a watch with the revision to resume from', async (t) => {
    const token = await served.token();
    const { header } = await served.kv.range({ key: sizeKey(token) });
    const first = header?.revision ?? 0n;
    await served.join(token, 1);
    const dropped = await served.join(token, 2);
    const kept = await served.join(token, 3);
    forgetHistory(served.service.discovery, token, dropped);
    const stream = session(t);
    for (const startRevision of [first, first + 1n]) {
      const { watchId } = await stream.started({ ...tokenPrefix(token), startRevision });
      const answer = await stream.next();
      assert.ok(answer.canceled && !answer.created);
      assert.equal(answer.watchId, watchId);
      assert.equal(answer.events.length, 0, 'no event is delivered from a history with gaps');
      assert.equal(answer.cancelReason, 'etcdserver: mvcc: required revision has been compacted');
      assert.equal(answer.compactRevision, dropped + 1n);
      stream.create({ ...tokenPrefix(token), startRevision: answer.compactRevision - 1n });
      assert.ok((await stream.next()).created);
      assert.ok((await stream.next()).canceled, 'one revision earlier is too early');
      const again = await stream.started({ ...tokenPrefix(token), startRevision: answer.compactRevision });
      const events = await stream.events(1);
      assert.equal(events[0]?.kv?.modRevision, kept);
      stream.cancel(again.watchId);
      assert.ok((await stream.next()).canceled);
    }
  });
});

suite('progress', () => {
  test("covers a client's acknowledged writes", async (t) => {
    const token = await served.token(100);
    const stream = session(t);
    await stream.started(membersPrefix(token));
    for (let i = 1; i <= 20; i++) {
      const revision = await served.join(token, i);
      stream.progress();
      const [event, answer] = [await stream.next(), await stream.next()];
      assert.equal(event.events[0]?.kv?.modRevision, revision);
      assert.equal(answer.watchId, -1n);
      assert.ok((answer.header?.revision ?? 0n) >= revision);
    }
  });
});

suite('ending a watch', () => {
  test('aborting streams at any moment leaves nothing behind', async () => {
    const token = await served.token(1000);
    const { header } = await served.kv.range({ key: sizeKey(token) });
    await Promise.all(Array.from({ length: 30 }, (_, i) => served.join(token, i + 1)));
    for (let round = 0; round < 30; round += slow ? 1 : 4) {
      const stream = new WatchSession(served.watch);
      for (let i = 0; i < 5; i++)
        stream.create({ ...tokenPrefix(token), startRevision: header?.revision ?? 0n });
      for (let i = 0; i < round; i++) await stream.next();
      stream.progress();
      stream.stop();
    }
    await noWatchLeft(served);
  });

  test('closing connections leaves nothing behind', async () => {
    const token = await served.token();
    const other = connect(served.service.url);
    const streams = Array.from({ length: 5 }, () => new WatchSession(other.watch));
    for (const stream of streams) await stream.started(membersPrefix(token));
    assert.equal(served.service.discovery.watchers(), 5);
    for (const stream of streams) stream.stop();
    await noWatchLeft(served);
  });

  test('cancelling watches leaves nothing behind while the stream continues', async (t) => {
    const token = await served.token();
    const stream = session(t);
    for (let i = 0n; i < 20n; i++) await stream.started(membersPrefix(token));
    assert.equal(served.service.discovery.watchers(), 20);
    for (let i = 0n; i < 20n; i++) stream.cancel(i);
    for (let i = 0; i < 20; i++) assert.ok((await stream.next()).canceled);
    await noWatchLeft(served);
  });

  test('starting watches creates no timers', async (t) => {
    const token = await served.token();
    const stream = session(t);
    await stream.started(membersPrefix(token));
    let timers = 0;
    const hook = createHook({
      init(_id, type) {
        // LMDB refreshes its snapshot with a timer of its own.
        if (type === 'Timeout' && !/node_modules\/lmdb\//.test(new Error().stack ?? '')) timers += 1;
      },
    }).enable();
    for (let i = 0; i < 200; i++) await stream.started({ ...membersPrefix(token), progressNotify: true });
    hook.disable();
    // Other code creates timers as time passes, so there are more on a slow machine.
    assert.ok(timers < 150, `${timers} timers for 200 watches`);
  });

  test('a deadline ends a stream with DeadlineExceeded', async (t) => {
    const token = await served.token();
    // In a header, so that only the service enforces it.
    const headers = { 'grpc-timeout': '50m' };
    const abort = new AbortController();
    t.after(() => abort.abort());
    const answers = served.watch.watch(createOnce(membersPrefix(token)), { headers, signal: abort.signal });
    const reading = (async () => {
      for await (const { created } of answers) assert.ok(created);
    })();
    await rejectionMessage(reading, Code.DeadlineExceeded);
    await noWatchLeft(served);
  });

  test('a service that stops reports it with a code that is worth a retry', async (t) => {
    const other = await serve();
    const token = await other.token();
    const watching = new WatchSession(other.watch);
    t.after(() => watching.stop());
    await watching.started(membersPrefix(token));
    const words = rejectionMessage(watching.next(), Code.Unavailable);
    await waitFor('the watch', () => other.service.discovery.watchers() === 1);
    const stopped = other.service.stop();
    assert.match(await words, /the service is stopping; retry/);
    watching.stop();
    await stopped;
  });
});
