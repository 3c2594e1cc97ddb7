import { h, type VElement } from './node.ts';

/** How times are shown: against which now, and in which zone. Times in ms since 1970. */
export interface Clock {
  readonly now: number;
  /** Undefined: the reader's own. */
  readonly timeZone?: 'UTC';
}

const UNITS: ReadonlyArray<[name: string, ms: number]> = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

/** A span of time in its largest unit, like `2 days`. The smaller ones count once that is few. */
export function spanText(ms: number): string {
  const [name, size] = UNITS.find(([, unit]) => ms >= 2 * unit) ?? ['second', 1000];
  const count = Math.round(ms / size);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/** `in 6 days`, `3 minutes ago`, `just now`. */
export function relativeText(time: number, now: number): string {
  const ms = time - now;
  if (Math.abs(ms) < 1000) return 'just now';
  return ms > 0 ? `in ${spanText(ms)}` : `${spanText(-ms)} ago`;
}

// Making a format costs more than using it a thousand times.
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

/** `30 Nov 2026, 09:30 UTC`. */
export function timeElement(time: number, clock: Clock): VElement {
  const iso = new Date(time).toISOString();
  return h('time', { datetime: iso, title: iso }, format('DATE', clock).format(time));
}

/** The time of day of what happened today, else with its date. */
export function momentElement(time: number, clock: Clock): VElement {
  const date = new Date(time);
  const recent = Math.abs(clock.now - time) < 12 * 3_600_000;
  const iso = date.toISOString();
  return h('time', { datetime: iso, title: iso }, format(recent ? 'TIME' : 'DATE', clock).format(time));
}
