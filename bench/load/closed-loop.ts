// A closed loop: a number of callers, each of which makes its next call when it has the response to the last.

import { type Caller, type LoopResult, type Next, resultOf } from './loop.ts';

/**
 * Runs all callers until the time is over or the requests are used up. Resolves with the last response. Leaves out
 * responses of the first `leadInMs`, because new connections are slower. Rejects at the first failed call.
 */
export function closedLoop(
  callers: readonly Caller[],
  next: Next,
  ms: number,
  leadInMs = 0,
): Promise<LoopResult> {
  return new Promise((resolve, reject) => {
    const latencies: number[] = [];
    const start = performance.now() + leadInMs;
    let early = 0;
    const deadline = start + ms;
    let end = start;
    let busy = callers.length;

    const callOn = (caller: Caller): void => {
      const request = performance.now() < deadline ? next() : undefined;
      if (request === undefined) {
        busy -= 1;
        if (busy === 0) resolve(resultOf(latencies, end - start, early));
        return;
      }
      const sentAt = performance.now();
      const done = (): void => {
        end = performance.now();
        if (end >= start) latencies.push(end - sentAt);
        else early += 1;
        callOn(caller);
      };
      caller.call(request, done, reject);
    };

    for (const caller of callers) callOn(caller);
  });
}
