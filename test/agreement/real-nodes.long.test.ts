import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import { EtcdNode } from '../etcd/harness/node.ts';
import type { Scene } from '../etcd/harness/scene.ts';
import { type Etcd, forEachEtcd } from '../etcd/harness/versions.ts';
import { emptyDisk, openMemoryStore } from '../store/support/memory.ts';
import { Host } from './host.ts';
import type { Dialect, NodeIdentity } from './node.ts';
import { type Door, openV2Door, openV3Door } from './real-nodes.ts';
import { TOKEN } from './setup.ts';
import { World } from './world.ts';

// Checks that the model's nodes behave like etcd: in each story both make the same calls in the same order.

const NO_BUDGET = { cuts: 9, crashes: 0, breaks: 9, restarts: 0 };
/** How long to wait for an unexpected call. */
const QUIET_MS = 300;
const DISCOVERY_URL = `http://discovery.test:8087/${TOKEN}`;

type Step = readonly ['start' | 'remove' | 'break', number];

const STORIES: Readonly<Record<string, readonly Step[]>> = {
  'three nodes start one after the other': [
    ['start', 1],
    ['start', 2],
    ['start', 3],
  ],
  'a connection breaks while a node waits': [
    ['start', 1],
    ['start', 2],
    ['break', 1],
    ['start', 3],
  ],
  'a member is removed while two wait': [
    ['start', 1],
    ['start', 2],
    ['remove', 2],
    ['break', 1],
    ['start', 3],
  ],
};

/** Runs the story with real nodes. Returns the calls and identities of each. */
async function playReal(
  scene: Scene,
  etcd: Etcd,
  dialect: Dialect,
  steps: readonly Step[],
  countsAfter: (identities: readonly NodeIdentity[]) => Promise<ReadonlyArray<readonly string[]>>,
): Promise<void> {
  const store = openMemoryStore(emptyDisk(), DEFAULT_POLICY);
  const host = new Host(store, {}, (defect) => assert.fail(String(defect)));
  await host.client.createToken({ token: TOKEN, size: 3 });
  const doors = new Map<number, Door>();
  const identities: NodeIdentity[] = [];
  scene.after(async () => {
    for (const door of doors.values()) door.close();
    host.stop();
  });
  for (const [i, [what, which]] of steps.entries()) {
    if (what === 'start') {
      const door = dialect === 'V2' ? await openV2Door(() => host) : await openV3Door(() => host);
      doors.set(which, door);
      const discovery =
        dialect === 'V2' ? DISCOVERY_URL : { token: TOKEN, endpoints: [new URL(door.url).host] };
      const flags = dialect === 'V2' ? [`--discovery-proxy=${door.url}`] : [];
      const node = await EtcdNode.start(scene, { etcd, name: `n${which}`, discovery, flags });
      await scene.until(`n${which} to register`, () => (idIn(door.calls) === undefined ? undefined : true));
      const [peerUrl = ''] = node.peerUrls;
      identities.push({ id: idIn(door.calls) ?? '', name: node.name, peerUrl });
    } else if (what === 'remove') {
      await host.client.deregister({ token: TOKEN, memberId: identities[which - 1]?.id ?? '' });
    } else doors.get(which)?.cut();
    const expected = (await countsAfter(identities)).slice(0, doors.size);
    await scene.until(`the calls of step ${i + 1}`, () =>
      [...doors.values()].every(({ calls }, at) => calls.length >= (expected[at]?.length ?? 0))
        ? true
        : undefined,
    );
    await sleep(QUIET_MS);
    const actual = [...doors.values()].map(({ calls }) => [...calls]);
    assert.deepEqual(actual, expected, `after step ${i + 1}: ${what} ${which}`);
  }
}

const idIn = (calls: readonly string[]): string | undefined =>
  calls.map((call) => /^(?:PUT|Put) \S*\/([0-9a-f]+)(?:\?| )/.exec(call)?.[1]).find((id) => id !== undefined);

/** Runs the same steps in the model, with the identities of the real nodes. */
async function playModel(
  dialect: Dialect,
  steps: readonly Step[],
  identities: readonly NodeIdentity[],
): Promise<ReadonlyArray<readonly string[]>> {
  const disk = emptyDisk();
  const world = await World.open({
    size: 3,
    dialects: [dialect, dialect, dialect],
    budget: NO_BUDGET,
    isFine: false,
    newData: () => () => openMemoryStore(disk, DEFAULT_POLICY),
    identityOf: (i) => identities[i - 1] ?? { id: `${i}`, name: `n${i}`, peerUrl: `http://10.9.0.${i}:2380` },
  });
  const started = new Set<number>();
  for (const [what, which] of steps) {
    if (what === 'start') started.add(which);
    else assert.ok(await world.apply(`${what} ${which}`), `${what} ${which} can happen`);
    const next = (): string | undefined =>
      world.enabled().steps.find((step) => started.has(Number(step.split(' ')[1])));
    for (let step = next(); step !== undefined; step = next()) await world.apply(step);
  }
  const calls = world.slots.map((slot) => [...slot.calls]);
  await world.close();
  return calls;
}

for (const dialect of ['V2', 'V3'] as const) {
  await forEachEtcd((it) => {
    for (const [name, steps] of Object.entries(STORIES)) {
      it(`${dialect}: ${name}`, async (scene, etcd) => {
        let done = 0;
        await playReal(scene, etcd, dialect, steps, (identities) => {
          done += 1;
          return playModel(dialect, steps.slice(0, done), identities);
        });
      });
    }
  }, dialect);
}
