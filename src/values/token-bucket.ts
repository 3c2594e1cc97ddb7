/** Rate is a token bucket: `burst` requests at once, refilled at a constant rate. */
export interface Rate {
  readonly burst: number;
  /** The time in ms after which one more token is available. */
  readonly interval: number;
}

/**
 * Takes one or more tokens from a bucket. `full`, the time at which the bucket is full again, is its whole
 * state. Returns the new value, or the time to wait in ms. `kept` tokens are left for others. A request for
 * more than the bucket holds succeeds when the bucket is full, and leaves a debt.
 */
export function take(
  rate: Rate,
  full: number,
  now: number,
  { count = 1, kept = 0 }: { readonly count?: number; readonly kept?: number } = {},
): { readonly full: number } | { readonly wait: number } {
  const { burst, interval } = rate;
  const wait = Math.max(full, now) - now + (Math.min(count, burst) - burst + kept) * interval;
  // Tolerates rounding errors: half a microsecond does not justify a rejection.
  return wait > 0.0005 ? { wait } : { full: owe(rate, full, now, count) };
}

/** Takes tokens that were already used even if the bucket lacks them. The debt delays later requests. */
export function owe({ interval }: Rate, full: number, now: number, count: number): number {
  return Math.max(full, now) + count * interval;
}
