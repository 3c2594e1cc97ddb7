import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DiscoveryError } from '../../../src/discovery/errors.ts';
import { type Millis, revision } from '../../../src/discovery/types.ts';
import { at, create, HOUR, node, size, token, ttl } from '../support/commands.ts';
import { expectRefusal, type Subject } from './subject.ts';

export function sweepLaws({ start }: Subject): void {
  describe('the sweep', () => {
    test('removes what ended before the given time, and nothing else', async () => {
      const { discovery, store } = await start();
      const [short, long, deleted] = [token(), token(), token()];
      const { cluster } = await discovery.createToken(create(short, ttl(HOUR)));
      await discovery.createToken(create(long, ttl(2 * HOUR)));
      await discovery.createToken(create(deleted, ttl(3 * HOUR)));
      await discovery.register(deleted, node(1));
      const { cluster: tombstone } = await discovery.deleteToken(deleted);
      const deleteTime = tombstone.deleteTime as Millis;
      assert.equal(await store.sweep(deleteTime, 10), 0, 'not at exactly that time');
      assert.deepEqual((await store.read(deleted)).cluster, tombstone);
      assert.equal(await store.sweep(at(deleteTime + 1), 10), 1);
      assert.equal((await store.read(deleted)).cluster, undefined);
      assert.deepEqual(await store.events(deleted, revision(0), 10), []);
      assert.equal(await store.sweep(cluster.expireTime, 10), 0);
      assert.equal(await store.sweep(at(cluster.expireTime + 1), 10), 1);
      assert.equal((await store.read(short)).cluster, undefined);
      assert.notEqual((await store.read(long)).cluster, undefined);
    });

    test('lists the tokens that end in a period, the earliest first', async () => {
      const { discovery, store } = await start();
      const tokens = [token(), token(), token()];
      const ends: Millis[] = [];
      for (const [i, t] of tokens.entries()) {
        const { cluster } = await discovery.createToken(create(t, ttl(HOUR * (3 - i))));
        ends.unshift(cluster.expireTime);
      }
      const [last, second, first] = tokens;
      const [soon, later, latest] = ends as [Millis, Millis, Millis];
      assert.deepEqual(await store.ending(soon, at(latest + 1), 10), [first, second, last]);
      assert.deepEqual(await store.ending(soon, latest, 10), [first, second]);
      assert.deepEqual(await store.ending(at(soon + 1), at(latest + 1), 1), [second]);
      assert.deepEqual(await store.ending(at(later + 1), latest, 10), []);
    });

    test('removes at most the given number, the earliest first', async () => {
      const { discovery, store } = await start();
      const tokens = Array.from({ length: 25 }, () => token());
      for (const [i, t] of tokens.entries()) await discovery.createToken(create(t, ttl(60_000 * (25 - i))));
      const future = at(Date.now() + HOUR);
      assert.equal(await store.sweep(future, 10), 10);
      const left = await Promise.all(tokens.map(async (t) => (await store.read(t)).cluster !== undefined));
      assert.deepEqual(left, [...Array<boolean>(15).fill(true), ...Array<boolean>(10).fill(false)]);
      assert.equal(await store.sweep(future, 100), 15);
      assert.equal(await store.sweep(future, 100), 0);
    });

    test('keeps a token that is reopened concurrently, or the reopening fails', async () => {
      const { discovery, store } = await start();
      const tokens = Array.from({ length: 5 }, () => token());
      const made = await Promise.all(tokens.map((t) => discovery.createToken(create(t, ttl(1)))));
      const end = Math.max(...made.map(({ cluster }) => cluster.expireTime));
      const reopenings = tokens.map((t) => discovery.reopenToken(t, ttl(HOUR).ttl).then(() => true, isGone));
      const swept = store.sweep(at(end + 1), 10);
      const reopened = await Promise.all(reopenings);
      assert.equal(await swept, reopened.filter((isOpen) => !isOpen).length);
      for (const [i, t] of tokens.entries()) {
        assert.equal((await store.read(t)).cluster !== undefined, reopened[i]);
      }
    });

    test('leaves nothing behind for a token that is created again', async () => {
      const { discovery, store } = await start();
      const t = token();
      await discovery.createToken(create(t, { ...size(5), ...ttl(HOUR) }));
      for (let i = 0; i < 5; i++) await discovery.register(t, node(i));
      await discovery.deleteToken(t);
      await expectRefusal('TOKEN_DELETED', discovery.createToken(create(t)));
      assert.equal(await store.sweep(at(Date.now() + 1), 10), 1);
      const { cluster } = await discovery.createToken(create(t, ttl(3 * HOUR)));
      assert.deepEqual(cluster.members, []);
      assert.deepEqual(await store.events(t, revision(0), 10), []);
      const { revision: registered } = await discovery.register(t, node(1));
      assert.deepEqual(
        (await store.events(t, revision(0), 10)).map((event) => event.revision),
        [registered],
      );
      assert.equal(await store.sweep(at(Date.now() + 2 * HOUR), 10), 0, 'the earlier expiry does not apply');
      assert.notEqual((await store.read(t)).cluster, undefined);
    });
  });
}

function isGone(thrown: unknown): boolean {
  if (thrown instanceof DiscoveryError && thrown.reason === 'TOKEN_NOT_FOUND') return false;
  throw thrown;
}
