import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { openEtcdStore } from '../../../src/store/etcd/store.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import { waitFor } from '../../support/wait.ts';
import { expectRefusal } from '../laws/subject.ts';
import { create, token } from '../support/commands.ts';
import { forEachEtcd, newPrefix } from '../support/etcd.ts';

const policy = DEFAULT_POLICY;

await forEachEtcd((label, etcd) => {
  describe(`readiness over ${label}`, () => {
    test('follows whether writes succeed: it fails while etcd is full, and recovers', async (t) => {
      const scene = await Scene.open(t);
      const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
      const [member] = backing.members;
      assert.ok(member !== undefined);
      const store = await openEtcdStore({ endpoints: [member.clientUrl], prefix: newPrefix(), policy });
      scene.after(() => store.close());
      const before = await store.revision();
      await store.ping();
      assert.equal(await store.revision(), before, 'a ping changes nothing');

      const alarm = { memberID: '0', alarm: 'NOSPACE' };
      await member.call('maintenance/alarm', { ...alarm, action: 'ACTIVATE' });
      const isReady = (): Promise<boolean> =>
        store.ping().then(
          () => true,
          () => false,
        );
      await waitFor('the store not to be ready', async () => !(await isReady()));
      const refused = await expectRefusal('STORE_UNAVAILABLE', store.ping());
      assert.match(refused.message, /etcd's database is full; .*alarm disarm/);
      const discovery = new Discovery(store, policy);
      const { message } = await expectRefusal('STORE_UNAVAILABLE', discovery.createToken(create(token())));
      assert.ok(message.includes(refused.message), `a write fails for the same reason: ${message}`);

      await member.call('maintenance/alarm', { ...alarm, action: 'DEACTIVATE' });
      await waitFor('the store to be ready', isReady);
      await discovery.createToken(create(token()));
    });
  });
});
