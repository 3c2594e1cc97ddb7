import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { ExplorationOrder, Explored } from './explorer.ts';
import { type Budget, setupOf } from './setup.ts';

/** Cluster sizes, each with the dialects of the nodes: a 2 for v2, a 3 for v3. */
export type Mixes = ReadonlyArray<readonly [size: number, dialects: string]>;

/** Events that may happen in a long run. */
export const MANY: ReadonlyArray<Partial<Budget>> = [
  { crashes: 1, breaks: 1, restarts: 1 },
  { cuts: 2 },
  { cuts: 1, restarts: 1 },
];

/**
 * Declares a test of all interleavings of nodes' steps. World has the steps, and Verdicts what must hold. Runs in a
 * thread, because node:test's tracking of promises makes it a third slower.
 */
export function exhaust(mixes: Mixes, budgets: ReadonlyArray<Partial<Budget>>): void {
  const explorer = new Worker(new URL('./explorer.js', import.meta.url));
  after(() => explorer.terminate());
  for (const [size, dialects] of mixes) {
    for (const budget of budgets) {
      test(setupOf(size, dialects, budget).name, async (t) => {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
        explorer.postMessage({ size, dialects, budget } satisfies ExplorationOrder);
        const [{ states, stories, failure }] = (await once(explorer, 'message')) as [Explored];
        t.diagnostic(`${states} states in ${stories} stories`);
        assert.equal(failure, undefined);
      });
    }
  }
}
