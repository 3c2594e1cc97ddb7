import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ranked, standbys } from '../../../src/discovery/cluster.ts';
import { create, memberId, named, node, size, token, urls } from '../support/commands.ts';
import { rejections, type Subject } from './subject.ts';

export function concurrencyLaws({ start }: Subject): void {
  describe('concurrent writes', () => {
    test('create a token once: callers that ask for the same get it, the others fail', async () => {
      const { discovery } = await start();
      const t = token();
      const results = await Promise.allSettled(
        Array.from({ length: 60 }, (_, i) => discovery.createToken(create(t, size((i % 3) + 1)))),
      );
      const done = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      assert.equal(done.filter((each) => each.changed).length, 1);
      assert.equal(done.length, 20);
      for (const each of done) assert.deepEqual(each.cluster, done[0]?.cluster);
      for (const each of rejections(results)) assert.equal(each.reason, 'TOKEN_EXISTS');
    });

    test('register an id once: only its retries succeed, with its revision', async () => {
      const { discovery } = await start();
      const t = token();
      await discovery.createToken(create(t));
      const results = await Promise.allSettled(
        Array.from({ length: 80 }, (_, i) =>
          discovery.register(t, node(i % 8, { id: memberId('same'), mode: 'CREATE' })),
        ),
      );
      const done = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      assert.equal(done.length, 10, 'one registration and nine retries of it');
      assert.equal(done.filter((each) => each.outcome === 'CREATED').length, 1);
      for (const each of done) assert.deepEqual(each.member, done[0]?.member);
      for (const each of rejections(results)) assert.equal(each.reason, 'MEMBER_EXISTS');
      assert.deepEqual((await discovery.listMembers(t)).cluster.members, [done[0]?.member]);
    });

    for (const members of [1, 3, 5]) {
      test(`rank no more than ${members} members, by the revision that each response had`, async () => {
        const { discovery } = await start();
        const t = token();
        await discovery.createToken(create(t, size(members)));
        const results = await Promise.allSettled(
          Array.from({ length: 40 }, (_, i) =>
            discovery.register(t, node(i, { whenFull: i % 2 === 0 ? 'REFUSE' : 'STANDBY' })),
          ),
        );
        const done = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
        done.sort((a, b) => Number(a.member.createRevision - b.member.createRevision));
        const { cluster } = await discovery.listMembers(t);
        assert.equal(ranked(cluster).length, members);
        assert.deepEqual(
          cluster.members,
          done.map((each) => each.member),
        );
        assert.deepEqual(
          done.map((each) => each.rank),
          done.map((_, i) => i + 1),
        );
        assert.ok(standbys(cluster).length > 0);
        for (const each of rejections(results)) assert.equal(each.reason, 'CLUSTER_FULL');
      });
    }

    test('give a name or a peer URL, in any spelling, to one member', async () => {
      const { discovery } = await start();
      const t = token();
      await discovery.createToken(create(t, size(9)));
      const byName = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) => discovery.register(t, node(i, named('wanted')))),
      );
      assert.equal(byName.filter((each) => each.status === 'fulfilled').length, 1);
      for (const each of rejections(byName)) assert.equal(each.reason, 'NAME_TAKEN');
      const byUrl = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) => {
          const shared = i % 2 === 0 ? 'http://wanted:1' : 'HTTP://Wanted:1';
          return discovery.register(t, node(100 + i, { peerUrls: urls(`http://own${i}:2380`, shared) }));
        }),
      );
      assert.equal(byUrl.filter((each) => each.status === 'fulfilled').length, 1);
      for (const each of rejections(byUrl)) assert.equal(each.reason, 'PEER_URL_TAKEN');
    });

    test('replace a member once at a revision, and delete the token once', async () => {
      const { discovery } = await start();
      const t = token();
      await discovery.createToken(create(t));
      const { member } = await discovery.register(t, node(1));
      const replaced = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) =>
          discovery.register(
            t,
            node(1, { mode: 'REPLACE', expected: member.modRevision, ...named(`n${i}`) }),
          ),
        ),
      );
      assert.equal(replaced.filter((each) => each.status === 'fulfilled').length, 1);
      for (const each of rejections(replaced)) assert.equal(each.reason, 'REVISION_MISMATCH');
      const deleted = await Promise.all(Array.from({ length: 20 }, () => discovery.deleteToken(t)));
      assert.equal(deleted.filter((each) => each.changed).length, 1);
      for (const each of deleted) assert.deepEqual(each.cluster, deleted[0]?.cluster);
    });
  });
}
