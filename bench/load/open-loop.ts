// An open loop: calls at fixed times, whatever becomes of those before. Latencies count from the time at which a call
// was due, so that a server that stops for a while is charged for all the calls that it kept from being made.

import { type Caller, type LoopResult, type Next, resultOf } from './loop.ts';

/**
 * How long it sleeps at a time: an answer that comes meanwhile is seen that much later. A loop that never slept took
 * a core from the servers, whose own threads then stood in its way: their p99 was ten times what it is without.
 */
const NAP_MS = 0.05;
/** Not worth going to sleep for. */
const SHORTEST_NAP_MS = 0.02;
const NOBODY_WAKES = new Int32Array(new SharedArrayBuffer(4));

/**
 * Makes so many calls a second until the time is over or the requests are used up, and resolves when the last answer
 * is there. Between two calls it sleeps with the whole event loop, as no timer of Node.js is as exact as what is
 * measured. Rejects at the first call that fails or is refused.
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
