/** So many at once, and from then on so many in a time: a bucket of `burst` tokens that fills up again. */
export interface Rate {
  readonly burst: number;
  /** Until one more is free, in ms. */
  readonly interval: number;
}

/**
 * Takes one or more from a bucket. `full` is when the bucket is full again, all that there is to know of it; the
 * answer is its new value, or how long to wait, in ms. `kept`: so many are left for others to take. More than a bucket
 * holds are taken from a full one, and owed.
 */
export function take(
  rate: Rate,
  full: number,
  now: number,
  { count = 1, kept = 0 }: { readonly count?: number; readonly kept?: number } = {},
): { readonly full: number } | { readonly wait: number } {
  const { burst, interval } = rate;
  const wait = Math.max(full, now) - now + (Math.min(count, burst) - burst + kept) * interval;
  // A clock of fractions: half a microsecond is not worth a refusal.
  return wait > 0.0005 ? { wait } : { full: owe(rate, full, now, count) };
}

/** Takes what was used already, though it is more than there is: who owes waits until it is there again. */
export function owe({ interval }: Rate, full: number, now: number, count: number): number {
  return Math.max(full, now) + count * interval;
}
