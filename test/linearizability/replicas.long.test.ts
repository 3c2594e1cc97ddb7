import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackingEtcd } from '../etcd/harness/backing.ts';
import { Scene } from '../etcd/harness/scene.ts';
import { Service } from '../etcd/harness/service.ts';
import { installedEtcd } from '../etcd/harness/versions.ts';
import { Random, seedOfRun } from '../store/support/random.ts';
import { buildChecker } from './checker.ts';
import { Clients } from './clients.ts';
import { assertLinearizable, runFaults, UNLIMITED } from './run.ts';

const [tool, etcd] = [await buildChecker(), await installedEtcd()];

test('responses of two replicas on one etcd are linearizable during faults of replicas, etcd and connections', {
  skip: tool.missing ?? etcd.missing ?? false,
}, async (t) => {
  if (etcd.missing !== undefined) return;
  const seed = seedOfRun();
  const random = new Random(seed);
  const scene = await Scene.open(t);
  const backing = await BackingEtcd.start(scene, { etcd, members: 3 });
  const store = ['--etcd', backing.endpoints];
  const replicas = [
    await Service.start(scene, UNLIMITED, { name: 'replica 1', store }),
    await Service.start(scene, UNLIMITED, { name: 'replica 2', store }),
  ] as const;
  // Clients do not call a replica that is known to be down.
  const away = new Set<string>();
  const clients = new Clients(random, `etcd-${seed}`, () =>
    replicas.map(({ url }) => url).filter((url) => !away.has(url)),
  );
  t.after(() => clients.stop());

  const faults = [
    async () => {
      const replica = random.pick(replicas);
      await replica.stop('SIGKILL');
      away.add(replica.url);
      await replica.startAgain();
      away.delete(replica.url);
    },
    async () => {
      const member = random.chance(0.5) ? await backing.leader() : random.pick(backing.members);
      member.freeze();
      await sleep(random.between(500, 2500));
      member.thaw();
    },
    async () => {
      for (const { proxy } of backing.members) proxy.cut();
      await sleep(random.between(0, 500));
      for (const { proxy } of backing.members) proxy.restore();
    },
  ];
  // In turn, so that a short run includes each.
  await runFaults(clients, random, async (i) => {
    await faults[i % faults.length]?.();
  });
  await assertLinearizable(tool.path ?? '', await clients.stop(), seed);
});
