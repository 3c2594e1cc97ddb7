import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { suite, type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Revision, revision } from '../../src/discovery/types.ts';
import type { Request } from '../../src/etcdv2/body.ts';
import { Deadlines } from '../../src/etcdv2/deadlines.ts';
import { Waits } from '../../src/etcdv2/wait.ts';
import { V2_LIMITS } from '../../src/limits.ts';
import { compacted } from '../../src/store/refusals.ts';
import { node, token } from '../store/support/commands.ts';
import { waitFor } from '../support/wait.ts';
import { type OpenAnswer, open, send, v2, value } from './http.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';

const HELD = '/t?recursive=true&wait=true';

/** Starts a stack with the token "t" for three members, created at revision 1. */
async function start(t: TestContext, options: StackOptions = {}): Promise<Stack> {
  const stack = await startStack(options);
  t.after(() => stack.close());
  await stack.client.createToken({ token: 't', size: 3 });
  return stack;
}

async function register(stack: Stack, i: number): Promise<void> {
  const path = `/t/${i}?prevExist=false`;
  const { status } = await send(stack.url, 'PUT', path, value(`infra${i}=http://10.0.0.${i}:2380`));
  assert.equal(status, 201);
}

function created(i: number, index: number): object {
  const node = {
    key: `/_etcd/registry/t/${i}`,
    value: `infra${i}=http://10.0.0.${i}:2380`,
    modifiedIndex: index,
    createdIndex: index,
  };
  return { action: 'create', node };
}

async function held(stack: Stack, path: string): Promise<OpenAnswer> {
  const answer = await open(stack.url, 'GET', path);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.headers['access-control-allow-origin'], '*');
  return answer;
}

/** Makes the store respond some turns of the event loop later, like one over a network. */
function slowly({ failing: { store } }: Stack, refusal?: (after: Revision) => Error): void {
  const events = store.events.bind(store);
  store.events = async (token, after, limit) => {
    for (let turns = 0; turns < 5; turns++) await nextTurn();
    if (refusal !== undefined) throw refusal(after);
    return events(token, after, limit);
  };
}

suite('a wait', () => {
  test('gets its headers at once and its event later', async (t) => {
    const stack = await start(t);
    const answer = await held(stack, `${HELD}&waitIndex=2`);
    assert.equal(answer.headers['x-etcd-index'], '1');
    assert.equal(answer.soFar(), '');
    await register(stack, 1);
    assert.deepEqual(v2({ body: await answer.body }), created(1, 2));
  });

  // Like etcd 3.4: a PUT without prevExist is reported as "set", without prevNode.
  test('reports a registration with prevExist=false as "create", and one without as "set"', async (t) => {
    const stack = await start(t);
    const waiting = await held(stack, `${HELD}&waitIndex=2`);
    const { status } = await send(stack.url, 'PUT', '/t/1', value('infra1=http://10.0.0.1:2380'));
    assert.equal(status, 201);
    await register(stack, 2);
    assert.deepEqual(v2({ body: await waiting.body }), { ...created(1, 2), action: 'set' });
    const past = await held(stack, `${HELD}&waitIndex=2`);
    assert.deepEqual(v2({ body: await past.body }), { ...created(1, 2), action: 'set' });
    const next = await held(stack, `${HELD}&waitIndex=3`);
    assert.deepEqual(v2({ body: await next.body }), created(2, 3));
  });

  test('for a past event gets a complete response', async (t) => {
    const stack = await start(t);
    await register(stack, 1);
    await register(stack, 2);
    const first = await held(stack, `${HELD}&waitIndex=1`);
    assert.deepEqual(v2({ body: await first.body }), created(1, 2), 'the first event from the index on');
    assert.equal(first.headers['x-etcd-index'], '3', 'the current index');
    const second = await held(stack, `${HELD}&waitIndex=3`);
    assert.equal(second.headers['content-length'], String((await second.body).length));
    assert.deepEqual(v2({ body: await second.body }), created(2, 3));
  });

  test('for events older than those kept gets the first one', async (t) => {
    // With the response around each value, these exceed what is kept.
    const size = Math.ceil(V2_LIMITS.feedBytes / 200);
    const stack = await start(t, { policy: { maxSize: size } });
    await stack.client.createToken({ token: 'large', size });
    await Promise.all(
      Array.from({ length: size }, (_, i) => stack.discovery.register(token('large'), node(i))),
    );
    const { members } = await stack.client.listMembers({ token: 'large' });
    const [first] = members;
    assert.ok(first);
    for (const path of ['/large?recursive=true', `/large/${first.id}?`]) {
      const answer = await held(stack, `${path}&wait=true&waitIndex=${first.createRevision}`);
      assert.equal(v2({ body: await answer.body }).node?.createdIndex, Number(first.createRevision), path);
    }
    // Each of them once, for a client that reads them as fast as they arrive.
    const all = await held(
      stack,
      `/large?recursive=true&wait=true&waitIndex=${first.createRevision}&stream=true`,
    );
    const lines = (): number => all.soFar().split('\n').length - 1;
    await waitFor('the stream to end or to deliver all', () => lines() === size || all.ended());
    const keys = all
      .soFar()
      .trim()
      .split('\n')
      .map((line) => v2({ body: line }).node?.createdIndex);
    assert.deepEqual(
      keys,
      members.slice(0, keys.length).map(({ createRevision }) => Number(createRevision)),
    );
    all.abort();
  });

  test('shares kept events with all waiting clients of the token, whatever secret they invented', async (t) => {
    const stack = await start(t);
    const waits = await Promise.all(
      Array.from({ length: 50 }, (_, i) => held(stack, `/t:secret${i}/2?wait=true`)),
    );
    assert.equal(stack.discovery.watchers(), 1);
    await register(stack, 1);
    await register(stack, 2);
    for (const each of waits) assert.deepEqual(v2({ body: await each.body }), created(2, 3));
    assert.equal(stack.discovery.watchers(), 0);
  });

  for (const index of ['', '&waitIndex=0']) {
    test(`with${index === '' ? 'out an index' : ' the index 0'} waits for the next event`, async (t) => {
      const stack = await start(t);
      await register(stack, 1);
      const answer = await held(stack, HELD + index);
      await register(stack, 2);
      assert.deepEqual(v2({ body: await answer.body }), created(2, 3));
    });
  }

  test('for an index from another life of the store makes its node read the list again', async (t) => {
    const stack = await start(t);
    await register(stack, 1);
    // One starts at a valid index, so that others would join it.
    const next = await held(stack, `${HELD}&waitIndex=3`);
    for (const index of ['4', '18446744073709551615']) {
      const { status, body } = await send(stack.url, 'GET', `${HELD}&waitIndex=${index}`);
      assert.equal(status, 503, 'a node exits at a 4xx');
      assert.match(body, /"errorCode":300,.*read the list again.*"index":2/);
      const own = await send(stack.url, 'GET', `/t/1?wait=true&waitIndex=${index}`);
      assert.equal(own.status, 400);
      assert.match(own.body, /"errorCode":401,/);
    }
    await register(stack, 2);
    assert.deepEqual(v2({ body: await next.body }), created(2, 3));
    assert.deepEqual(stack.defects, []);
  });

  test('of a node for itself ignores other members', async (t) => {
    const stack = await start(t);
    const answer = await held(stack, '/t/2?wait=true&waitIndex=1');
    await register(stack, 1);
    await register(stack, 2);
    assert.deepEqual(v2({ body: await answer.body }), created(2, 3));
  });

  test('for one member ends only at its registration', async (t) => {
    const stack = await start(t);
    await register(stack, 1);
    const own = await held(stack, '/t/1?wait=true&waitIndex=3');
    await send(stack.url, 'PUT', '/t/1', value('infra1=http://10.0.0.9:2380'));
    await send(stack.url, 'DELETE', '/t/1');
    await register(stack, 1);
    assert.deepEqual(v2({ body: await own.body }), created(1, 5));
  });

  test('on the directory alone ignores its members', async (t) => {
    const stack = await start(t);
    const answer = await held(stack, '/t?wait=true');
    const marker = await held(stack, HELD);
    await register(stack, 1);
    await marker.body;
    assert.ok(!answer.ended());
    answer.abort();
  });

  test('returns empty at the poll limit, and no event in between is lost', async (t) => {
    const stack = await start(t, { pollLimitMs: 30 });
    const answer = await held(stack, `${HELD}&waitIndex=2`);
    assert.equal(await answer.body, '');
    await waitFor('the watch to end', () => stack.discovery.watchers() === 0);
    await register(stack, 1);
    const next = await held(stack, `${HELD}&waitIndex=2`);
    assert.deepEqual(v2({ body: await next.body }), created(1, 2));
  });

  test('returns empty when the token is deleted, and the next one gets an error', async (t) => {
    const stack = await start(t);
    const answer = await held(stack, `${HELD}&waitIndex=2`);
    await stack.client.deleteToken({ token: 't' });
    assert.equal(await answer.body, '');
    const next = await send(stack.url, 'GET', `${HELD}&waitIndex=2`);
    assert.equal(next.status, 404);
    assert.equal(v2(next).message, 'Token deleted');
  });

  test('returns empty when the token expires, and the next one gets an error', async (t) => {
    const stack = await startStack({ policy: { defaultTtl: 100, minTtl: 1 } });
    t.after(() => stack.close());
    stack.stopClock();
    await stack.client.createToken({ token: 't', size: 3 });
    const answer = await held(stack, `${HELD}&waitIndex=2`);
    stack.advance(100);
    assert.equal(await answer.body, '');
    const next = await send(stack.url, 'GET', `${HELD}&waitIndex=2`);
    assert.equal(next.status, 404);
    assert.equal(v2(next).message, 'Token expired');
  });

  test('returns empty when the service stops', async (t) => {
    const stack = await start(t);
    const answers = await Promise.all([held(stack, HELD), held(stack, '/t/1?wait=true')]);
    stack.discovery.stopWatches();
    for (const answer of answers) assert.equal(await answer.body, '');
    await waitFor('the watches to end', () => stack.discovery.watchers() === 0);
  });

  test('that starts while the service stops returns empty, so that its node retries', async (t) => {
    const stack = await start(t);
    stack.discovery.stopWatches();
    for (const path of [HELD, '/t/1?wait=true']) {
      const { status, body } = await send(stack.url, 'GET', path);
      assert.deepEqual([status, body], [200, '']);
    }
  });

  test('resumes when the store is back, and has lost nothing', async (t) => {
    const stack = await start(t);
    const answer = await held(stack, `${HELD}&waitIndex=2`);
    stack.failing.away = 'READS';
    await register(stack, 1);
    await waitFor('the wait to meet the unavailable store', () => stack.failing.failed > 0);
    assert.ok(!answer.ended());
    stack.failing.away = 'NOTHING';
    assert.deepEqual(v2({ body: await answer.body }), created(1, 2));
    await waitFor('the watch to end', () => stack.discovery.watchers() === 0);
  });

  test('for a past event gets a complete response from a slow store, too', async (t) => {
    const stack = await start(t);
    await register(stack, 1);
    slowly(stack);
    const answer = await held(stack, `${HELD}&waitIndex=2`);
    assert.equal(answer.headers['content-length'], String((await answer.body).length));
    assert.deepEqual(v2({ body: await answer.body }), created(1, 2));
  });

  test('for an event that is no longer kept is rejected by a slow store, too', async (t) => {
    const stack = await start(t);
    await register(stack, 1);
    slowly(stack, (after) => compacted(after, { revision: revision(2), compactRevision: revision(1) }));
    const { status, body } = await send(stack.url, 'GET', `${HELD}&waitIndex=1`);
    assert.equal(status, 400);
    assert.match(body, /"errorCode":401,/);
  });

  // At once, because the service waits between its attempts.
  suite('while the store is unavailable', { concurrency: true }, () => {
    for (const path of [HELD, '/t/1?wait=true']) {
      test(`for ${path} that starts while the store is unavailable is held, and returns empty when it is back`, async (t) => {
        const stack = await start(t);
        stack.failing.away = 'ALL';
        const answer = await held(stack, path);
        await waitFor('a second attempt', () => stack.failing.failed > 2);
        assert.ok(!answer.ended());
        stack.failing.away = 'NOTHING';
        assert.equal(await answer.body, '');
        await waitFor('the watch to end', () => stack.discovery.watchers() === 0);
      });

      test(`for ${path} that is held while the store is unavailable ends when the service stops`, async (t) => {
        const stack = await start(t);
        stack.failing.away = 'ALL';
        const answer = await held(stack, path);
        stack.discovery.stopWatches();
        assert.equal(await answer.body, '');
      });
    }
  });

  test('leaves nothing behind when its client disconnects', async (t) => {
    const stack = await start(t);
    const answers = await Promise.all(Array.from({ length: 20 }, () => held(stack, HELD)));
    assert.equal(stack.discovery.watchers(), 1, 'one watch for all of them');
    for (const answer of answers.slice(1)) answer.abort();
    await register(stack, 1);
    assert.deepEqual(v2({ body: await (answers[0] as OpenAnswer).body }), created(1, 2));
    await waitFor('the watch to end', () => stack.discovery.watchers() === 0);
    const last = await held(stack, HELD);
    last.abort();
    await waitFor('the next watch to end', () => stack.discovery.watchers() === 0);
    assert.deepEqual(stack.defects, []);
  });

  test('for an older or newer event than others gets its own', async (t) => {
    const stack = await start(t);
    await register(stack, 1);
    const now = await held(stack, `${HELD}&waitIndex=3`);
    const old = await held(stack, '/t/3?wait=true&waitIndex=1');
    const past = await held(stack, `${HELD}&waitIndex=2`);
    assert.deepEqual(v2({ body: await past.body }), created(1, 2));
    await register(stack, 2);
    assert.deepEqual(v2({ body: await now.body }), created(2, 3));
    const future = await held(stack, `${HELD}&waitIndex=4`);
    await register(stack, 3);
    assert.deepEqual(v2({ body: await old.body }), created(3, 4));
    assert.deepEqual(v2({ body: await future.body }), created(3, 4));
    await waitFor('the watches to end', () => stack.discovery.watchers() === 0);
  });

  test('that starts while others receive an event gets it too, or the next one', async (t) => {
    const stack = await start(t);
    const others = await Promise.all(Array.from({ length: 250 }, () => held(stack, `${HELD}&waitIndex=2`)));
    const registering = register(stack, 1);
    await (others[0] as OpenAnswer).body;
    const late = await held(stack, `${HELD}&waitIndex=2`);
    assert.deepEqual(v2({ body: await late.body }), created(1, 2));
    const next = await held(stack, `${HELD}&waitIndex=3`);
    await registering;
    for (const other of others) assert.deepEqual(v2({ body: await other.body }), created(1, 2));
    await register(stack, 2);
    assert.deepEqual(v2({ body: await next.body }), created(2, 3));
  });

  test('ends for every waiting client', async (t) => {
    const stack = await start(t);
    const answers = await Promise.all(Array.from({ length: 200 }, () => held(stack, `${HELD}&waitIndex=2`)));
    await register(stack, 1);
    for (const answer of answers) assert.deepEqual(v2({ body: await answer.body }), created(1, 2));
    await waitFor('the watches to end', () => stack.discovery.watchers() === 0);
  });
});

suite('a stream', () => {
  test('delivers one event after the other, a line each', async (t) => {
    const stack = await start(t);
    await register(stack, 1);
    const answer = await held(stack, `${HELD}&waitIndex=2&stream=true`);
    await waitFor('the past event', () => answer.soFar().endsWith('\n'));
    await register(stack, 2);
    await waitFor('the next event', () => answer.soFar().split('\n').length === 3);
    await register(stack, 3);
    await waitFor('the last event', () => answer.soFar().split('\n').length === 4);
    stack.discovery.stopWatches();
    const lines = (await answer.body).trimEnd().split('\n');
    assert.deepEqual(
      lines.map((body) => v2({ body })),
      [created(1, 2), created(2, 3), created(3, 4)],
    );
    await waitFor('the watch to end', () => stack.discovery.watchers() === 0);
  });

  test('ends at the poll limit', async (t) => {
    const stack = await start(t, { pollLimitMs: 30 });
    await register(stack, 1);
    const answer = await held(stack, `${HELD}&waitIndex=2&stream=true`);
    assert.deepEqual(v2({ body: await answer.body }), created(1, 2));
  });

  for (const [how, event] of [
    ['resumes when its reader does', 'drain'],
    ['ends when its reader disconnects', 'close'],
  ] as const) {
    test(`that is not read is held back, and ${how}`, async (t) => {
      const stack = await start(t);
      await register(stack, 1);
      await register(stack, 2);
      const response = new SlowResponse();
      const request = { type: 'WAIT', token: 't', awaited: 'ANY', waitIndex: 1n, stream: true } as const;
      const polls = new Deadlines(60_000);
      const waits = new Waits(polls);
      assert.equal(await waits.wait(stack.client, request, { request: REQUEST, response }), undefined);
      await waitFor('the first event', () => response.written.length === 1);
      const beside = await held(stack, `${HELD}&waitIndex=3`);
      assert.deepEqual(v2({ body: await beside.body }), created(2, 3));
      assert.equal(response.written.length, 1, 'the second is not written');
      response.emit(event);
      if (event === 'drain') {
        await waitFor('the second event', () => response.written.length === 2);
        stack.discovery.stopWatches();
        response.emit('drain');
        await waitFor('the end', () => response.isEnded);
      }
      assert.equal(polls.size, 0);
      await waitFor('the watch to end', () => stack.discovery.watchers() === 0);
    });
  }
});

/** A response whose reader accepts nothing until lines to. */
class SlowResponse extends EventEmitter {
  readonly written: string[] = [];
  isEnded = false;

  writeHead(): void {}

  write(chunk: string): boolean {
    this.written.push(chunk);
    return false;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    this.isEnded = true;
  }
}

const REQUEST = { headers: {} } as Request;
