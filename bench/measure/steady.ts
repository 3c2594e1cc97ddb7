// Calls at half of the highest rate: what is left of the latencies when nobody has to queue.

import type { JobResult } from '../load/main.ts';
import { type Spread, spread } from '../support/stats.ts';

/** Times in ms from when a call was due. */
export interface Steady {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function steadyOf({ latencyMsMedian, latencyMs99, latencyMsMax }: JobResult): Steady {
  return { p50: latencyMsMedian, p99: latencyMs99, max: latencyMsMax };
}

/** Over the rounds. */
export interface SteadyMeasured {
  readonly perSecond: Spread;
  readonly p50: Spread;
  readonly p99: Spread;
  readonly max: Spread;
  /** What is the load generator's own of the latencies, in ms. */
  readonly late99: Spread;
  /** p99 / p50, of the same round. */
  readonly tail: Spread;
}

export function steadyOver(slots: readonly JobResult[]): SteadyMeasured {
  const rounds = slots.map(steadyOf);
  return {
    perSecond: spread(slots.map(({ calls, seconds }) => calls / seconds)),
    p50: spread(rounds.map(({ p50 }) => p50)),
    p99: spread(rounds.map(({ p99 }) => p99)),
    max: spread(rounds.map(({ max }) => max)),
    late99: spread(slots.map(({ lateMs99 = Number.NaN }) => lateMs99)),
    tail: spread(rounds.map(({ p50, p99 }) => p99 / p50)),
  };
}
