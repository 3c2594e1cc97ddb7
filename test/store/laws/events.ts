import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventBytes } from '../../../src/discovery/bytes.ts';
import { isComplete } from '../../../src/discovery/cluster.ts';
import { revision } from '../../../src/discovery/types.ts';
import { CLUSTER_LIMITS } from '../../../src/limits.ts';
import { create, HOUR, memberId, named, node, size, token, ttl, urls } from '../support/commands.ts';
import { allEvents, eventsOf, expectRefusal, rejections, type Subject, take } from './subject.ts';

export function eventsLaws({ start, newPlace, reopen }: Subject): void {
  describe('the events of a token', () => {
    test('come in order and once from every revision, in pages of any size, also after a restart', async () => {
      const place = newPlace();
      let { discovery, store } = await reopen(place);
      const [t, other] = [token(), token()];
      await discovery.createToken(create(t, size(4)));
      await discovery.createToken(create(other, size(40)));
      const reported: bigint[] = [];
      for (let i = 0; i < 6; i++) {
        reported.push((await discovery.register(t, node(i, { whenFull: 'STANDBY' }))).revision);
        await discovery.register(other, node(i));
      }
      reported.push((await discovery.register(t, node(5, { mode: 'REPLACE', ...named('new') }))).revision);
      reported.push((await discovery.deregister(t, memberId('id4'), undefined)).revision);
      const first = Number(reported[0]) - 1;
      const last = Number(reported.at(-1));
      for (const restart of [false, true]) {
        if (restart) ({ discovery, store } = await reopen(place));
        for (let from = first - 2; from <= last + 1; from++) {
          for (const limit of [1, 3, 100]) {
            const events = await allEvents(store, t, from, limit);
            assert.deepEqual(
              events.map((event) => event.revision),
              reported.filter((each) => each > BigInt(from)),
            );
          }
        }
      }
    });

    test('contain the member, the previous member and the state of the cluster', async () => {
      const { discovery, store } = await start();
      const t = token();
      await discovery.createToken(create(t, size(1)));
      const one = (await discovery.register(t, node(1))).member;
      const standby = { whenFull: 'STANDBY', mode: 'CREATE_OR_REPLACE' } as const;
      const two = (await discovery.register(t, node(2, standby))).member;
      const renamed = (await discovery.register(t, node(2, { mode: 'REPLACE', ...named('x') }))).member;
      await discovery.deregister(t, memberId('id2'), undefined);
      const { expireTime } = (await discovery.reopenToken(t, ttl(HOUR).ttl)).cluster;
      await discovery.deleteToken(t);
      const reported = (await store.events(t, revision(0), 10)).map(
        ({ revision: _revision, time: _time, ...rest }) => rest,
      );
      const standing = (memberCount: number, standbyCount: number) => ({
        complete: memberCount === 1,
        memberCount,
        standbyCount,
      });
      assert.deepEqual(reported, [
        { type: 'REGISTERED', member: one, ...standing(1, 0) },
        { type: 'REGISTERED', member: two, wouldReplace: true, ...standing(1, 1) },
        { type: 'REPLACED', member: renamed, previous: two, ...standing(1, 1) },
        { type: 'DEREGISTERED', member: renamed, ...standing(1, 0) },
        { type: 'TOKEN_REOPENED', expireTime, ...standing(1, 0) },
        { type: 'TOKEN_DELETED', removed: [one], ...standing(0, 0) },
      ]);
    });

    test('a token keeps all its events, and accepts only its deletion once its changes are used up', async () => {
      const place = newPlace();
      let { discovery, store } = await reopen(place);
      const t = token();
      const { revision: made } = await discovery.createToken(create(t, size(3)));
      const leave = () => discovery.deregister(t, memberId('id1'), undefined);
      // The last three are reserved for members of the cluster.
      const changes = CLUSTER_LIMITS.changesPerToken - 3;
      await Promise.all(
        Array.from({ length: changes }, (_, i) => (i % 2 === 0 ? discovery.register(t, node(1)) : leave())),
      );
      const worn = await expectRefusal('TOKEN_WORN_OUT', leave());
      assert.equal(worn.facts.revision, made + BigInt(changes));
      const rename = (name: string) => discovery.register(t, node(1, { mode: 'REPLACE', ...named(name) }));
      await rename('x');
      for (const restart of [false, true]) {
        if (restart) ({ discovery, store } = await reopen(place));
        await expectRefusal('TOKEN_WORN_OUT', leave());
        await expectRefusal('TOKEN_WORN_OUT', rename('y'));
        await expectRefusal('TOKEN_WORN_OUT', discovery.reopenToken(t, ttl(HOUR).ttl));
        assert.equal((await discovery.register(t, node(1, named('x')))).outcome, 'UNCHANGED');
      }
      await discovery.register(t, node(2));
      assert.ok(isComplete((await discovery.register(t, node(3))).cluster));
      await expectRefusal('TOKEN_WORN_OUT', discovery.reopenToken(t, ttl(HOUR).ttl));
      await discovery.deleteToken(t);

      const signal = new AbortController();
      for (const restart of [false, true]) {
        if (restart) ({ discovery, store } = await reopen(place));
        const { cluster } = await discovery.getCluster(t);
        assert.equal(cluster.changeCount, CLUSTER_LIMITS.changesPerToken + 1);
        const reported = await allEvents(store, t, 0, 1000);
        assert.equal(reported.length, cluster.changeCount);
        const watched = await take(discovery.watch(t, made, signal.signal), 1 + reported.length);
        assert.deepEqual(eventsOf(watched), reported);
      }
    });

    test('events are read in pages bounded in bytes, and their total is known after a restart', async () => {
      const place = newPlace();
      let { discovery, store } = await reopen(place);
      const t = token();
      await discovery.createToken(create(t, size(2)));
      const rename = (i: number) => {
        const long = named(`${'x'.repeat(200)}${i}`);
        const peerUrls = urls(...Array.from({ length: 16 }, (_, n) => `http://${i}.example:${n + 1}`));
        return discovery.register(t, node(1, { mode: 'CREATE_OR_REPLACE', peerUrls, ...long }));
      };
      const results = await Promise.allSettled(Array.from({ length: 300 }, (_, i) => rename(i)));
      const changes = results.filter(({ status }) => status === 'fulfilled').length;
      assert.deepEqual(new Set(rejections(results).map(({ reason }) => reason)), new Set(['TOKEN_WORN_OUT']));
      assert.ok(changes > 100);
      for (const restart of [false, true]) {
        if (restart) ({ discovery, store } = await reopen(place));
        await expectRefusal('TOKEN_WORN_OUT', rename(9999));
        const { cluster } = await discovery.getCluster(t);
        const all = await allEvents(store, t, 0, 1000);
        assert.equal(all.length, changes);
        const bytes = all.reduce((sum, event) => sum + eventBytes(event), 0);
        assert.equal(cluster.changeBytes, bytes);
        assert.ok(bytes <= CLUSTER_LIMITS.changeBytesPerToken);
        const part = await store.events(t, revision(0), 1000);
        const partBytes = part.reduce((sum, event) => sum + eventBytes(event), 0);
        assert.ok(part.length > 0 && partBytes <= CLUSTER_LIMITS.eventBytesPerRead, `${partBytes}`);
      }
      const peerUrls = urls(...Array.from({ length: 16 }, (_, n) => `http://other.example:${n + 1}`));
      const last = await discovery.register(t, node(2, { peerUrls }));
      assert.ok(isComplete(last.cluster), 'room for the other members was reserved');
    });
  });
}
