import { test } from 'node:test';
import { ONLY_IN_LONG_RUNS, slow } from '../slow.ts';
import { exhaust, MANY, type Mixes } from './exhaust.ts';
import type { Budget } from './setup.ts';

// All interleavings of four nodes, in long runs. Two removals among four nodes of both dialects alone take half an
// hour, and run only by hand: ETCD_DISCOVERY_TEST_EXHAUSTIVE=1.

const isWhole = process.env['ETCD_DISCOVERY_TEST_EXHAUSTIVE'] === '1';
const FEW: ReadonlyArray<Partial<Budget>> = [{ crashes: 1, breaks: 1, restarts: 1 }, { cuts: 1 }];

const MIXES: Mixes = [
  [3, '2222'],
  [3, '2233'],
  [3, '3333'],
];

if (slow) exhaust(MIXES, isWhole ? MANY : FEW);
else
  test('all interleavings of four nodes', {
    skip: ONLY_IN_LONG_RUNS,
  }, () => {});
