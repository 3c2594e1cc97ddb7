// An open loop: calls at fixed times, independent of earlier ones. A latency counts from the time at which the call
// was due, so that a server that stalls is charged for all calls that it delayed.

import { type Caller, type LoopResult, type Next, resultOf } from './loop.ts';

/**
 * How long to sleep at a time, by which a response may be noticed late. A loop without sleeps took a core from the
 * servers and slowed down their threads: their p99 was ten times as high.
 */
const NAP_MS = 0.05;
/** Shorter sleeps are not worthwhile. */
const SHORTEST_NAP_MS = 0.02;
const NOBODY_WAKES = new Int32Array(new SharedArrayBuffer(4));

/**
 * Makes a number of calls per second until the time is over or the requests are used up. Resolves with the last
 * response. Between two calls it blocks the whole event loop, because no timer of Node.js is precise enough. Rejects
 * at the first failed call.
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
    let callersWereFree = true;

    const failed = (error: Error): void => {
      hasFailed = true;
      reject(error);
    };
    const make = (request: Uint8Array, caller: Caller, dueAt: number): void => {
      const done = (): void => {
        latencies.push(performance.now() - dueAt);
        idle.push(caller);
      };
      caller.call(request, done, failed);
    };
    const turn = (): void => {
      const now = performance.now();
      const due = Math.min(Math.floor((now - start) / interval) + 1, wanted);
      while (made < due) {
        const caller = idle.pop();
        if (caller === undefined) break;
        const request = next();
        if (request === undefined) {
          wanted = made;
          break;
        }
        make(request, caller, start + made * interval);
        made += 1;
      }
      callersWereFree = idle.length > 0;
      if (latencies.length === wanted) {
        resolve(resultOf(latencies, performance.now() - start));
      } else if (!hasFailed) {
        const untilDue = made < wanted && callersWereFree ? start + made * interval - now : NAP_MS;
        if (untilDue >= SHORTEST_NAP_MS) Atomics.wait(NOBODY_WAKES, 0, 0, Math.min(untilDue, NAP_MS));
        setImmediate(turn);
      }
    };
    turn();
  });
}
