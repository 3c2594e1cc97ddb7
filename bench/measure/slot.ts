import type { Job, JobResult } from '../load/main.ts';
import type { RegistrationPlan } from '../load/registrations.ts';
import type { Child } from '../support/child.ts';
import type { Usage } from '../support/probe.ts';

/** The result of a load, and the server's resource usage. */
export interface Slot extends JobResult {
  /** CPU time of the server, all threads. */
  readonly serverCpuMicros: number;
}

/** Concurrent calls, and for how long. */
export interface Timing {
  readonly inFlight: number;
  readonly ms: number;
  /** Unset: as many as possible. */
  readonly perSecond?: number;
}

/** What to request: ready requests, or as many registrations as the slot needs. */
export type WantedRequests =
  | Exclude<Job['requests'], { distinct: RegistrationPlan }>
  | Omit<RegistrationPlan, 'count'>;

/** Where to send the requests. */
export interface Asked {
  readonly usage: () => Promise<Usage>;
  readonly port: number;
  /** The port on which to create tokens for registrations. A baseline needs none. */
  readonly tokensAt?: number;
}

/** The part of a slot before its clock starts. */
const LEAD_IN = 0.2;
/** More registrations than a slot will use. */
const GUESSED_PER_MS = 15;

/** Has the load generator run a job against a server. `last` is the previous slot of the same kind. */
export async function runSlot(
  load: Child,
  { usage, port, tokensAt }: Asked,
  wanted: WantedRequests,
  { inFlight, ms, perSecond }: Timing,
  { last, grpcPath }: { readonly last?: Slot | undefined; readonly grpcPath?: string | undefined } = {},
): Promise<Slot> {
  const job: Job = {
    port,
    ...(grpcPath !== undefined && { grpcPath }),
    inFlight,
    ms,
    ...(perSecond !== undefined && { perSecond }),
    leadInMs: ms * LEAD_IN,
    requests:
      'dialect' in wanted
        ? {
            distinct: { ...wanted, count: enough(last, { inFlight, ms }) },
            ...(tokensAt !== undefined && { tokensAt }),
          }
        : wanted,
  };
  await load.ask('prepare', job);
  const before = await usage();
  const result = (await load.ask('run')) as JobResult;
  const after = await usage();
  return { ...result, serverCpuMicros: after.cpuMicros - before.cpuMicros };
}

/**
 * Returns how many registrations to prepare before the clock starts: estimated from the last slot, with a margin. A
 * slot that runs out of them ends early and counts with its actual time.
 */
function enough(last: Slot | undefined, { inFlight, ms }: Timing): number {
  const perMs = last === undefined ? GUESSED_PER_MS : (1.5 * rateOf(last)) / 1000;
  // However slow the server is, each caller makes a call before the clock starts, and one after.
  return Math.ceil(perMs * ms * (1 + LEAD_IN)) + 3 * inFlight;
}

/** Returns the targets with another one first in each round, so that none has an advantage. */
export function inTurn<Target>(targets: readonly Target[], round: number): readonly Target[] {
  return round % 2 === 0 ? targets.toReversed() : targets;
}

/** Returns the server's CPU time in microseconds per call. */
export function cpuOf(slot: Slot): number {
  return slot.serverCpuMicros / slot.allCalls;
}

export function rateOf(slot: JobResult): number {
  return slot.calls / slot.seconds;
}
