/** What comes in floods is logged once in so long. */
const LOG_INTERVAL_MS = 60_000;

/** The part of a logger that warnings need. */
export interface Warner {
  warn(fields: object, text: string): void;
}

/** Logs the first of many warnings, and then none for a minute. */
export function warnRarely(
  log: Warner,
  now: () => number = () => performance.now(),
): (fields: object, text: string) => void {
  let loggedAt = Number.NEGATIVE_INFINITY;
  return (fields, text) => {
    const time = now();
    if (time - loggedAt < LOG_INTERVAL_MS) return;
    loggedAt = time;
    log.warn(fields, `${text}; others are not told of for a minute`);
  };
}
