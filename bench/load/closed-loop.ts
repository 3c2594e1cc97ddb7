// A closed loop: so many callers, each of which makes its next call when it has the answer to the last.

import { quantile } from '../stats.ts';

export interface LoopResult {
  readonly calls: number;
  /** From the first call to the last answer. */
  readonly seconds: number;
  readonly latencyMsMedian: number;
  readonly latencyMs99: number;
}

/** A connection, or a stream's place on one, that makes one call at a time. */
export interface Caller {
  /** Makes a call. Exactly one of the two is called once, later. */
  call(request: Uint8Array, done: () => void, failed: (error: Error) => void): void;
}

/**
 * Has every caller call until the time is over or the requests are used up, and resolves when the last answer
 * is there. Rejects at the first call that fails or is refused.
 */
export function closedLoop(callers: readonly Caller[], next: () => Uint8Array | undefined, ms: number) {
  return new Promise<LoopResult>((resolve, reject) => {
    const latencies: number[] = [];
    const start = performance.now();
    const deadline = start + ms;
    let end = start;
    let busy = callers.length;

    const callOn = (caller: Caller): void => {
      const request = performance.now() < deadline ? next() : undefined;
      if (request === undefined) {
        busy -= 1;
        if (busy === 0) resolve(result());
        return;
      }
      const sentAt = performance.now();
      const done = (): void => {
        end = performance.now();
        latencies.push(end - sentAt);
        callOn(caller);
      };
      caller.call(request, done, reject);
    };

    const result = (): LoopResult => {
      const sorted = Float64Array.from(latencies).sort();
      return {
        calls: latencies.length,
        seconds: (end - start) / 1000,
        latencyMsMedian: quantile(sorted, 0.5),
        latencyMs99: quantile(sorted, 0.99),
      };
    };

    for (const caller of callers) callOn(caller);
  });
}
