import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Token } from '../../../src/discovery/types.ts';
import {
  at,
  create,
  discoveryText,
  HOUR,
  hashOf,
  memberId,
  named,
  node,
  size,
  token,
  ttl,
  urls,
} from '../support/commands.ts';
import { expectRefusal, type Subject } from './subject.ts';

export function durabilityLaws({ start, newPlace, reopen }: Subject): void {
  describe('acknowledged data', () => {
    test('is read at once and after every restart, exactly as it was acknowledged', async () => {
      const place = newPlace();
      let { discovery } = await reopen(place);
      const t = token();
      const steps: Array<() => Promise<{ cluster: unknown; revision: bigint }>> = [
        () => discovery.createToken(create(t, { description: 'ümlaut ✓' as never, allowRejoin: true })),
        () =>
          discovery.register(t, node(1, { peerUrls: urls('http://10.0.0.1:2380', 'https://[::1]:2380') })),
        () => discovery.register(t, node(2, discoveryText('https://discovery.example/t'))),
        () => discovery.register(t, node(1, { mode: 'REPLACE', ...named('other') })),
        () => discovery.deregister(t, memberId('id2'), undefined),
        () => discovery.register(t, node(3)),
        () => discovery.reopenToken(t, ttl(2 * HOUR).ttl),
        () => discovery.deleteToken(t),
      ];
      for (const step of steps) {
        const { cluster, revision } = await step();
        assert.deepEqual(await discovery.getCluster(t), { cluster, revision });
        ({ discovery } = await reopen(place));
        assert.deepEqual(await discovery.getCluster(t), { cluster, revision });
      }
    });

    test('is derived from the same key after every restart, and from another key in another store', async () => {
      const place = newPlace();
      const { store } = await reopen(place);
      const { store: restarted } = await reopen(place);
      assert.ok(store.key.length >= 32);
      assert.deepEqual(restarted.key, store.key);
      assert.notDeepEqual((await start()).store.key, store.key);
    });

    test('includes the secrets that guard a token, whatever happens to the token', async () => {
      const place = newPlace();
      let { discovery } = await reopen(place);
      const t = token();
      const locks = { READ: hashOf('r'), ADMINISTER: hashOf('a') };
      const caller = { mayCreate: true, mayUse: true, proof: locks.ADMINISTER };
      await discovery.createToken(create(t, { allowRejoin: true, locks }));
      for (const step of [
        () => discovery.register(t, node(1), caller),
        () => discovery.reopenToken(t, ttl(HOUR).ttl, caller),
        () => discovery.deleteToken(t, caller),
      ]) {
        ({ discovery } = await reopen(place));
        await expectRefusal('UNAUTHENTICATED', discovery.getCluster(t));
        const { cluster } = await discovery.getCluster(t, caller);
        assert.deepEqual([cluster.locks, cluster.allowRejoin], [locks, true]);
        await step();
      }
    });

    test('survives when the store closes immediately, with all concurrent writes', async () => {
      const place = newPlace();
      const { store, discovery } = await reopen(place);
      const tokens = Array.from({ length: 500 }, () => token());
      const answers = tokens.map((t) => discovery.createToken(create(t)));
      const closed = store.close();
      const written = await Promise.all(answers);
      await closed;
      const { discovery: later } = await reopen(place);
      for (const [i, t] of tokens.entries()) {
        assert.deepEqual((await later.getCluster(t)).cluster, written[i]?.cluster);
      }
    });

    test('survives for the largest cluster as it grows and shrinks', async () => {
      const place = newPlace();
      let { discovery, store } = await reopen(place);
      const t = token();
      await discovery.createToken(create(t, size(1000)));
      const steps: Array<() => Promise<unknown>> = [
        () => Promise.all(Array.from({ length: 999 }, (_, i) => discovery.register(t, node(i)))),
        () =>
          Promise.all(
            Array.from({ length: 700 }, (_, i) => discovery.deregister(t, memberId(`id${i}`), undefined)),
          ),
        () => Promise.all(Array.from({ length: 500 }, (_, i) => discovery.register(t, node(i)))),
        () => discovery.deleteToken(t),
        () => store.sweep(at(Date.now() + 1), 1),
      ];
      const counts = [999, 299, 799, 0, undefined];
      for (const [i, step] of steps.entries()) {
        await step();
        const view = await store.read(t);
        assert.equal(view.cluster?.members.length, counts[i]);
        ({ discovery, store } = await reopen(place));
        const later = await store.read(t);
        assert.deepEqual(later.cluster, view.cluster);
        assert.ok(later.revision >= view.revision);
      }
    });

    test('is in every read that begins after the acknowledgement, while others write', async () => {
      const { discovery } = await start();
      const answered = new Map<Token, bigint>();
      let reads = 0;
      const worker = async (w: number): Promise<void> => {
        for (let i = 0; i < 20; i++) {
          const t = token();
          answered.set(t, (await discovery.createToken(create(t))).revision);
          answered.set(t, (await discovery.register(t, node(w))).revision);
          // The other workers' acknowledged writes, while their next writes are in progress.
          for (const [other, least] of [...answered].slice(-5)) {
            const view = await discovery.getCluster(other);
            assert.ok(view.cluster.modRevision >= least);
            assert.ok(view.revision >= view.cluster.modRevision);
            reads += 1;
          }
        }
      };
      await Promise.all([1, 2, 3, 4, 5].map(worker));
      assert.ok(reads > 100, `${reads} reads were checked`);
    });
  });
}
