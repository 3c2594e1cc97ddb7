// An open loop: calls at fixed times, whatever becomes of those before. Latencies count from the time at which a call
// was due, so that a server that stops for a while is charged for all the calls that it kept from being made.

import { type Caller, type LoopResult, type Next, resultOf } from './loop.ts';

/**
 * Makes so many calls a second until the time is over or the requests are used up, and resolves when the last answer
 * is there. Looks at the clock in every turn of the event loop, which takes a whole core: no timer is as exact as
 * what is measured. Rejects at the first call that fails or is refused.
 */
export function openLoop(
  callers: readonly Caller[],
  next: Next,
  ms: number,
  perSecond: number,
): Promise<LoopResult> {
  return new Promise((resolve, reject) => {
    const idle = [...callers];
    const latencies: number[] = [];
    const interval = 1000 / perSecond;
    const start = performance.now();
    let wanted = Math.max(Math.floor(ms / interval), 1);
    let made = 0;
    let hasFailed = false;

    const failed = (error: Error): void => {
      hasFailed = true;
      reject(error);
    };
    const turn = (): void => {
      const due = Math.min(Math.floor((performance.now() - start) / interval) + 1, wanted);
      while (made < due) {
        const caller = idle.pop();
        if (caller === undefined) break;
        const request = next();
        if (request === undefined) {
          wanted = made;
          break;
        }
        const dueAt = start + made * interval;
        made += 1;
        const done = (): void => {
          latencies.push(performance.now() - dueAt);
          idle.push(caller);
        };
        caller.call(request, done, failed);
      }
      if (latencies.length === wanted) resolve(resultOf(latencies, performance.now() - start));
      else if (!hasFailed) setImmediate(turn);
    };
    turn();
  });
}
