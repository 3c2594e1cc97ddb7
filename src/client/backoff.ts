import { LONGEST_TIMER_MS } from '../values/duration.ts';

const FIRST_MS = 250;
const MOST_MS = 5000;

/** How long to wait after the n-th failure in a row, n from 1: doubling, and never the same for two clients. */
export function backoffMs(failures: number): number {
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** (failures - 1));
  return most * (0.5 + Math.random() / 2);
}

/** Resolves after a time, or rejects with the signal's reason when that is aborted before. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const leave = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      },
      Math.min(ms, LONGEST_TIMER_MS),
    );
    signal?.addEventListener('abort', leave, { once: true });
  });
}
