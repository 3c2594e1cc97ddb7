import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import { slow } from '../slow.ts';
import { forEachEtcdStore } from '../store/support/etcd.ts';
import type { Place } from '../store/support/factory.ts';
import { lmdbPlace } from '../store/support/place.ts';
import { Random, seedOfRun } from '../store/support/random.ts';
import { failureText } from './explore.ts';
import { playRandom, shrink } from './random.ts';
import { memoryData, type OpenStore, type Setup, setupOf } from './setup.ts';

// Beyond what can be explored exhaustively: more nodes, more events, and every call, response and store access as a
// separate step.

const seed = seedOfRun();

/** Runs stories over the stores that `newData` creates. Reports the first failure, shortened. */
async function playMany(
  t: TestContext,
  count: number,
  data: Pick<Setup, 'newData' | 'newsMs'>,
): Promise<void> {
  const random = new Random(seed);
  for (let i = 0; i < count; i++) {
    const size = random.between(1, 5);
    const dialects = Array.from({ length: size + random.between(0, 2) }, () => random.pick(['2', '3'])).join(
      '',
    );
    const few = (): number => random.between(0, 2);
    const plain = setupOf(size, dialects, { cuts: few(), crashes: few(), breaks: few(), restarts: few() });
    const setup = { ...plain, ...data, isFine: random.chance(0.8) };
    const found = await playRandom(setup, random, random.next() / 3);
    if (found === undefined) continue;
    assert.fail(`seed ${seed}, story ${i}: ${failureText(plain.name, await shrink(setup, found))}`);
  }
  t.diagnostic(`${count} stories with seed ${seed}`);
}

test('random stories of nodes end with one cluster', (t) =>
  playMany(t, slow ? 5000 : 1500, { newData: memoryData }));

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
  await playMany(t, slow ? 200 : 20, { newData, newsMs: 1 });
});

if (slow) {
  await forEachEtcdStore((label, makePlace) => {
    test(`random stories over ${label} end with one cluster`, async (t) => {
      const newData = (): OpenStore => {
        const place = makePlace();
        return () => place.open(DEFAULT_POLICY);
      };
      await playMany(t, 60, { newData, newsMs: 50 });
    });
  }, 'TWO');
}
