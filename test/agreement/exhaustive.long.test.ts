import { slow } from '../slow.ts';
import { exhaust, MANY, type Mixes } from './exhaust.ts';
import type { Budget } from './setup.ts';

// All interleavings of three nodes. A short run covers one kind of fault besides a restart, or one removal or
// replacement.

const FEW: ReadonlyArray<Partial<Budget>> = [
  { crashes: 1, restarts: 1 },
  { breaks: 1, restarts: 1 },
  { cuts: 1 },
];
const MIXES: Mixes = [
  [1, '23'],
  [2, '222'],
  [2, '223'],
  [2, '233'],
  [2, '333'],
];

exhaust(MIXES, slow ? MANY : FEW);
