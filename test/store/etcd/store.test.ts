import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { PHASES } from '../../../src/discovery/newest.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { EtcdConnection } from '../../../src/store/etcd/client/connection.ts';
import { Keys } from '../../../src/store/etcd/log/keys.ts';
import { putOperation } from '../../../src/store/etcd/log/operations.ts';
import { type EtcdStore, openEtcdStore } from '../../../src/store/etcd/store.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import { waitFor } from '../../support/wait.ts';
import { at, create, HOUR, node, size, token, ttl } from '../support/commands.ts';
import { forEachEtcd, newPrefix } from '../support/etcd.ts';

await forEachEtcd((label, etcd) => {
  describe(`a store on ${label}`, () => {
    const policy = DEFAULT_POLICY;
    const cleanUps: Array<() => Promise<void>> = [];
    let endpoints: string[];
    before(async () => {
      const scene = await Scene.open({ after: (cleanUp) => cleanUps.push(cleanUp) });
      const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
      endpoints = backing.members.map((member) => member.clientUrl);
    });
    after(async () => {
      for (const cleanUp of cleanUps) await cleanUp();
    });

    test('keeps sweeping after someone deletes the sweeper key', async () => {
      const prefix = newPrefix();
      const store = await openEtcdStore({ endpoints, prefix, policy });
      const direct = new EtcdConnection({ endpoints });
      try {
        const discovery = new Discovery(store, policy);
        for (let i = 0; i < 4; i++) await discovery.createToken(create(token(), ttl(1)));
        const future = at(Date.now() + HOUR);
        assert.equal(await store.sweep(future, 1), 1);
        const { sweeper } = new Keys(prefix);
        await direct.txn({
          compare: [],
          success: [{ request_delete_range: { key: sweeper } }],
          failure: [],
        });
        assert.equal(await store.sweep(future, 10), 0, 'it may be the turn of another replica');
        assert.equal(await store.sweep(future, 10), 3);
      } finally {
        direct.close();
        await store.close();
      }
    });

    test('indexes the tokens of an earlier version when it opens, and unindexes them when they are swept', async () => {
      const prefix = newPrefix();
      const [keys, direct] = [new Keys(prefix), new EtcdConnection({ endpoints })];
      const before = await openEtcdStore({ endpoints, prefix, policy });
      const discovery = new Discovery(before, policy);
      const tokens = Array.from({ length: 60 }, () => token());
      for (const [i, each] of tokens.entries()) {
        await discovery.createToken(create(each, size(1)));
        if (i % 3 > 0) await discovery.register(each, node(1));
        if (i % 3 > 1) await discovery.deleteToken(each);
      }
      const whole = (store: EtcdStore) =>
        Promise.all(PHASES.map((phase) => store.newest(phase, undefined, 100)));
      const expected = await whole(before);
      await before.close();
      // The data of an earlier version: no places, and empty ends.
      const { kvs } = await direct.range(keys.ends);
      for (const { key } of kvs) {
        await direct.txn({ compare: [], success: [putOperation(key, Buffer.alloc(0))], failure: [] });
      }
      await direct.txn({ compare: [], success: [{ request_delete_range: keys.places }], failure: [] });
      const store = await openEtcdStore({ endpoints, prefix, policy });
      try {
        await waitFor('the places', async () => isDeepStrictEqual(await whole(store), expected));
        const future = at(Date.now() + 2 * HOUR);
        await waitFor('the sweep', async () => (await store.sweep(future, 100)) === 0);
        assert.deepEqual(await whole(store), [[], [], []]);
        assert.equal((await direct.range(keys.places)).kvs.length, 0);
      } finally {
        direct.close();
        await store.close();
      }
    });

    test('fails the reads that wait when it closes, and logs no outage', async () => {
      const log: string[] = [];
      const prefix = newPrefix();
      const store = await openEtcdStore({ endpoints, prefix, policy, log: (line) => log.push(line) });
      const reads = Promise.allSettled([store.list(undefined, 10), store.read(token())]);
      await store.close();
      for (const read of await reads) {
        // If closing takes long enough, the reads succeed.
        if (read.status === 'rejected') assert.match(String(read.reason), /: the store is closed$/);
      }
      assert.deepEqual(log, []);
    });
  });
});
