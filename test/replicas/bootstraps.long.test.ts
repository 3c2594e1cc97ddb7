import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Scene } from '../etcd/harness/scene.ts';
import { builtEtcd, etcdOf, installedEtcd } from '../etcd/harness/versions.ts';
import { slow } from '../slow.ts';
import { seedOfRun } from '../store/support/random.ts';
import { bootstrapDuring, type Fault, openStage, type Programs } from './stage.ts';

const OUTAGE_MS = 10_000;
const STALL_MS = 5000;
const COMPACTION_MS = 1000;

const replicaKilled: Fault = async ({ replicas: [a] }) => {
  await a.stop('SIGKILL');
  return () => a.startAgain();
};

const FAULTS: Readonly<Record<string, Fault>> = {
  'the leader of the backing etcd is killed': async ({ backing }) => {
    const leader = await backing.leader();
    await leader.crash();
    return async () => {
      await backing.leader();
      leader.startAgain();
    };
  },
  'the backing etcd has no quorum for ten seconds': async ({ backing }) => {
    const [first, second] = backing.members;
    await Promise.all([first?.crash(), second?.crash()]);
    return async () => {
      await sleep(OUTAGE_MS);
      first?.startAgain();
      second?.startAgain();
    };
  },
  'the connections to the backing etcd stall and are cut': async ({ backing }) => {
    for (const { proxy } of backing.members) proxy.stall();
    return async () => {
      await sleep(STALL_MS);
      for (const { proxy } of backing.members) proxy.cut();
      for (const { proxy } of backing.members) proxy.restore();
    };
  },
  'the backing etcd compacts every second': async ({ backing, scene }) => {
    let compacting: Promise<void> | undefined;
    const timer = setInterval(() => {
      compacting ??= backing
        .compact()
        .catch(() => {})
        .finally(() => {
          compacting = undefined;
        });
    }, COMPACTION_MS);
    scene.after(async () => clearInterval(timer));
    return () => sleep(3 * COMPACTION_MS);
  },
};

const seed = seedOfRun();

function bootstrap(what: string, programs: Programs, fault: Fault): void {
  test(`clusters form while ${what}`, async (t) => {
    const scene = await Scene.open(t);
    try {
      await bootstrapDuring(await openStage(scene, programs), programs, fault, seed);
    } catch (error) {
      console.log(scene.describe());
      throw error;
    }
  });
}

// One etcd and few nodes; the long runs use three members and two versions.
const installed = await installedEtcd();
if (installed.missing !== undefined) test('clusters form over several replicas', { skip: installed.missing });
else if (!slow) {
  const v3 = await builtEtcd('3.7');
  const programs = { backing: installed, v2: installed, v3: v3.missing === undefined ? v3 : undefined };
  bootstrap('a replica is killed', { ...programs, members: 1 }, replicaKilled);
} else {
  const [v2, v3] = [await etcdOf('3.5'), await etcdOf('3.7')];
  suite('over three backing members', () => {
    const all = Object.entries({ 'a replica is killed': replicaKilled, ...FAULTS });
    for (const [i, [what, fault]] of all.entries()) {
      // Alternates versions, so that no fault runs twice.
      bootstrap(what, { backing: i % 2 === 0 ? v3 : installed, members: 3, v2, v3 }, fault);
    }
  });
}
