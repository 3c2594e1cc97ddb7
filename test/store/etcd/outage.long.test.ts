import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import type { WatchItem } from '../../../src/discovery/watch.ts';
import { openEtcdStore } from '../../../src/store/etcd/store.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import { waitFor } from '../../support/wait.ts';
import { eventsOf, expectRefusal } from '../laws/subject.ts';
import { at, create, node, size, token, ttl } from '../support/commands.ts';
import { forEachEtcd, newPrefix } from '../support/etcd.ts';

const policy = DEFAULT_POLICY;

/** Timeout of a node's request. */
const NODE_LIMIT_MS = 5000;
const STEP_MS = 100;

/** Waits while this process runs: a pause of the machine counts as one step. */
async function sleepWhileRunning(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) await sleep(STEP_MS, undefined, { ref: false });
}

/** Uses timers of the same event loop for both, so that a slow machine slows both. */
const failsBeforeTimeout = (call: Promise<unknown>): Promise<unknown> =>
  Promise.race([
    expectRefusal('STORE_UNAVAILABLE', call),
    sleepWhileRunning(NODE_LIMIT_MS).then(() => assert.fail('a node would have timed out')),
  ]);

await forEachEtcd((label, etcd) => {
  describe(`failures of ${label}`, { concurrency: 3 }, () => {
    for (const [what, members] of [
      ['etcd crashes', 1],
      ['etcd loses its quorum', 3],
    ] as const) {
      test(`${what}: calls fail, the log says so once, and everything recovers`, async (t) => {
        const scene = await Scene.open(t);
        const backing = await BackingEtcd.start(scene, { etcd, members });
        const log: string[] = [];
        const endpoints = backing.members.map((member) => member.clientUrl);
        const store = await openEtcdStore({
          endpoints,
          prefix: newPrefix(),
          policy,
          log: (line) => log.push(line),
        });
        scene.after(() => store.close());
        const discovery = new Discovery(store, policy);
        const known = token();
        await discovery.createToken(create(known, size(9)));
        const stop = new AbortController();
        const items: WatchItem[] = [];
        const watching = (async () => {
          for await (const item of discovery.watch(known, undefined, stop.signal)) items.push(item);
        })();
        await waitFor('the watch to begin', () => items.length === 1);

        const lost = members === 1 ? backing.members : backing.members.slice(1);
        for (const member of lost) await member.crash();
        const calls = Array.from({ length: 50 }, (_, i) => [
          expectRefusal('STORE_UNAVAILABLE', discovery.register(known, node(i))),
          expectRefusal('STORE_UNAVAILABLE', discovery.createToken(create(token()))),
          expectRefusal('STORE_UNAVAILABLE', discovery.listMembers(known)),
        ]);
        await Promise.all(calls.flat());
        assert.equal(log.length, 1, log.join('\n'));

        for (const member of lost) member.startAgain();
        await waitFor('the store to recover', () =>
          discovery.listMembers(known).then(
            () => true,
            () => false,
          ),
        );
        const { outcome } = await discovery.register(known, node(100));
        assert.equal(outcome, 'CREATED');
        await waitFor('the watch to report it', () =>
          eventsOf(items).some((event) => event.member?.name === 'infra100'),
        );
        const { cluster } = await discovery.listMembers(known);
        assert.deepEqual(
          eventsOf(items).map((event) => event.revision),
          cluster.members.map((member) => member.createRevision),
          'each once, including writes that may have happened',
        );
        await waitFor('the recovery to be logged', () => log.length > 1);
        assert.equal(log.length, 2, log.join('\n'));
        stop.abort();
        await watching;
      });
    }

    test('etcd stops responding: calls fail before a node times out, whenever they start', async (t) => {
      const scene = await Scene.open(t);
      const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
      const [member] = backing.members;
      assert.ok(member);
      const store = await openEtcdStore({ endpoints: [member.proxyUrl], prefix: newPrefix(), policy });
      scene.after(() => store.close());
      const discovery = new Discovery(store, policy);
      const known = token();
      await discovery.createToken(create(known, size(50)));
      member.proxy.stall();
      // Spread over longer than a call to etcd takes, so that they arrive at its start and at its end.
      const answers: Promise<unknown>[] = [];
      for (let i = 0; i < 40; i += 1) {
        answers.push(
          failsBeforeTimeout(discovery.register(known, node(i))),
          failsBeforeTimeout(discovery.createToken(create(token()))),
          failsBeforeTimeout(discovery.listMembers(known)),
        );
        await sleep(50);
      }
      await Promise.all(answers);
    });

    test('one replica sweeps, and another takes over when the first loses its connection', async (t) => {
      const scene = await Scene.open(t);
      const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
      const [member] = backing.members;
      assert.ok(member);
      const prefix = newPrefix();
      const one = await openEtcdStore({ endpoints: [member.proxyUrl], prefix, policy });
      const two = await openEtcdStore({ endpoints: [member.clientUrl], prefix, policy });
      scene.after(async () => {
        await one.close();
        await two.close();
      });
      const discovery = new Discovery(two, policy);
      const future = at(Date.now() + 3_600_000);
      const make = async (): Promise<void> => {
        const tokens = Array.from({ length: 60 }, () => token());
        await Promise.all(tokens.map((each) => discovery.createToken(create(each, ttl(60_000)))));
      };
      await make();
      assert.equal(await one.sweep(future, 1), 1);
      assert.equal(await two.sweep(future, 1000), 0, 'it is not its turn');
      const [first, second] = await Promise.all([one.sweep(future, 1000), two.sweep(future, 1000)]);
      assert.deepEqual([first, second], [59, 0]);
      await make();
      member.proxy.cut();
      await expectRefusal('STORE_UNAVAILABLE', one.sweep(future, 1000));
      await waitFor('the other replica to take over', async () => (await two.sweep(future, 7)) > 0);
      assert.equal(await two.sweep(future, 1000), 53);
      member.proxy.restore();
      await make();
      await waitFor('the first replica to recover', () =>
        one.sweep(future, 1000).then(
          (swept) => swept === 0,
          () => false,
        ),
      );
      assert.equal(await two.sweep(future, 1000), 60);
      await make();
      await two.close();
      assert.equal(await one.sweep(future, 1000), 60, 'a closed replica releases its turn immediately');
    });
  });
});
