import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import { slow } from '../slow.ts';
import { forEachEtcdStore } from '../store/support/etcd.ts';
import type { Place } from '../store/support/factory.ts';
import { lmdbPlace } from '../store/support/place.ts';
import { seedOfRun } from '../store/support/random.ts';
import { playMany } from './play-many.ts';
import type { StoriesOrder } from './player.ts';
import type { OpenStore, Setup } from './setup.ts';

// Beyond what can be explored exhaustively: more nodes, more events, and every call, response and store access as a
// separate step.

const seed = seedOfRun();

async function playHere(
  t: TestContext,
  count: number,
  data: Pick<Setup, 'newData' | 'newsMs'>,
): Promise<void> {
  assert.equal(await playMany(seed, count, data), undefined);
  t.diagnostic(`${count} stories with seed ${seed}`);
}

// In a thread, because node:test's tracking of promises makes it a third slower.
test('random stories of nodes end with one cluster', async (t) => {
  const order: StoriesOrder = { seed, count: slow ? 5000 : 1500 };
  const player = new Worker(new URL('./player.js', import.meta.url), { workerData: order });
  const [{ failure }] = (await once(player, 'message')) as [{ failure: string | undefined }];
  assert.equal(failure, undefined);
  t.diagnostic(`${order.count} stories with seed ${seed}`);
});

test('random stories over the embedded store end with one cluster', async (t) => {
  const places: Place[] = [];
  const newData = (): OpenStore => {
    const place = lmdbPlace();
    places.push(place);
    return () => place.open(DEFAULT_POLICY);
  };
  t.after(() => {
    for (const place of places) place.destroy();
  });
  await playHere(t, slow ? 200 : 20, { newData, newsMs: 1 });
});

if (slow) {
  await forEachEtcdStore((label, makePlace) => {
    test(`random stories over ${label} end with one cluster`, async (t) => {
      const newData = (): OpenStore => {
        const place = makePlace();
        return () => place.open(DEFAULT_POLICY);
      };
      await playHere(t, 60, { newData, newsMs: 50 });
    });
  }, 'TWO');
}
