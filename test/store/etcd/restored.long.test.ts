import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { openEtcdStore } from '../../../src/store/etcd/store.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import { ETCDCTL } from '../../etcd/harness/versions.ts';
import { waitFor } from '../../support/wait.ts';
import { expectRefusal } from '../laws/subject.ts';
import { create, node, token } from '../support/commands.ts';
import { forEachEtcd, newPrefix } from '../support/etcd.ts';

const policy = DEFAULT_POLICY;

await forEachEtcd((label, etcd) => {
  describe(`${label} restored from a snapshot at the same address`, () => {
    test('is rejected by the service that knew it before, until that is restarted', async (t) => {
      if (ETCDCTL === undefined) return t.skip('etcdctl is not on PATH');
      const scene = await Scene.open(t);
      const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
      const [member] = backing.members;
      assert.ok(member !== undefined);
      const { name, clientUrl, peerUrl } = member;
      const prefix = newPrefix();
      const logged: string[] = [];
      const log = (line: string): unknown => logged.push(line);
      const store = await openEtcdStore({ endpoints: [clientUrl], prefix, policy, log });
      t.after(() => store.close());
      const discovery = new Discovery(store, policy);
      const t1 = token();
      await discovery.createToken(create(t1));
      await discovery.register(t1, node(1));
      const snapshot = join(scene.directory, 'snapshot.db');
      const etcdctl = (...args: string[]): unknown =>
        execFileSync(ETCDCTL as string, [`--endpoints=${new URL(clientUrl).host}`, ...args], {
          env: { ...process.env, ETCDCTL_API: '3' },
          stdio: 'pipe',
        });
      etcdctl('snapshot', 'save', snapshot);
      // The service knows more of the token than the snapshot.
      await discovery.register(t1, node(2));
      const stale = await store.read(t1);

      await member.crash();
      const data = join(scene.directory, name);
      rmSync(data, { recursive: true });
      etcdctl(
        'snapshot',
        'restore',
        snapshot,
        `--name=${name}`,
        `--data-dir=${data}`,
        `--initial-cluster=${name}=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
      );
      member.startAgain();
      await backing.healthy();
      await waitFor('the store to notice it', () =>
        store.ping().then(
          () => assert.fail('revisions of another history were accepted'),
          ({ message }: Error) => /restored from a backup/.test(message),
        ),
      );
      await expectRefusal('STORE_UNAVAILABLE', store.read(t1));
      await expectRefusal('STORE_UNAVAILABLE', discovery.register(t1, node(3)));
      assert.ok(
        logged.some((line) => /restart the service if etcd was restored from a backup/.test(line)),
        logged.join('\n'),
      );

      // Even after the restored etcd has passed the revision that the service knew.
      const again = await openEtcdStore({ endpoints: [clientUrl], prefix, policy });
      t.after(() => again.close());
      const next = new Discovery(again, policy);
      assert.deepEqual(
        (await again.read(t1)).cluster?.members.map(({ id }) => id),
        ['id1'],
      );
      while ((await again.revision()) <= stale.revision) await next.createToken(create(token()));
      await expectRefusal('STORE_UNAVAILABLE', store.ping());
      await expectRefusal('STORE_UNAVAILABLE', store.read(t1));
      const { cluster } = await next.register(t1, node(4));
      assert.deepEqual(
        cluster.members.map(({ id }) => id),
        ['id1', 'id4'],
      );
    });
  });
});
