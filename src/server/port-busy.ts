import type { PortLimits } from '../limits.ts';

/** A look rests this many times as long as it took: over very many connections it takes its time. */
const REST = 50;

/** Has `look` called at short intervals while the process is busy, and never while it is not. Returns what ends it. */
export function whileBusy({ busyLook, busyPercent }: PortLimits, look: () => void): () => void {
  let last = performance.eventLoopUtilization();
  let rested = 0;
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    const begin = performance.now();
    if (utilization * 100 < busyPercent || begin < rested) return;
    look();
    const end = performance.now();
    rested = end + (end - begin) * REST;
  }, busyLook);
  timer.unref();
  return () => clearInterval(timer);
}
