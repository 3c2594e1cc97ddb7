import assert from 'node:assert/strict';
import { getEventListeners, setMaxListeners } from 'node:events';
import { after, describe, test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { revision } from '../../../src/discovery/types.ts';
import type { WatchItem } from '../../../src/discovery/watch.ts';
import { CLUSTER_LIMITS } from '../../../src/limits.ts';
import { waitFor } from '../../support/wait.ts';
import { at, create, HOUR, memberId, node, size, token, ttl } from '../support/commands.ts';
import { trackTimers } from '../support/timers.ts';
import { eventsOf, expectRefusal, type Subject, take } from './subject.ts';

export function watchLaws({ start, newPlace, reopen }: Subject): void {
  describe('a watch', () => {
    test('from any revision delivers each later change once and in order, while changes happen', async () => {
      const { discovery, store } = await start();
      const t = token();
      const { revision: made } = await discovery.createToken(create(t, size(100)));
      const stop = new AbortController();
      setMaxListeners(0, stop.signal);
      const watches: Array<{ after: bigint; got: Promise<WatchItem[]> }> = [];
      const total = 60;
      for (let i = 0; i < total; i++) {
        const after = revision(made + BigInt(i));
        watches.push({ after, got: takeAll(discovery.watch(t, after, stop.signal), i, total) });
        watches.push({ after, got: takeAll(discovery.watch(t, undefined, stop.signal), i, total) });
        // Some complete before the watches start, and some while they start.
        const registered = discovery.register(t, node(i));
        if (i % 3 === 0) await new Promise(setImmediate);
        await registered;
      }
      const all = (await store.events(t, revision(0), 1000)).map((event) => event.revision);
      assert.equal(all.length, total);
      for (const { after, got } of watches) {
        const [first, ...rest] = await got;
        const from = first?.type === 'SNAPSHOT' ? first.revision : after;
        assert.deepEqual(
          eventsOf(rest).map((event) => event.revision),
          all.filter((each) => each > from),
        );
        if (first?.type === 'SNAPSHOT') {
          assert.deepEqual(
            first.cluster.members.map((member) => member.createRevision),
            all.filter((each) => each <= from),
          );
        }
      }
      stop.abort();
    });

    test('resumes from its last revision after restarts, with each change once', async () => {
      const place = newPlace();
      let { discovery } = await reopen(place);
      const t = token();
      let { revision: cursor } = await discovery.createToken(create(t, size(100)));
      const reported: bigint[] = [];
      const got: bigint[] = [];
      for (let life = 0; life < 4; life++) {
        const stop = new AbortController();
        const events = discovery.watch(t, cursor, stop.signal);
        await events.next();
        for (let i = 0; i < 5; i++)
          reported.push((await discovery.register(t, node(reported.length))).revision);
        // The client has read three of the five when the service restarts.
        for (const event of eventsOf(await take(events, 3))) {
          got.push(event.revision);
          cursor = event.revision;
        }
        stop.abort();
        ({ discovery } = await reopen(place));
      }
      const rest = await take(
        discovery.watch(t, cursor, new AbortController().signal),
        1 + reported.length - got.length,
      );
      got.push(...eventsOf(rest).map((event) => event.revision));
      assert.deepEqual(got, reported);
    });

    test('of a slow reader loses nothing, and keeps one page in memory', async () => {
      const { discovery } = await start();
      const t = token();
      const { revision: made } = await discovery.createToken(create(t));
      const stop = new AbortController();
      const slow = discovery.watch(t, undefined, stop.signal);
      await slow.next();
      const changes = 3 * CLUSTER_LIMITS.eventsPerRead;
      await Promise.all(
        Array.from({ length: changes }, (_, i) =>
          i % 2 === 0 ? discovery.register(t, node(1)) : discovery.deregister(t, memberId('id1'), undefined),
        ),
      );
      const events = eventsOf(await take(slow, changes));
      assert.deepEqual(
        events.map((event) => event.revision),
        Array.from({ length: changes }, (_, i) => made + BigInt(i + 1)),
      );
      stop.abort();
    });

    test('is rejected for a revision of another history of the store, and waits at the latest revision', async () => {
      const { discovery, store } = await start();
      const t = token();
      await discovery.createToken(create(t, size(3)));
      await discovery.register(t, node(1));
      const latest = await store.revision();
      const { signal } = new AbortController();
      const far = revision(latest + 1000n);
      const { facts } = await expectRefusal('REVISION_COMPACTED', take(discovery.watch(t, far, signal), 1));
      // Nothing else writes to this store, or to the etcd of this test.
      assert.deepEqual([facts.revision, facts.compactRevision], [latest, latest]);
      await expectRefusal('REVISION_COMPACTED', take(discovery.watch(t, revision(latest + 1n), signal), 1));
      const waiting = discovery.watch(t, latest, signal);
      await take(waiting, 1);
      const { revision: joined } = await discovery.register(t, node(2));
      assert.deepEqual(
        eventsOf(await take(waiting, 1)).map((event) => event.revision),
        [joined],
      );
      await expectRefusal('TOKEN_NOT_FOUND', take(discovery.watch(token(), far, signal), 1));
    });

    test('ends after a deletion; a watch that starts later is rejected', async () => {
      const { discovery } = await start();
      const t = token();
      const { revision: made } = await discovery.createToken(create(t));
      const { signal } = new AbortController();
      const watch = discovery.watch(t, undefined, signal);
      await watch.next();
      const { revision: deleted } = await discovery.deleteToken(t);
      const items: WatchItem[] = [];
      for await (const item of watch) items.push(item);
      assert.deepEqual(
        eventsOf(items).map((event) => [event.type, event.revision]),
        [['TOKEN_DELETED', deleted]],
      );
      await expectRefusal('TOKEN_DELETED', take(discovery.watch(t, undefined, signal), 1));
      await expectRefusal('TOKEN_DELETED', take(discovery.watch(t, deleted, signal), 2));
      const resumed = eventsOf(await take(discovery.watch(t, made, signal), 2));
      assert.equal(resumed[0]?.type, 'TOKEN_DELETED');
      await expectRefusal('TOKEN_NOT_FOUND', take(discovery.watch(token(), undefined, signal), 1));
    });

    test('ends when its token expires', async () => {
      const { store } = await start();
      const t = token();
      let now = at(Date.now());
      const discovery = new Discovery(store, DEFAULT_POLICY, () => now);
      await discovery.createToken(create(t, ttl(50)));
      const watch = discovery.watch(t, undefined, new AbortController().signal);
      await watch.next();
      // Any delay will do.
      setTimeout(() => {
        now = at(now + 50);
      }, 200);
      // The timer of a watch does not keep the process alive, and nothing else does here.
      const alive = setInterval(() => {}, 1000);
      await expectRefusal('TOKEN_EXPIRED', watch.next());
      clearInterval(alive);
      assert.equal(discovery.watchers(), 0);
    });

    test('that closes leaves no watcher, listener or timer behind', async () => {
      const timers = trackTimers(HOUR);
      after(() => timers.stop());
      const { discovery } = await start();
      const live = token();
      await discovery.createToken(create(live, { ...size(100), ...ttl(HOUR) }));
      const stop = new AbortController();
      const { signal } = stop;

      const parked = discovery.watch(live, undefined, signal);
      await parked.next();
      const waiting = discovery.watch(live, undefined, signal);
      await waiting.next();
      const next = waiting.next();
      await waitFor('the watch to wait with a timer', () => timers.left() > 0);
      assert.equal(discovery.watchers(), 2);

      const left = discovery.watch(live, undefined, signal);
      for await (const _ of left) break;
      assert.equal(discovery.watchers(), 2);

      const ended = token();
      await discovery.createToken(create(ended));
      const ending = discovery.watch(ended, undefined, signal);
      await ending.next();
      await discovery.deleteToken(ended);
      for await (const _ of ending);
      assert.equal(discovery.watchers(), 2);
      assert.equal(getEventListeners(signal, 'abort').length, 2);

      const refused = discovery.watch(token(), undefined, signal);
      await expectRefusal('TOKEN_NOT_FOUND', refused.next());
      assert.equal(getEventListeners(signal, 'abort').length, 2);

      stop.abort();
      assert.equal(discovery.watchers(), 0, 'immediately, including the watch that nobody reads');
      assert.deepEqual(await next, { done: true, value: undefined });
      assert.equal(getEventListeners(signal, 'abort').length, 0);
      assert.deepEqual(
        await take(discovery.watch(live, undefined, signal), 1),
        [],
        'aborted before it began',
      );
      await waitFor('every timer to be cleared', () => timers.left() === 0);

      const last = discovery.watch(live, undefined, new AbortController().signal);
      await last.next();
      const end = expectRefusal('SHUTTING_DOWN', last.next());
      discovery.stopWatches();
      await end;
      assert.equal(discovery.watchers(), 0);
      await waitFor('every timer to be cleared', () => timers.left() === 0);
    });
  });
}

/** Returns the items of a watch until it has reported that many members, `known` of which it does not report. */
async function takeAll(watch: AsyncGenerator<WatchItem>, known: number, total: number): Promise<WatchItem[]> {
  const items: WatchItem[] = [];
  for (let reported = known; reported < total; ) {
    const [item] = await take(watch, 1);
    if (item === undefined) break;
    items.push(item);
    if (item.type === 'SNAPSHOT') reported = item.cluster.members.length;
    else if (item.type === 'EVENT') reported += 1;
  }
  return items;
}
