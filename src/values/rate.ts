/** So many at once, and from then on so many in a time: a bucket of `burst` tokens that fills up again. */
export interface Rate {
  readonly burst: number;
  /** Until one more is free, in ms. */
  readonly interval: number;
}

const UNITS = { s: 1000, m: 60_000, h: 3_600_000 } as const;
const MOST = 1_000_000;

/** RATE/UNIT:BURST, like 1/s:1000, or off. Undefined when it is neither. */
export function parseRate(text: string): Rate | 'off' | undefined {
  if (text === 'off') return 'off';
  const [, count = '', unit = 's', most = ''] = /^(\d{1,7})\/([smh]):(\d{1,7})$/.exec(text) ?? [];
  const [rate, burst] = [Number(count), Number(most)];
  if (!(rate >= 1 && rate <= MOST && burst >= 1 && burst <= MOST)) return undefined;
  return { burst, interval: UNITS[unit as keyof typeof UNITS] / rate };
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
