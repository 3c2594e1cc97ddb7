import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { msOf } from '../api/time.ts';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** Formats a duration in its two largest units: `6d 23h`, `5m 10s`, `0s`. */
export function span(exactMs: number): string {
  // So that 7 days do not become 6d 23h a moment later.
  const ms = exactMs > 3_600_000 ? Math.round(exactMs / 60_000) * 60_000 : exactMs;
  const first = UNITS.findIndex(([, size]) => ms >= size);
  if (first < 0) return '0s';
  const [unit, size] = UNITS[first] ?? ['s', 1000];
  const text = `${Math.floor(ms / size)}${unit}`;
  const [smaller, smallerSize] = UNITS[first + 1] ?? [];
  if (smaller === undefined || smallerSize === undefined) return text;
  const rest = Math.floor((ms % size) / smallerSize);
  return rest === 0 ? text : `${text} ${rest}${smaller}`;
}

/** Formats `2026-11-23 04:20:31Z`. */
export function instant(time: Timestamp | undefined): string {
  if (time === undefined) return 'unknown';
  return new Date(msOf(time))
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z/, 'Z');
}

/** Formats a time and its distance from now: `2026-11-23 04:20:31Z (in 6d 23h)`. */
export function instantFromNow(time: Timestamp | undefined): string {
  if (time === undefined) return 'unknown';
  const ms = msOf(time) - Date.now();
  return `${instant(time)} (${ms >= 0 ? `in ${span(ms)}` : `${span(-ms)} ago`})`;
}

/** Formats a duration for a column: `6d`, `23h`, `5m`, `0s`. */
export function shortSpan(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms >= each) ?? ['s', 1000];
  return `${Math.max(0, Math.floor(ms / size))}${unit}`;
}
