import { quantile } from '../support/stats.ts';

/** A connection or stream that makes one call at a time. */
export interface Caller {
  /** Makes a call. Later calls exactly one of `done` and `failed`, once. */
  call(request: Uint8Array, done: () => void, failed: (error: Error) => void): void;
}

/** Returns the next request; undefined when they are used up. */
export type Next = () => Uint8Array | undefined;

export interface LoopResult {
  readonly calls: number;
  /** Includes calls made before the clock started. */
  readonly allCalls: number;
  /** From the first call, or the start of the clock, to the last response. */
  readonly seconds: number;
  readonly latencyMsMedian: number;
  readonly latencyMs99: number;
}

export function resultOf(latenciesMs: readonly number[], ms: number, early = 0): LoopResult {
  const sorted = Float64Array.from(latenciesMs).sort();
  return {
    calls: sorted.length,
    allCalls: sorted.length + early,
    seconds: ms / 1000,
    latencyMsMedian: quantile(sorted, 0.5),
    latencyMs99: quantile(sorted, 0.99),
  };
}

/** Times in ms from sending the registration. */
export interface WakeResult {
  readonly medianMs: number;
  readonly lastMs: number;
}

/** Returns the result of a wake-up. Each waiter resolves with the time at which it was woken. */
export async function wakeResult(sentAt: number, woken: readonly Promise<number>[]): Promise<WakeResult> {
  const times = Float64Array.from(await Promise.all(woken)).sort();
  return {
    medianMs: quantile(times, 0.5) - sentAt,
    lastMs: (times.at(-1) ?? Number.NaN) - sentAt,
  };
}
