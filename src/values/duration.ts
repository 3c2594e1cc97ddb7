/** The longest that a timer waits, in ms: 24 days. One that is set for longer fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

const UNIT_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};

/** Of what is read; nothing here is measured so finely, and it is written in ms. */
const FINE_UNIT_MS: Readonly<Record<string, number>> = {
  ...UNIT_MS,
  us: 1e-3,
  // The micro sign and the letter mu: Go takes both.
  '\u00b5s': 1e-3,
  '\u03bcs': 1e-3,
  ns: 1e-6,
};

const PART = String.raw`(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|[dhms])`;
const DURATION = new RegExp(`^\\+?(?:${PART})+$`);
const LONGEST_TEXT = 100;

/**
 * A duration as Go's time.ParseDuration takes it (`0`, `168h`, `1h30m`, `.5h`, `100us`), unless it is negative, and
 * `7d`. In whole ms; undefined when it is none.
 */
export function parseDuration(text: string): number | undefined {
  if (/^\+?0$/.test(text)) return 0;
  if (text.length > LONGEST_TEXT || !DURATION.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(new RegExp(PART, 'g'))) {
    ms += Number(amount) * (FINE_UNIT_MS[unit ?? ''] ?? Number.NaN);
  }
  return Number.isSafeInteger(Math.round(ms)) ? Math.round(ms) : undefined;
}

/** The shortest way to write a duration in ms that reads back the same: `90s` is `1m30s`, and `168h` is `7d`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  let rest = ms;
  let text = '';
  for (const [unit, size] of Object.entries(UNIT_MS)) {
    const amount = Math.floor(rest / size);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * size;
  }
  return text === '' ? '0s' : text;
}
