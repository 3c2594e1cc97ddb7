/** The interval in ms at which a frequent warning is logged once. */
const LOG_INTERVAL_MS = 60_000;

/** Warner is the part of a logger that warnings use. */
export interface Warner {
  warn(fields: object, text: string): void;
}

/** Returns a function that logs the first of many warnings, and then none for a minute. */
export function warnRarely(
  log: Warner,
  now: () => number = () => performance.now(),
): (fields: object, text: string) => void {
  let loggedAt = Number.NEGATIVE_INFINITY;
  return (fields, text) => {
    const time = now();
    if (time - loggedAt < LOG_INTERVAL_MS) return;
    loggedAt = time;
    log.warn(fields, `${text}; similar warnings are suppressed for a minute`);
  };
}
