import { LONGEST_TIMER_MS } from '../values/duration.ts';

const FIRST_MS = 250;
const MOST_MS = 5000;

/**
 * Returns the delay in ms after the n-th consecutive failure, n from 1. It doubles, with random jitter so
 * that clients do not retry together.
 */
export function backoffMs(failures: number): number {
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** (failures - 1));
  return most * (0.5 + Math.random() / 2);
}

/** Resolves after `ms`, or rejects with the signal's reason if the signal is aborted first. */
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
