// What a run measures, and for how long.

import type { BootstrapPlan } from './measure/bootstrap.ts';
import type { CallsPlan } from './measure/calls.ts';
import { OPERATIONS, type OperationName } from './measure/operations.ts';
import { PACED, type PacePlan } from './measure/pace.ts';
import type { TokensPlan } from './measure/tokens.ts';
import type { WaitersPlan } from './measure/waiters.ts';
import { WAYS } from './measure/ways.ts';
import type { StoreKind } from './servers/servers.ts';

/** Undefined: not wanted. */
export interface Plan {
  readonly calls: CallsPlan | undefined;
  readonly overEtcd: CallsPlan | undefined;
  readonly pace: PacePlan | undefined;
  readonly waiters: WaitersPlan | undefined;
  readonly bootstrap: BootstrapPlan | undefined;
  readonly tokens: TokensPlan | undefined;
}

export type Size = 'full' | 'quick' | 'smoke';

export interface Wanted {
  readonly size: Size;
  /** Parts of names; none: everything. */
  readonly only: readonly string[];
  readonly store: StoreKind;
  readonly waiters: number | undefined;
  /** Where filled stores are kept. */
  readonly cache: string;
}

// The more at once, the longer a call takes: each caller is to make several in a slot.
const CALLS = {
  full: {
    rounds: 3,
    slots: [
      { inFlight: 1, ms: 100 },
      { inFlight: 32, ms: 200 },
      { inFlight: 256, ms: 300 },
      { inFlight: 2000, ms: 500 },
    ],
    // Until V8 has compiled what is measured, which takes it some ten thousand calls.
    warmUp: { inFlight: 32, ms: 500 },
  },
  quick: {
    rounds: 2,
    slots: [
      { inFlight: 1, ms: 60 },
      { inFlight: 32, ms: 60 },
      { inFlight: 256, ms: 100 },
    ],
    warmUp: { inFlight: 32, ms: 200 },
  },
  smoke: { rounds: 1, slots: [{ inFlight: 2, ms: 20 }], warmUp: { inFlight: 2, ms: 10 } },
} as const;
const PACE = {
  full: { rounds: 5, highest: { inFlight: 256, ms: 500 }, ms: 3000 },
  quick: { rounds: 2, highest: { inFlight: 256, ms: 200 }, ms: 1000 },
  smoke: { rounds: 1, highest: { inFlight: 2, ms: 20 }, ms: 50 },
} as const;
/** Of those who wait at once: one, and those of a large cluster, before the most. */
const FEW_WAITERS = [1, 100];
const WAITERS = {
  full: {
    most: 5000,
    rounds: 3,
    restMs: 3000,
    idleMs: 6000,
    rehearsal: 200,
    fewestForMemory: 500,
    timesFew: 7,
  },
  quick: {
    most: 500,
    rounds: 1,
    restMs: 1000,
    idleMs: 3000,
    rehearsal: 200,
    fewestForMemory: 500,
    timesFew: 3,
  },
  smoke: { most: 20, rounds: 1, restMs: 10, idleMs: 100, rehearsal: 10, fewestForMemory: 20, timesFew: 1 },
} as const;
/** What the Go service does as well, where its store is not faster than both are. */
const OVER_ETCD: readonly OperationName[] = ['v2 list of 3', '/new', 'v2 register, 3 a token'];
const TOKENS = {
  full: { counts: [0, 1000, 100_000, 1_000_000], starts: 3, rounds: 4, inFlight: [32, 256], slotMs: 300 },
  quick: { counts: [0, 1000, 100_000], starts: 2, rounds: 2, inFlight: [32], slotMs: 100 },
  smoke: { counts: [0, 50, 100], starts: 1, rounds: 1, inFlight: [2], slotMs: 20 },
} as const;
/** Throws when nothing has such a name. */
export function planOf({ size, only, store, waiters, cache }: Wanted): Plan {
  const names: string[] = [];
  const isWanted = (name: string): boolean => {
    names.push(name);
    const text = name.toLowerCase();
    return only.length === 0 || only.some((part) => text.includes(part.toLowerCase()));
  };
  const calls = (prefix: string, operations: readonly OperationName[]) =>
    operations.filter((name) => isWanted(`calls: ${prefix}${name}`));
  const many = <Name, Rest>(wanted: readonly Name[], rest: Rest) =>
    wanted.length === 0 ? undefined : { ...rest, wanted };
  const most = waiters ?? WAITERS[size].most;
  const isFull = size === 'full';
  const plan: Plan = {
    calls: many(calls('', OPERATIONS), {
      ...CALLS[size],
      store,
      prefix: '',
    }),
    overEtcd:
      store === 'etcd'
        ? undefined
        : many(calls('over etcd: ', OVER_ETCD), {
            ...CALLS[size],
            // With the same as the Go service.
            slots: CALLS[size].slots.slice(isFull ? 1 : 0, 3),
            store: 'etcd' as const,
            prefix: 'over etcd: ',
          }),
    pace: many(
      PACED.filter((name) => isWanted(`at half of the highest rate: ${name}`)),
      { ...PACE[size], store },
    ),
    waiters: many(
      WAYS.filter((how) => isWanted(`waiters: ${how}`)),
      { ...WAITERS[size], counts: [...FEW_WAITERS.filter((few) => few < most), most], store },
    ),
    bootstrap: isWanted('bootstrap of 3 nodes')
      ? { rounds: { full: 15, quick: 2, smoke: 1 }[size], warmUps: { full: 5, quick: 1, smoke: 0 }[size] }
      : undefined,
    tokens: isWanted('many tokens: start, memory, rates') ? { ...TOKENS[size], cache } : undefined,
  };
  if (Object.values(plan).every((part) => part === undefined)) {
    throw new Error(`--only: nothing has such a name. There are:\n  ${names.join('\n  ')}`);
  }
  return plan;
}
