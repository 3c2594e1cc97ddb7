import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slow } from '../slow.ts';
import { explore, failureText } from './explore.ts';
import { type Budget, setupOf } from './setup.ts';

// Everything that can happen to few nodes: see world.ts for the steps, and verdicts.ts for what must hold.

// A short run looks at three nodes at most, at one kind of fault beside a restart, or at one removal or replacement. A
// long one looks at four nodes too; two cuts among four nodes of both dialects take half an hour by themselves, so they
// are for runs by hand: ETCD_DISCOVERY_TEST_EXHAUSTIVE=1.
const SHORT_NODES = 3;
const whole = process.env['ETCD_DISCOVERY_TEST_EXHAUSTIVE'] === '1';
const FEW: ReadonlyArray<Partial<Budget>> = [
  { crashes: 1, restarts: 1 },
  { breaks: 1, restarts: 1 },
  { cuts: 1 },
];
const MANY: ReadonlyArray<Partial<Budget>> = [
  { crashes: 1, breaks: 1, restarts: 1 },
  { cuts: 2 },
  { cuts: 1, restarts: 1 },
];

const OF_FOUR: ReadonlyArray<Partial<Budget>> = [{ crashes: 1, breaks: 1, restarts: 1 }, { cuts: 1 }];

function budgetsFor(nodes: number): ReadonlyArray<Partial<Budget>> {
  if (whole) return MANY;
  if (nodes <= SHORT_NODES) return slow ? MANY : FEW;
  return slow ? OF_FOUR : [];
}

const MIXES = [
  [1, '23'],
  [2, '222'],
  [2, '223'],
  [2, '233'],
  [2, '333'],
  [3, '2222'],
  [3, '2233'],
  [3, '3333'],
] as const;

for (const [size, dialects] of MIXES) {
  for (const budget of budgetsFor(dialects.length)) {
    const setup = setupOf(size, dialects, budget);
    test(setup.name, async (t) => {
      const { states, stories, failure } = await explore(setup);
      t.diagnostic(`${states} states in ${stories} stories`);
      assert.equal(failure && failureText(setup.name, failure), undefined);
    });
  }
}
