/** What could end or forge a log line, or is left of bytes that were not UTF-8. */
export const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\ufffd]/u;

/** What has no place in a line for people: beside that, what turns a line's direction or does not show. */
const UNFIT = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\ufffd]/gu;

/** Outside text in a message: bounded, and on one line. */
export function quoted(text: string): string {
  return `'${shown(text, 80)}'`;
}

/** The same without quotes, with so many characters at most. */
export function shown(text: string, most: number): string {
  const short = text.length > most ? `${text.slice(0, most)}...` : text;
  return short.replace(UNFIT, '?');
}
