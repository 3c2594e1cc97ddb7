/** The longest timer in ms: 24 days. A longer one fires immediately. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

const UNIT_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};

/** Units that are accepted but never printed: the service measures in ms. */
const FINE_UNIT_MS: Readonly<Record<string, number>> = {
  ...UNIT_MS,
  us: 1e-3,
  // The micro sign and the letter mu: Go accepts both.
  '\u00b5s': 1e-3,
  '\u03bcs': 1e-3,
  ns: 1e-6,
};

const PART = String.raw`(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|[dhms])`;
const DURATION = new RegExp(`^\\+?(?:${PART})+$`);
const LONGEST_TEXT = 100;

/**
 * Parses a duration in the syntax of Go's time.ParseDuration (`0`, `168h`, `1h30m`, `.5h`, `100us`), not
 * negative, or with days as in `7d`. Returns whole ms; undefined if the text is not a duration.
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

/**
 * Formats a duration in ms in the shortest form that parses to the same value: `90s` becomes `1m30s`, `168h`
 * becomes `7d`.
 */
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
