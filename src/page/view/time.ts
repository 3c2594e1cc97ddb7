import { h, type VElement } from './node.ts';

/** Clock says how times are shown: relative to which time, and in which zone. Times in ms since 1970. */
export interface Clock {
  readonly now: number;
  /** Undefined: the reader's own zone. */
  readonly timeZone?: 'UTC';
}

const UNITS: ReadonlyArray<[name: string, ms: number]> = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

/** Formats a duration in the largest unit of which there are at least two, such as `2 days`. */
export function spanText(ms: number): string {
  const [name, size] = UNITS.find(([, unit]) => ms >= 2 * unit) ?? ['second', 1000];
  const count = Math.round(ms / size);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/** Formats a time as `in 6 days`, `3 minutes ago`, `just now`. */
export function relativeText(time: number, now: number): string {
  const ms = time - now;
  if (Math.abs(ms) < 1000) return 'just now';
  return ms > 0 ? `in ${spanText(ms)}` : `${spanText(-ms)} ago`;
}

// Cached: creating a format costs more than using it a thousand times.
const formats = new Map<string, Intl.DateTimeFormat>();

function format(kind: 'DATE' | 'TIME', { timeZone }: Clock): Intl.DateTimeFormat {
  const key = `${kind} ${timeZone}`;
  let made = formats.get(key);
  if (made === undefined) {
    const date = { day: 'numeric', month: 'short', year: 'numeric' } as const;
    made = new Intl.DateTimeFormat('en-GB', {
      ...(kind === 'DATE' ? date : { second: '2-digit' }),
      hour: '2-digit',
      minute: '2-digit',
      timeZoneName: 'short',
      ...(timeZone !== undefined && { timeZone }),
    });
    formats.set(key, made);
  }
  return made;
}

/** Formats `30 Nov 2026, 09:30 UTC`. */
export function timeElement(time: number, clock: Clock): VElement {
  const iso = new Date(time).toISOString();
  return h('time', { datetime: iso, title: iso }, format('DATE', clock).format(time));
}

/** Formats the time of day if it is today, otherwise with the date. */
export function momentElement(time: number, clock: Clock): VElement {
  const date = new Date(time);
  const recent = Math.abs(clock.now - time) < 12 * 3_600_000;
  const iso = date.toISOString();
  return h('time', { datetime: iso, title: iso }, format(recent ? 'TIME' : 'DATE', clock).format(time));
}
