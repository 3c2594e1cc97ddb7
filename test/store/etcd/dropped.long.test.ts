import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { revision, type Token } from '../../../src/discovery/types.ts';
import { EtcdConnection } from '../../../src/store/etcd/client/connection.ts';
import { Keys } from '../../../src/store/etcd/log/keys.ts';
import { remove } from '../../../src/store/etcd/log/operations.ts';
import { openEtcdStore } from '../../../src/store/etcd/store.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import { allEvents, expectRefusal, take } from '../laws/subject.ts';
import { create, memberId, node, size, token } from '../support/commands.ts';
import { forEachEtcd, newPrefix } from '../support/etcd.ts';

/** The number of changes per token that versions which dropped older changes kept. */
const KEPT = 4096;

await forEachEtcd((label, etcd) => {
  describe(`a history in ${label} of which an earlier version dropped a part`, () => {
    const policy = DEFAULT_POLICY;
    const prefix = newPrefix();
    const cleanUps: Array<() => Promise<void>> = [];
    let endpoints: string[];
    let direct: EtcdConnection;
    before(async () => {
      const scene = await Scene.open({ after: (cleanUp) => cleanUps.push(cleanUp) });
      const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
      endpoints = backing.members.map((member) => member.clientUrl);
      direct = new EtcdConnection({ endpoints });
    });
    after(async () => {
      direct.close();
      for (const cleanUp of cleanUps) await cleanUp();
    });

    const drop = async (t: Token, ...numbers: readonly number[]): Promise<void> => {
      const keys = new Keys(prefix);
      const success = numbers.map((number) => remove(keys.change(t, number)));
      await direct.txn({ compare: [], success, failure: [] });
    };

    test('is compacted up to the dropped part, and readable after it', async (t) => {
      const on = token();
      const first = await openEtcdStore({ endpoints, prefix, policy });
      t.after(() => first.close());
      const filling = new Discovery(first, policy);
      const { revision: made } = await filling.createToken(create(on, size(5000)));
      const staying = await filling.register(on, node(1));
      await Promise.all(
        Array.from({ length: KEPT + 9 }, (_, i) =>
          i % 2 === 0 ? filling.register(on, node(2)) : filling.deregister(on, memberId('id2'), undefined),
        ),
      );
      const whole = await allEvents(first, on, 0, 1000);
      // The change that added a member was kept.
      await drop(on, 2, 3, 4, 5, 6, 7, 8, 9, 10);

      const store = await openEtcdStore({ endpoints, prefix, policy });
      t.after(() => store.close());
      const discovery = new Discovery(store, policy);
      const { cluster } = await discovery.getCluster(on);
      assert.equal(cluster.changeCount, KEPT + 10);
      assert.deepEqual(
        cluster.members.map(({ id }) => id),
        ['id1', 'id2'],
      );
      const dropped = whole[9]?.revision ?? 0n;
      const signal = new AbortController();
      for (const from of [0n, made, staying.revision, dropped - 1n]) {
        const { facts } = await expectRefusal('REVISION_COMPACTED', store.events(on, revision(from), 10));
        assert.equal(facts.compactRevision, dropped);
      }
      await expectRefusal('REVISION_COMPACTED', take(discovery.watch(on, made, signal.signal), 2));
      await discovery.register(on, node(3));
      const held = await allEvents(store, on, Number(dropped), 1000);
      assert.deepEqual(held.slice(0, -1), whole.slice(10));
      assert.equal(held.length, KEPT + 1);
    });

    test('is damaged when it has fewer changes than such a version kept', async () => {
      const t = token();
      const store = await openEtcdStore({ endpoints, prefix, policy });
      try {
        const discovery = new Discovery(store, policy);
        await discovery.createToken(create(t));
        for (const i of [1, 2, 3]) await discovery.register(t, node(i));
      } finally {
        await store.close();
      }
      await drop(t, 2);
      const again = await openEtcdStore({ endpoints, prefix, policy });
      try {
        await expectRefusal('INTERNAL', again.read(t));
      } finally {
        await again.close();
      }
    });
  });
});
