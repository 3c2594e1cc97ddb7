import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import type { Store } from '../../../src/discovery/store.ts';
import { type Revision, revision, type Token } from '../../../src/discovery/types.ts';
import { openEtcdStore } from '../../../src/store/etcd/store.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { type Owner, Scene } from '../../etcd/harness/scene.ts';
import type { TcpProxy } from '../../etcd/harness/tcp-proxy.ts';
import { retryIfStalled } from '../../support/retry-if-stalled.ts';
import { waitFor } from '../../support/wait.ts';
import { expectRefusal } from '../laws/subject.ts';
import { create, node, size, token } from '../support/commands.ts';
import { forEachEtcd, newPrefix } from '../support/etcd.ts';

interface Setup {
  readonly proxy: TcpProxy;
  /** Through the proxy. */
  readonly store: Store;
  readonly discovery: Discovery;
  /** Bypasses the proxy. */
  readonly other: Discovery;
  readonly log: string[];
  readonly members: (t: Token) => Promise<number | undefined>;
}

await forEachEtcd((label, etcd) => {
  describe(`a write whose reply is lost, on ${label}`, { concurrency: 3 }, () => {
    const it = (name: string, body: (stand: Setup) => Promise<void>): void => {
      const attempt = async (t: Owner): Promise<void> => {
        const scene = await Scene.open(t);
        const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
        const [member] = backing.members;
        assert.ok(member);
        const [prefix, policy, log] = [newPrefix(), DEFAULT_POLICY, [] as string[]];
        const store = await openEtcdStore({
          endpoints: [member.proxyUrl],
          prefix,
          policy,
          log: (line) => log.push(line),
        });
        const direct = await openEtcdStore({ endpoints: [member.clientUrl], prefix, policy });
        scene.after(async () => {
          await store.close();
          await direct.close();
        });
        await body({
          proxy: member.proxy,
          store,
          discovery: new Discovery(store, policy),
          other: new Discovery(direct, policy),
          log,
          members: async (of) => (await direct.read(of)).cluster?.members.length,
        });
      };
      // The store waits only a few seconds for a reply.
      test(name, (t) => retryIfStalled(1000, () => attempt(t)));
    };

    it('succeeds', async ({ proxy, discovery, other, store, members }) => {
      const t = token();
      await discovery.createToken(create(t));
      proxy.mute();
      const registering = discovery.register(t, node(1));
      await waitFor('etcd to apply it', async () => (await members(t)) === 1);
      proxy.restore();
      const { outcome, revision: at, member } = await registering;
      assert.equal(outcome, 'CREATED');
      const { cluster } = await other.getCluster(t);
      assert.deepEqual(cluster.members, [member]);
      assert.equal(cluster.modRevision, at);
      assert.equal((await store.events(t, revision(0), 10)).length, 1, 'it was applied once');
      assert.equal((await discovery.register(t, node(2))).outcome, 'CREATED');
    });

    it('succeeds after later writes of others', async ({ proxy, discovery, other, store, members }) => {
      const t = token();
      await discovery.createToken(create(t, size(9)));
      proxy.mute();
      const registering = discovery.register(t, node(1));
      await waitFor('etcd to apply it', async () => (await members(t)) === 1);
      for (const n of [2, 3, 4]) await other.register(t, node(n));
      proxy.restore();
      const { outcome, cluster, revision: at } = await registering;
      assert.equal(outcome, 'CREATED');
      assert.equal(cluster.members.length, 1, 'the state right after this write');
      const events = await store.events(t, revision(0), 10);
      assert.deepEqual(
        events.map((event) => event.member?.name),
        ['infra1', 'infra2', 'infra3', 'infra4'],
      );
      assert.equal(events[0]?.revision, at);
    });

    it('succeeds when it creates a token', async ({ proxy, discovery, other }) => {
      const t = token();
      proxy.mute();
      const creating = discovery.createToken(create(t));
      await waitFor('etcd to apply it', () =>
        other.getCluster(t).then(
          () => true,
          () => false,
        ),
      );
      proxy.restore();
      const { changed, cluster } = await creating;
      assert.ok(changed);
      assert.deepEqual((await other.getCluster(t)).cluster, cluster);
    });

    it('fails as one that may have happened when the reply stays lost', async ({
      proxy,
      discovery,
      log,
      members,
    }) => {
      const t = token();
      await discovery.createToken(create(t));
      proxy.mute();
      const refused = await expectRefusal('STORE_UNAVAILABLE', discovery.register(t, node(1)));
      assert.match(refused.message, /^the write may have happened: etcd did not answer in time/);
      assert.equal(await members(t), 1);
      proxy.restore();
      await waitFor('the store to recover', () =>
        discovery.register(t, node(1)).then(
          ({ outcome }) => outcome === 'UNCHANGED',
          () => false,
        ),
      );
      assert.equal(await members(t), 1);
      await waitFor('the recovery to be logged', () => log.length > 1);
      assert.equal(log.length, 2, log.join('\n'));
    });

    it('differs from a write that was never sent', async ({ proxy, discovery, members }) => {
      const t = token();
      const { revision: made } = await discovery.createToken(create(t));
      proxy.cut();
      // The cut may hit a call in progress; later calls cannot be sent.
      await discovery.getCluster(t).catch(() => {});
      const refusals = await Promise.all([
        expectRefusal('STORE_UNAVAILABLE', discovery.register(t, node(1))),
        expectRefusal('STORE_UNAVAILABLE', discovery.createToken(create(token()))),
        expectRefusal('STORE_UNAVAILABLE', discovery.listMembers(t)),
      ]);
      for (const { message } of refusals) assert.doesNotMatch(message, /may have happened/);
      assert.match(refusals[0].message, /^nothing was changed: /);
      assert.equal(await members(t), 0);
      proxy.restore();
      let registered: Revision | undefined;
      await waitFor('the store to recover', async () => {
        registered = await discovery.register(t, node(1)).then(
          (each) => each.revision,
          () => undefined,
        );
        return registered !== undefined;
      });
      assert.ok((registered ?? 0n) > made);
    });
  });
});
