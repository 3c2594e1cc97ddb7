// Decides what a run measures, and for how long.

import type { BootstrapPlan } from './measure/bootstrap.ts';
import type { CallsPlan } from './measure/calls.ts';
import { OPERATIONS, type OperationName } from './measure/operations.ts';
import { GENERATED, type GeneratorsPlan } from './measure/other-generators.ts';
import { PACED, type PacePlan } from './measure/pace.ts';
import type { StartPlan } from './measure/start.ts';
import type { TokensPlan } from './measure/tokens.ts';
import type { WaitersPlan } from './measure/waiters.ts';
import { WAYS } from './measure/ways.ts';
import type { StoreKind } from './servers/servers.ts';

/** Undefined parts are not measured. */
export interface Plan {
  readonly calls: CallsPlan | undefined;
  readonly overEtcd: CallsPlan | undefined;
  readonly pace: PacePlan | undefined;
  readonly others: GeneratorsPlan | undefined;
  readonly waiters: WaitersPlan | undefined;
  readonly bootstrap: BootstrapPlan | undefined;
  readonly start: StartPlan | undefined;
  readonly tokens: TokensPlan | undefined;
}

export type Size = 'full' | 'quick' | 'smoke';

export interface Wanted {
  readonly size: Size;
  /** Parts of names. Empty: everything. */
  readonly only: readonly string[];
  readonly store: StoreKind;
  readonly waiters: number | undefined;
  /** The cache of filled stores. */
  readonly cache: string;
}

// Calls take longer with more in flight, and each caller should make several in a slot.
const CALLS = {
  full: {
    rounds: 3,
    slots: [
      { inFlight: 1, ms: 100 },
      { inFlight: 32, ms: 200 },
      { inFlight: 256, ms: 300 },
      { inFlight: 2000, ms: 500 },
    ],
    // Until V8 has compiled the measured code, which takes some ten thousand calls.
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
/** Concurrent waiters: one, and those of a large cluster, before the maximum. */
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
/** Operations that the Go service also has. */
const OVER_ETCD: readonly OperationName[] = ['v2 list of 3', '/new', 'v2 register, 3 a token'];
const TOKENS = {
  full: { counts: [0, 1000, 100_000, 1_000_000], starts: 3, rounds: 4, inFlight: [32, 256], slotMs: 300 },
  quick: { counts: [0, 1000, 100_000], starts: 2, rounds: 2, inFlight: [32], slotMs: 100 },
  smoke: { counts: [0, 50, 100], starts: 1, rounds: 1, inFlight: [2], slotMs: 20 },
} as const;
const OTHERS = {
  full: { rounds: 3, inFlight: [32, 256], seconds: 2 },
  quick: { rounds: 1, inFlight: [32], seconds: 1 },
  smoke: { rounds: 1, inFlight: [2], seconds: 1 },
} as const;
const START = {
  full: { rounds: 20, restMs: 10_000 },
  quick: { rounds: 5, restMs: 3000 },
  smoke: { rounds: 1, restMs: 10 },
} as const;
/** Throws if no part has such a name. */
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
            // As many as the Go service is measured with.
            slots: CALLS[size].slots.slice(isFull ? 1 : 0, 3),
            store: 'etcd' as const,
            prefix: 'over etcd: ',
          }),
    pace: many(
      PACED.filter((name) => isWanted(`at half of the highest rate: ${name}`)),
      { ...PACE[size], store },
    ),
    others: many(
      GENERATED.filter((name) => isWanted(`with wrk or h2load: ${name}`)),
      OTHERS[size],
    ),
    waiters: many(
      WAYS.filter((how) => isWanted(`waiters: ${how}`)),
      { ...WAITERS[size], counts: [...FEW_WAITERS.filter((few) => few < most), most], store },
    ),
    bootstrap: isWanted('bootstrap of 3 nodes')
      ? { rounds: { full: 15, quick: 2, smoke: 1 }[size], warmUps: { full: 5, quick: 1, smoke: 0 }[size] }
      : undefined,
    start: isWanted('start, memory after it') ? START[size] : undefined,
    tokens: isWanted('many tokens: start, memory, rates') ? { ...TOKENS[size], cache } : undefined,
  };
  if (Object.values(plan).every((part) => part === undefined)) {
    throw new Error(`--only: no such name. There are:\n  ${names.join('\n  ')}`);
  }
  return plan;
}
