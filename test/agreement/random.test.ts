import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slow } from '../slow.ts';
import { Random, seedOfRun } from '../store/support/random.ts';
import { failureText } from './explore.ts';
import { playRandom, shrink } from './random.ts';
import { setupOf } from './setup.ts';

// Beyond what can be looked at whole: more nodes, more of what may happen, and every call, every answer and every access
// to the store as a step of its own.

const STORIES = slow ? 10_000 : 1500;
const seed = seedOfRun();

test('random stories of nodes end with one cluster', async (t) => {
  const random = new Random(seed);
  for (let i = 0; i < STORIES; i++) {
    const size = random.between(1, 5);
    const dialects = Array.from({ length: size + random.between(0, 2) }, () => random.pick(['2', '3'])).join(
      '',
    );
    const few = (): number => random.between(0, 2);
    const setup = setupOf(size, dialects, { cuts: few(), crashes: few(), breaks: few(), restarts: few() });
    const fine = { ...setup, isFine: random.chance(0.8) };
    const found = await playRandom(fine, random, random.next() / 3);
    if (found === undefined) continue;
    assert.fail(`seed ${seed}, story ${i}: ${failureText(setup.name, await shrink(fine, found))}`);
  }
  t.diagnostic(`${STORIES} stories by seed ${seed}`);
});
