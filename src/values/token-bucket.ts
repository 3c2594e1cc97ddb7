/** So many at once, and from then on so many in a time: a bucket of `burst` tokens that fills up again. */
export interface Rate {
  readonly burst: number;
  /** Until one more is free, in ms. */
  readonly interval: number;
}

/**
 * Takes one from a bucket. `full` is when the bucket is full again, all that there is to know of it; the answer
 * is its new value, or how long to wait, in ms. `kept`: so many are left for others to take.
 */
export function take(
  { burst, interval }: Rate,
  full: number,
  now: number,
  kept = 0,
): { readonly full: number } | { readonly wait: number } {
  const next = Math.max(full, now) + interval;
  const wait = next - now - (burst - kept) * interval;
  // A clock of fractions: half a microsecond is not worth a refusal.
  return wait > 0.0005 ? { wait } : { full: next };
}
