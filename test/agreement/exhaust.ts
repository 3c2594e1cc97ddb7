import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Explored, Order } from './explorer.ts';
import { type Budget, setupOf } from './setup.ts';

/** Sizes, and the nodes that come: each 2 is one of v2. */
export type Mixes = ReadonlyArray<readonly [size: number, dialects: string]>;

/** What may happen in a long run. */
export const MANY: ReadonlyArray<Partial<Budget>> = [
  { crashes: 1, breaks: 1, restarts: 1 },
  { cuts: 2 },
  { cuts: 1, restarts: 1 },
];

/**
 * Declares a test of everything that can happen to nodes: see world.ts for the steps, and verdicts.ts for what must hold.
 * In a thread of its own, as the hooks by which node:test follows each promise make this a third slower.
 */
export function exhaust(mixes: Mixes, budgets: ReadonlyArray<Partial<Budget>>): void {
  const explorer = new Worker(new URL('./explorer.js', import.meta.url));
  after(() => explorer.terminate());
  for (const [size, dialects] of mixes) {
    for (const budget of budgets) {
      test(setupOf(size, dialects, budget).name, async (t) => {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
        explorer.postMessage({ size, dialects, budget } satisfies Order);
        const [{ states, stories, failure }] = (await once(explorer, 'message')) as [Explored];
        t.diagnostic(`${states} states in ${stories} stories`);
        assert.equal(failure, undefined);
      });
    }
  }
}
