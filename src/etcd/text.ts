/** Characters that could end or forge a log line, or that replace bytes that were not UTF-8. */
export const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\ufffd]/u;

/**
 * Characters unsuitable for a line that people read: in addition, those that change its direction or are
 * invisible.
 */
const UNFIT = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\ufffd]/gu;

/** Quotes external text for a message: bounded, and on one line. */
export function quoted(text: string): string {
  return `'${shown(text, 80)}'`;
}

/** Does the same without quotes, with a maximum number of characters. */
export function shown(text: string, most: number): string {
  const short = text.length > most ? `${text.slice(0, most)}...` : text;
  return short.replace(UNFIT, '?');
}
