import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explore, failureText } from './explore.ts';
import { type Budget, setupOf } from './setup.ts';

/** Sizes, and the nodes that come: each 2 is one of v2. */
export type Mixes = ReadonlyArray<readonly [size: number, dialects: string]>;

/** What may happen in a long run. */
export const MANY: ReadonlyArray<Partial<Budget>> = [
  { crashes: 1, breaks: 1, restarts: 1 },
  { cuts: 2 },
  { cuts: 1, restarts: 1 },
];

/** Declares a test of everything that can happen to nodes: see world.ts for the steps, and verdicts.ts for what must hold. */
export function exhaust(mixes: Mixes, budgets: ReadonlyArray<Partial<Budget>>): void {
  for (const [size, dialects] of mixes) {
    for (const budget of budgets) {
      const setup = setupOf(size, dialects, budget);
      test(setup.name, async (t) => {
        const { states, stories, failure } = await explore(setup);
        t.diagnostic(`${states} states in ${stories} stories`);
        assert.equal(failure && failureText(setup.name, failure), undefined);
      });
    }
  }
}
