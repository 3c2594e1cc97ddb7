import type { Job, JobResult } from '../load/main.ts';
import type { RegistrationPlan } from '../load/registrations.ts';
import type { Child } from '../support/child.ts';
import type { Usage } from '../support/probe.ts';

/** What a load did, and what it took of the server. */
export interface Slot extends JobResult {
  /** CPU time of the server, all of its threads. */
  readonly serverCpuMicros: number;
}

/** Calls at once, and for how long. */
export interface Timing {
  readonly inFlight: number;
  readonly ms: number;
  /** Unset: as many as there can be. */
  readonly perSecond?: number;
}

/** What is asked: ready requests, or as many registrations as the slot needs. */
export type WantedRequests =
  | Exclude<Job['requests'], { distinct: RegistrationPlan }>
  | Omit<RegistrationPlan, 'count'>;

/** Where it is asked. */
export interface Asked {
  readonly usage: () => Promise<Usage>;
  readonly port: number;
  /** Where tokens are made for registrations; a baseline needs none. */
  readonly tokensAt?: number;
}

/** The part of a slot for which calls are made before its clock starts. */
const LEAD_IN = 0.2;
/** Registrations: more than there will be. */
const GUESSED_PER_MS = 15;

/** Has the load generator do a job against a server. `last` is the slot before, of the same. */
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
 * At most so many registrations, which are made ready before the clock starts: guessed from the slot before, with room.
 * A slot that runs out of them ends early and counts with its own time.
 */
function enough(last: Slot | undefined, { inFlight, ms }: Timing): number {
  const perMs = last === undefined ? GUESSED_PER_MS : (1.5 * rateOf(last)) / 1000;
  // However slow it is, each caller makes a call before the clock starts, and one after.
  return Math.ceil(perMs * ms * (1 + LEAD_IN)) + 3 * inFlight;
}

/** In turn each goes first, so that none has the better time of it. */
export function inTurn<Target>(targets: readonly Target[], round: number): readonly Target[] {
  return round % 2 === 0 ? targets.toReversed() : targets;
}

/** CPU time of the server in microseconds a call. */
export function cpuOf(slot: Slot): number {
  return slot.serverCpuMicros / slot.allCalls;
}

export function rateOf(slot: JobResult): number {
  return slot.calls / slot.seconds;
}
